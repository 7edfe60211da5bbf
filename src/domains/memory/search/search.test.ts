// Filters are exact: what they leave is found, however little of the store it is and however far down it would rank.
import { expect, test } from 'vitest';
import { openApp } from '../../../../test/support/open-app.ts';

const lines = (count: number, make: (i: number) => object) =>
  async function* () {
    yield Buffer.from(`${Array.from({ length: count }, (_, i) => JSON.stringify(make(i))).join('\n')}\n`);
  };

test('a memory that the filter keeps is found behind a thousand better matches that it leaves out', async () => {
  await using app = await openApp();
  const principal = { ...app.runtime.localPrincipal('tester'), user_id: 'ada' };
  const signal = new AbortController().signal;
  const better = lines(1_000, (i) => ({
    content: `disk quota alarm on node-${i}`,
    category: 'monitoring',
    tags: ['noise'],
  }));
  for await (const event of app.runtime.transfers.importFrom(better(), principal, { signal, file_name: 'a.jsonl' })) {
    if (event.type === 'problem') throw new Error(event.message);
  }
  const id = await app.store('in the long report of the spring the quota of one disk is named among many other things');
  const found = async (filter: object) =>
    (await app.call('search_memories', { query: 'disk quota alarm', limit: 5, ...filter })).results.map(
      (result: { memory_id: string }) => result.memory_id,
    );
  expect(await found({})).not.toContain(id);
  expect(await found({ category: 'global' })).toEqual([id]);
  expect(await found({ tags_none: ['noise'] })).toEqual([id]);
  expect(await found({ category: 'monitoring' })).toHaveLength(5);
  expect(await found({ category: 'security' })).toEqual([]);
});

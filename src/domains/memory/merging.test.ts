// Merging duplicates: which one is kept, what it gains, and that it can be taken back.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, openApp } from '../../../test/support/open-app.ts';

let app: App;
beforeAll(async () => {
  app = await openApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const read = (memory_id: string) => app.call('retrieve_memory', { memory_id });

/** Two memories that say nearly the same; the second is newer and shorter. */
async function pair(name: string) {
  const older = await app.store(`${name}: the cache of the API is flushed by hand after a release`, {
    tags: ['cache', 'api'],
    metadata: { ticket: name, severity: 'low' },
    context: 'release notes',
    importance: 0.9,
    valid_from: '2025-01-01',
  });
  app.clock.advance(1_000);
  const newer = await app.store(`${name}: the API cache is flushed by hand`, {
    tags: ['api', 'manual'],
    metadata: { severity: 'high' },
  });
  return { older, newer };
}

test.each([
  ['newest', 'newer'],
  ['oldest', 'older'],
  ['longest', 'older'],
] as const)('keep_memory=%s keeps the %s one', async (keep_memory, side) => {
  const both = await pair(`keep ${keep_memory}`);
  const answer = await app.call('merge_duplicate_memories', {
    memory_id_1: both.older,
    memory_id_2: both.newer,
    keep_memory,
  });
  expect(answer.memory_id).toBe(both[side]);
  expect(answer.removed_memory_id).toBe(side === 'newer' ? both.older : both.newer);
});

test('keep_memory can name one of the two; newest is the default', async () => {
  const named = await pair('named');
  const ids = { memory_id_1: named.newer, memory_id_2: named.older };
  expect(await app.call('merge_duplicate_memories', { ...ids, keep_memory: named.older })).toMatchObject({
    memory_id: named.older,
  });
  const plain = await pair('plain');
  expect(
    await app.call('merge_duplicate_memories', { memory_id_1: plain.older, memory_id_2: plain.newer }),
  ).toMatchObject({ memory_id: plain.newer });
});

test('the kept one gains tags, missing fields and provenance; its own fields win', async () => {
  const { older, newer } = await pair('gain');
  const { tags } = await app.call('merge_duplicate_memories', { memory_id_1: older, memory_id_2: newer });
  expect(tags).toEqual(['api', 'manual', 'cache']);
  const kept = await read(newer);
  expect(kept).toMatchObject({
    context: 'release notes',
    importance: 0.9,
    valid_from: '2025-01-01T00:00:00.000Z',
    metadata: {
      ticket: 'gain',
      severity: 'high',
      merged_from: [expect.objectContaining({ memory_id: older, user_id: 'ada', source: 'agent' })],
    },
  });
  expect((await app.call('list_deleted_memories')).memories[0]).toMatchObject({ memory_id: older, merged_into: newer });
  expect((await app.call('search_memories', { query: 'gain', tags: ['cache'] })).results).toMatchObject([
    { memory_id: newer },
  ]);
});

test('recover and undo give both back exactly', async () => {
  const { older, newer } = await pair('reversed');
  const before = [await read(older), await read(newer)];
  await app.call('merge_duplicate_memories', { memory_id_1: older, memory_id_2: newer });
  await app.call('recover_deleted_memory', { memory_id: older });
  await app.call('update_memory', { memory_id: newer, undo: true });
  const after = [await read(older), await read(newer)];
  const timeless = (memory: object) => ({ ...memory, version: 0, updated_at: '' });
  expect(after.map(timeless)).toEqual(before.map(timeless));
  expect((await app.call('search_memories', { query: 'reversed' })).results).toHaveLength(2);
});

test('what the removed one replaced stays replaced', async () => {
  const first = await app.store('merge chain: the quota is 10');
  const second = await app.store('merge chain: the quota is 20', { supersedes: first });
  app.clock.advance(1_000);
  const third = await app.store('merge chain: the quota has become 20');
  await app.call('merge_duplicate_memories', { memory_id_1: second, memory_id_2: third });
  const { results } = await app.call('search_memories', { query: 'merge chain quota' });
  expect(results.map((row: { memory_id: string }) => row.memory_id)).toEqual([third]);
  await app.call('delete_memory', { memory_id: second, hard_delete: true });
  expect(await read(first)).toMatchObject({ superseded_by: third });
});

test('looking for duplicates says what it could not compare', async () => {
  await using alone = await openApp();
  await alone.store('Has no vector');
  const answer = await alone.call('detect_duplicate_memories');
  expect(answer).toMatchObject({ pairs: [], examined: 0, hint: expect.stringContaining('1 were not compared') });
});

describe('refused:', () => {
  test.each([
    ['a memory with itself', (id: string) => ({ memory_id_1: id, memory_id_2: id }), 'invalid_input'],
    ['an unknown one', (id: string) => ({ memory_id_1: id, memory_id_2: 'mem_none' }), 'not_found'],
  ])('%s', async (_what, input, code) => {
    const id = await app.store('Lonely');
    expect(await app.refusal('merge_duplicate_memories', input(id))).toMatchObject({ code });
  });

  test('keeping a third one', async () => {
    const { older, newer } = await pair('third');
    const third = await app.store('Third');
    expect(
      await app.refusal('merge_duplicate_memories', { memory_id_1: older, memory_id_2: newer, keep_memory: third }),
    ).toMatchObject({ code: 'invalid_input' });
    expect((await read(older)).version).toBe(1);
  });

  test('one that belongs to somebody else', async () => {
    const mine = await app.store('Mine and shared', { scope: 'shared' });
    const theirs = await app.store('Theirs and shared', { scope: 'shared' }, { user: 'bob' });
    expect(await app.refusal('merge_duplicate_memories', { memory_id_1: mine, memory_id_2: theirs })).toMatchObject({
      code: 'forbidden',
    });
  });
});

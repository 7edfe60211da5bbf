// The text form of answers: some clients show their model nothing else, so what was asked for has to be in it.
import { expect, test } from 'vitest';
import { openApp } from '../../../test/support/open-app.ts';
import { listText } from './render.ts';

test('a search shows neighbouring turns, the parts of the score and where the next page begins', async () => {
  await using app = await openApp();
  for (const sequence of [1, 2, 3])
    await app.store(`Turn number ${sequence} on harbour cranes`, { session_id: 'talk', sequence });
  const asked = { query: 'harbour cranes', limit: 1, explain: true, neighbours: 1 };
  const out = await app.call('search_memories', asked);
  const text = await app.text('search_memories', asked);
  expect(text).toContain(`cursor=${out.next_cursor}`);
  expect(text).toMatch(/^turn \d \[mem_\w+\]: Turn number/m);
  expect(text).toMatch(/^score: .*bm25 \d/m);
});

test('a memory is shown with its fields, and without the empty ones', async () => {
  await using app = await openApp();
  const memory_id = await app.store('Told in full', { metadata: { ticket: 'OPS-7' }, valid_until: '2031-01-01' });
  const text = await app.text('retrieve_memory', { memory_id });
  expect(text).toContain('metadata: {"ticket":"OPS-7"}');
  expect(text).toContain('valid_until: 2031-01-01T00:00:00.000Z');
  expect(text).not.toContain('null');
});

test('statistics are counts by everything they were counted by', async () => {
  await using app = await openApp();
  await app.store('One', { tags: ['harbour'], project: 'cranes' });
  const text = await app.text('get_memory_stats', {});
  expect(text).toContain('by_project: cranes 1');
  expect(text).toContain('top_tags: harbour 1');
});

test('a deleted memory says until when it can come back, and why it went', async () => {
  await using app = await openApp();
  const memory_id = await app.store('Gone');
  await app.call('delete_memory', { memory_id, reason: 'wrong host' });
  expect(await app.text('list_deleted_memories', {})).toMatch(/recoverable until \d{4}-.*wrong host/);
});

test('a list without a next page names no cursor', () => {
  expect(listText('0 results.', [])).toEqual([{ kind: 'text', text: '0 results.' }]);
});

// Lists and counts: recent, project, statistics, sources, the machine; and pages under concurrent writes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Answer, type App, DAY_MS, openApp } from '../../../test/support/open-app.ts';

const ids = (rows: readonly { memory_id: string }[]) => rows.map((row) => row.memory_id);

test('recent memories go back as far as asked, newest first', async () => {
  await using app = await openApp();
  const week = await app.store('A week ago', { project: 'p' });
  app.clock.advance(5 * DAY_MS);
  const days = await app.store('Two days ago', { category: 'incidents' });
  app.clock.advance(2 * DAY_MS);
  const now = await app.store('Now');
  const recent = async (input: object) => ids((await app.call('get_recent_memories', input)).memories);
  expect(await recent({})).toEqual([now]);
  expect(await recent({ hours: 48 })).toEqual([now, days]);
  expect(await recent({ since: '1w' })).toEqual([now, days, week]);
  expect(await recent({ since: '2026-01-02' })).toEqual([now, days]);
  expect(await recent({ since: '30d', category: 'incidents' })).toEqual([days]);
  expect(await recent({ since: '30d', project: 'p' })).toEqual([week]);
});

test('a project is the one named, or the one the session works in', async () => {
  await using app = await openApp();
  const named = await app.store('By name', { project: 'edge' });
  const placed = await app.store('By place', { category: 'runbooks' }, { project: 'edge' });
  const byId = await app.store('By id', { project_id: 'prj_1' });
  const list = async (input: object, project?: string) =>
    ids((await app.call('get_project_memories', input, project === undefined ? {} : { project })).memories);
  expect(await list({ project: 'edge' })).toEqual([placed, named]);
  expect(await list({}, 'edge')).toEqual([placed, named]);
  expect(await list({ category: 'runbooks' }, 'edge')).toEqual([placed]);
  expect(await list({ project_id: 'prj_1' })).toEqual([byId]);
  expect(await app.refusal('get_project_memories')).toMatchObject({ code: 'invalid_input' });
});

test('statistics count what is there by every kind', async () => {
  await using app = await openApp();
  await app.store('One', { category: 'security', tags: ['a', 'b'], project: 'p' });
  await app.store('two → three', { tags: ['a'], scope: 'shared' }, { agent: 'codex' });
  const gone = await app.store('Gone');
  await app.call('delete_memory', { memory_id: gone });
  expect(await app.call('get_memory_stats')).toEqual({
    operating_mode: 'solo',
    total: 2,
    deleted: 1,
    content_chars: 'One'.length + 'two → three'.length,
    oldest: '2026-01-01T00:00:00.000Z',
    newest: '2026-01-01T00:00:00.000Z',
    by_category: { security: 1, global: 1 },
    by_scope: { solo: 1, shared: 1 },
    by_project: { p: 1, '': 1 },
    by_machine: { 'test-machine': 2 },
    by_agent: { tester: 1, codex: 1 },
    by_format: { v1: 1, v2: 1 },
    by_source: { agent: 2 },
    top_tags: { a: 2, b: 1 },
    vectors_pending: expect.any(Number),
  });
  expect(await app.call('get_memory_stats', { project: 'p' })).toMatchObject({ total: 1, top_tags: { a: 1, b: 1 } });
});

test('sources and the machine say where memories come from', async () => {
  await using app = await openApp();
  await app.store('First', { category: 'security' });
  await app.store('Second', {}, { agent: 'codex' });
  expect((await app.call('list_memory_sources')).sources).toEqual([
    {
      machine_id: 'test-machine',
      memories: 2,
      agents: 2,
      categories: ['global', 'security'],
      first_at: '2026-01-01T00:00:00.000Z',
      last_at: '2026-01-01T00:00:00.000Z',
    },
  ]);
  expect((await app.call('list_memory_sources', { category: 'security' })).sources).toMatchObject([{ memories: 1 }]);
  const here = await app.call('get_machine_context', {}, { project: 'edge' });
  expect(here).toMatchObject({ machine_id: 'test-machine', user_id: 'ada', project: 'edge', memories_here: 2 });
  expect(here.recent).toHaveLength(2);
});

describe('pages', () => {
  const lists: readonly (readonly [string, object, (answer: Answer) => { memory_id: string }[]])[] = [
    ['get_recent_memories', { hours: 100 }, (answer) => answer.memories],
    ['get_project_memories', { project: 'paged' }, (answer) => answer.memories],
    ['search_memories', { query: '', project: 'paged', max_tokens: 100_000 }, (answer) => answer.results],
    ['list_deleted_memories', {}, (answer) => answer.memories],
  ];

  /** Walks all pages; `between` runs after each. */
  async function walk(app: App, operation: string, input: object, limit: number, between: () => Promise<unknown>) {
    const rows = lists.find(([name]) => name === operation)![2];
    const seen: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const answer = await app.call(operation, { ...input, limit, ...(cursor ? { cursor } : {}) });
      expect(rows(answer).length).toBeLessThanOrEqual(limit);
      seen.push(...ids(rows(answer)));
      cursor = answer.next_cursor;
      await between();
    }
    return seen;
  }

  test.each(lists)('%s shows every row exactly once, also while others store', async (operation, input) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (gaps_ms, limit) => {
          await using app = await openApp();
          const stored: string[] = [];
          for (const [i, gap_ms] of gaps_ms.entries()) {
            app.clock.advance(gap_ms);
            stored.push(await app.store(`Row ${i}`, { project: 'paged' }));
          }
          if (operation === 'list_deleted_memories')
            for (const memory_id of stored) await app.call('delete_memory', { memory_id });
          let later = 0;
          const seen = await walk(app, operation, input, limit, async () => {
            app.clock.advance(1);
            await app.store(`Later ${later++}`, { project: 'paged' });
          });
          expect(new Set(seen).size).toBe(seen.length);
          expect(seen).toEqual(stored.toReversed());
        },
      ),
      { numRuns: 6 },
    );
  });

  test.each(lists)('%s refuses cursors that are not its own', async (operation, input) => {
    await using app = await openApp();
    const wrong = [
      'x',
      '',
      '%%%',
      Buffer.from('[]').toString('base64url'),
      Buffer.from('[1,2]').toString('base64url'),
      Buffer.from('["a","b"]').toString('base64url'),
      Buffer.from('["a",-1]').toString('base64url'),
      Buffer.from('{"a":1}').toString('base64url'),
      Buffer.from('["a",1,2]').toString('base64url'),
    ];
    for (const cursor of wrong) {
      const { code, hint } = await app.refusal(operation, { ...input, cursor });
      expect({ cursor, code }).toEqual({ cursor, code: 'invalid_input' });
      expect(hint).not.toBe('');
    }
  });
});

describe('the budget of an answer', () => {
  test('counts metadata and context too, and gives at least the first memory, cut', async () => {
    await using app = await openApp();
    for (const i of [1, 2, 3])
      await app.store(`Zebra lantern ${i}`, { metadata: { blob: 'x '.repeat(8_000) }, context: 'c'.repeat(3_000) });
    const { results, next_cursor } = await app.call('search_memories', { query: 'zebra lantern', max_tokens: 500 });
    expect(JSON.stringify(results).length).toBeLessThanOrEqual(500 * 4);
    expect(results).toMatchObject([{ content: expect.stringContaining('Zebra lantern'), content_truncated: true }]);
    expect(next_cursor).not.toBeNull();
  });

  test('is what a model gets by default; a script gets as many as it asked for', async () => {
    await using app = await openApp();
    for (let i = 0; i < 30; i++) await app.store(`Zebra ${i} ${'lantern '.repeat(300)}`);
    const asked = { query: '', limit: 30 };
    expect((await app.call('search_memories', asked, { transport: 'cli' })).results).toHaveLength(30);
    const shown = (await app.call('search_memories', asked, { transport: 'http' })).results;
    expect(shown.length).toBeGreaterThan(5);
    expect(JSON.stringify(shown).length).toBeLessThanOrEqual(8_000 * 4);
  });

  test('a search ends at its depth, whatever a cursor says', async () => {
    await using app = await openApp();
    const cursor = Buffer.from(JSON.stringify([Number.MAX_SAFE_INTEGER])).toString('base64url');
    expect(await app.refusal('search_memories', { query: 'x', cursor })).toMatchObject({ code: 'limit_exceeded' });
  });
});

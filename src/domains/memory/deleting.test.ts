// Deleting: recycle bin, recovery within 30 days, destruction without a trace, bulk deletion, retention policies.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, DAY_MS, openApp } from '../../../test/support/open-app.ts';

let app: App;
beforeAll(async () => {
  app = await openApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const binned = async () => {
  const { memories } = await app.call('list_deleted_memories', { limit: 500 });
  return (memories as { memory_id: string }[]).map((memory) => memory.memory_id);
};

describe('the recycle bin', () => {
  test('a deleted memory is found nowhere but there, and comes back as it was', async () => {
    const id = await app.store('Obsolete runbook of the mail relay', { tags: ['mail'], metadata: { a: 1 } });
    const before = await app.call('retrieve_memory', { memory_id: id });
    const answer = await app.call('delete_memory', { memory_id: id, reason: 'No longer needed' });
    expect(answer).toEqual({
      operating_mode: 'solo',
      memory_id: id,
      hard_deleted: false,
      recoverable_until: new Date(app.clock.now() + 30 * DAY_MS).toISOString(),
    });
    expect(await app.refusal('retrieve_memory', { memory_id: id })).toMatchObject({ code: 'not_found' });
    expect((await app.call('search_memories', { query: 'mail relay' })).results).toEqual([]);
    expect((await app.call('search_memories', { tags: ['mail'] })).results).toEqual([]);
    expect((await app.call('get_recent_memories')).memories).toEqual([]);
    expect((await app.call('list_deleted_memories')).memories[0]).toMatchObject({
      memory_id: id,
      reason: 'No longer needed',
      deleted_by: 'ada',
    });
    expect(await app.refusal('update_memory', { memory_id: id, tags: ['x'] })).toMatchObject({ code: 'not_found' });
    await app.call('recover_deleted_memory', { memory_id: id });
    const after = await app.call('retrieve_memory', { memory_id: id });
    expect(after).toEqual({ ...before, version: 3 });
    expect((await app.call('search_memories', { query: 'mail relay', tags: ['mail'] })).results).toHaveLength(1);
    expect(await app.refusal('recover_deleted_memory', { memory_id: id })).toMatchObject({ code: 'not_found' });
  });

  test('keeps for 30 days to the second; then the memory is destroyed', async () => {
    const id = await app.store('Thirty days to live');
    await app.call('delete_memory', { memory_id: id });
    app.clock.advance(30 * DAY_MS - 1);
    expect(await app.call('cleanup_expired_deletions')).toMatchObject({ purged: 0 });
    await app.call('recover_deleted_memory', { memory_id: id });
    await app.call('delete_memory', { memory_id: id });
    app.clock.advance(30 * DAY_MS);
    expect(await binned()).not.toContain(id);
    expect(await app.refusal('recover_deleted_memory', { memory_id: id })).toMatchObject({ code: 'not_found' });
    expect((await app.call('get_memory_stats')).deleted).toBe(0);
    expect(await app.call('cleanup_expired_deletions')).toMatchObject({ purged: 1, retired: 0 });
    expect(await app.rows('select * from memories where memory_id = ?', id)).toEqual([]);
  });

  test('recovering is a conflict where the same text lives again', async () => {
    const id = await app.store('Said twice');
    await app.call('delete_memory', { memory_id: id });
    const again = await app.store('Said twice');
    expect(await app.refusal('recover_deleted_memory', { memory_id: id })).toMatchObject({
      code: 'conflict',
      details: { memory_id: again },
    });
  });
});

describe('destroying', () => {
  /** Every table and every stretch of the full-text index in which the text still stands. */
  const traces = async (text: string) => {
    const contents: [string, Record<string, unknown>[]][] = [];
    for (const table of await app.tables()) contents.push([table, await app.rows(`select * from "${table}"`)]);
    return contents.flatMap(([table, rows]) =>
      rows.some((row) =>
        Object.values(row).some((value) => {
          const shown = value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value);
          return shown.toLowerCase().includes(text);
        }),
      )
        ? [table]
        : [],
    );
  };

  test.each([
    ['a living memory', false],
    ['a memory in the recycle bin', true],
  ])('%s leaves its text in no table', async (_what, binnedFirst) => {
    const word = `zanzibarium${binnedFirst ? 'first' : 'second'}`;
    const id = await app.store(`Password hint ${word}`, { tags: [word], metadata: { word }, context: `about ${word}` });
    await app.call('update_memory', { memory_id: id, content: `Other hint ${word}` });
    expect(await traces(word)).toContain('memories');
    if (binnedFirst) await app.call('delete_memory', { memory_id: id });
    expect(await app.call('delete_memory', { memory_id: id, hard_delete: true })).toMatchObject({
      hard_deleted: true,
      recoverable_until: null,
    });
    // The words of a purged text stay in full-text segments until they are merged; no query reaches them.
    expect((await traces(word)).filter((table) => table !== 'memory_fts_data')).toEqual([]);
    expect((await app.call('search_memories', { query: word })).results).toEqual([]);
    expect(await app.refusal('recover_deleted_memory', { memory_id: id })).toMatchObject({ code: 'not_found' });
    const row_ids = (await app.rows('select row_id from memories')).map((row) => row.row_id);
    for (const table of ['memory_tags', 'memory_signatures', 'memory_vectors', 'memory_vector_queue'])
      for (const { row_id } of await app.rows(`select row_id from ${table}`)) expect(row_ids).toContain(row_id);
    expect(await app.rows('select * from memory_versions where memory_id = ?', id)).toEqual([]);
    expect((await app.rows('select kind from changes where entity_id = ? order by seq desc', id))[0]).toEqual({
      kind: 'delete',
    });
  });
});

describe('bulk_delete_memories', () => {
  test('shows what would go, deletes it when confirmed, and leaves the rest', async () => {
    const old = await Promise.all([1, 2, 3].map((i) => app.store(`Old incident ${i}`, { category: 'incidents' })));
    app.clock.advance(10 * DAY_MS);
    const date_to = new Date(app.clock.now() - DAY_MS).toISOString();
    const fresh = await app.store('Fresh incident', { category: 'incidents' });
    const filter = { category: 'incidents', date_to };
    const preview = await app.call('bulk_delete_memories', filter);
    expect(preview).toMatchObject({
      deleted: false,
      count: 3,
      more: false,
      hint: expect.stringContaining('confirm=true'),
    });
    expect(new Set(preview.sample.map((row: { memory_id: string }) => row.memory_id))).toEqual(new Set(old));
    expect(await binned()).not.toContain(old[0]);
    const done = await app.call('bulk_delete_memories', { ...filter, confirm: true, reason: 'Archive' });
    expect(done).toMatchObject({ deleted: true, count: 3, hint: null });
    expect(await binned()).toEqual(expect.arrayContaining(old));
    expect(await app.call('retrieve_memory', { memory_id: fresh })).toMatchObject({ content: 'Fresh incident' });
    expect(await app.call('bulk_delete_memories', filter)).toMatchObject({ count: 0 });
  });

  test('more than one commit takes is deleted all the same', async () => {
    await app.call('import_conversation', {
      conversation_text: Array.from({ length: 450 }, (_, i) => `${i % 2 ? 'Assistant' : 'User'}: turn ${i}`).join('\n'),
      project: 'bulk',
    });
    const { count } = await app.call('bulk_delete_memories', { project: 'bulk' });
    expect(count).toBeGreaterThanOrEqual(450);
    const done = await app.call('bulk_delete_memories', { project: 'bulk', confirm: true, hard_delete: true });
    expect(done).toMatchObject({ deleted: true, count });
    expect(done.sample).toHaveLength(20);
    expect(await app.rows("select count(*) as left from memories where project = 'bulk'")).toEqual([{ left: 0 }]);
  });

  test.each([{}, { confirm: true }, { tags: [], confirm: true }, { tags: ' , ', confirm: true }])(
    'without a filter is refused: %j',
    async (input) => {
      expect(await app.refusal('bulk_delete_memories', input)).toMatchObject({ code: 'invalid_input' });
    },
  );
});

test('retention policies move old memories of a category or tag to the bin, and only the callers', async () => {
  await using kept = await openApp({
    retention: [
      { category: 'monitoring', max_age_days: 7 },
      { tag: 'Scratch', max_age_days: 1 },
    ],
  });
  const alert = await kept.store('CPU alert', { category: 'monitoring' });
  const scratch = await kept.store('Scratch note', { tags: ['scratch'] });
  const decision = await kept.store('A decision', { category: 'project' });
  await kept.store('Alert of bob', { category: 'monitoring' }, { user: 'bob' });
  kept.clock.advance(2 * DAY_MS);
  expect(await kept.call('cleanup_expired_deletions')).toEqual({
    operating_mode: 'solo',
    purged: 0,
    retired: 1,
    retired_by_policy: [
      { category: 'monitoring', tag: null, max_age_days: 7, count: 0 },
      { category: null, tag: 'Scratch', max_age_days: 1, count: 1 },
    ],
  });
  kept.clock.advance(6 * DAY_MS);
  expect(await kept.call('cleanup_expired_deletions')).toMatchObject({ retired: 1 });
  const { memories } = await kept.call('list_deleted_memories');
  expect(memories.map((row: { memory_id: string }) => row.memory_id)).toEqual([alert, scratch]);
  expect(memories[0].reason).toBe('retention policy: 7 days');
  expect(await kept.call('retrieve_memory', { memory_id: decision })).toMatchObject({ version: 1 });
  expect(await kept.call('cleanup_expired_deletions', {}, { user: 'bob' })).toMatchObject({ retired: 1 });
  kept.clock.advance(30 * DAY_MS);
  expect(await kept.call('cleanup_expired_deletions')).toMatchObject({ purged: 2 });
});

// Changing a memory: versions, undo, conflicts, clearing, metadata.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, openApp } from '../../../test/support/open-app.ts';

let app: App;
beforeAll(async () => {
  app = await openApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const read = (memory_id: string, fields: object = {}) => app.call('retrieve_memory', { memory_id, ...fields });
const update = (memory_id: string, fields: object) => app.call('update_memory', { memory_id, ...fields });

describe('update_memory', () => {
  test('changes the given fields only, says which, and keeps what was said before', async () => {
    const id = await app.store('The gateway runs nginx 1.24', { tags: ['edge'], context: 'inventory' });
    app.clock.advance(60_000);
    const answer = await update(id, { content: 'The gateway runs nginx 1.26', category: 'infrastructure' });
    expect(answer).toMatchObject({ version: 2, updated_at: '2026-01-01T00:01:00.000Z' });
    expect(new Set(answer.changed_fields)).toEqual(new Set(['content', 'category']));
    const now = await read(id, { include_history: true });
    expect(now).toMatchObject({
      content: 'The gateway runs nginx 1.26',
      category: 'infrastructure',
      tags: ['edge'],
      context: 'inventory',
      created_at: '2026-01-01T00:00:00.000Z',
    });
    expect(now.history).toEqual([
      {
        version: 1,
        change: 'update',
        changed_at: '2026-01-01T00:01:00.000Z',
        changed_by: 'ada',
        content: 'The gateway runs nginx 1.24',
      },
    ]);
    const { results } = await app.call('search_memories', { query: 'nginx 1.24' });
    expect(results).toEqual([expect.objectContaining({ content: 'The gateway runs nginx 1.26' })]);
  });

  test('of what it says already changes nothing', async () => {
    const id = await app.store('Unmoved', { tags: ['a'] });
    expect(await update(id, { content: 'Unmoved', tags: ['a'] })).toMatchObject({ version: 1, changed_fields: [] });
  });

  test('null clears what can be empty, and is refused where it cannot', async () => {
    const filled = {
      context: 'c',
      project: 'p',
      project_id: 'prj',
      session_id: 's',
      sequence: 1,
      occurred_at: '2025-01-01',
      valid_from: '2025-01-01',
      valid_until: '2035-01-01',
    };
    const id = await app.store('Everything filled', filled);
    const empty = Object.fromEntries(Object.keys(filled).map((field) => [field, null]));
    expect(new Set((await update(id, empty)).changed_fields)).toEqual(new Set(Object.keys(filled)));
    expect(await read(id)).toMatchObject(empty);
    expect(await app.refusal('update_memory', { memory_id: id, content: null })).toMatchObject({
      code: 'invalid_input',
    });
    expect((await update(id, { tags: [] })).changed_fields).toEqual([]);
  });

  test('metadata is merged, null removes a key, replace_metadata replaces all of it', async () => {
    const id = await app.store('Metadata', { metadata: { priority: 'low', owner: 'ada' } });
    await update(id, { metadata: { priority: 'high', verified: true } });
    expect((await read(id)).metadata).toEqual({ priority: 'high', owner: 'ada', verified: true });
    await update(id, { metadata: { owner: null } });
    expect((await read(id)).metadata).toEqual({ priority: 'high', verified: true });
    await update(id, { metadata: { fresh: 1 }, replace_metadata: true });
    expect((await read(id)).metadata).toEqual({ fresh: 1 });
  });

  test('expected_version refuses a change on top of somebody elses', async () => {
    const id = await app.store('Contested');
    await update(id, { tags: ['first'], expected_version: 1 });
    expect(await app.refusal('update_memory', { memory_id: id, tags: ['second'], expected_version: 1 })).toMatchObject({
      code: 'conflict',
      details: { memory_id: id, expected_version: 1, version: 2 },
    });
    expect(await app.refusal('update_memory', { memory_id: id, undo: true, expected_version: 1 })).toMatchObject({
      code: 'conflict',
    });
    expect((await read(id)).tags).toEqual(['first']);
  });

  test('of two at once with the same expected_version one wins', async () => {
    const id = await app.store('Raced');
    const outcomes = await Promise.allSettled(
      ['a', 'b'].map((tag) => update(id, { tags: [tag], expected_version: 1 })),
    );
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await read(id)).version).toBe(2);
  });

  test('to the text of another memory is a conflict that names it', async () => {
    const other = await app.store('Taken text');
    const id = await app.store('Free text');
    expect(await app.refusal('update_memory', { memory_id: id, content: 'Taken text' })).toMatchObject({
      code: 'conflict',
      details: { memory_id: other },
    });
  });

  test('redacts as storing does', async () => {
    const secret = `ghp_${'zY3dE5gH7j'.repeat(3)}kL9mN1`;
    const id = await app.store('Runner');
    const answer = await update(id, { content: `Runner uses ${secret}`, metadata: { token: secret } });
    expect(answer.redacted.length).toBeGreaterThanOrEqual(2);
    expect(JSON.stringify(await read(id, { include_history: true }))).not.toContain(secret);
  });

  test.each([
    ['nothing to change', {}],
    ['undo together with a field', { undo: true, tags: ['x'] }],
  ])('%s is refused', async (_what, fields) => {
    const id = await app.store('Refusals');
    expect(await app.refusal('update_memory', { memory_id: id, ...fields })).toMatchObject({ code: 'invalid_input' });
  });
});

describe('undo', () => {
  test('goes back one change at a time, to the first version, and can itself be followed by changes', async () => {
    const id = await app.store('one', { tags: ['t1'] });
    await update(id, { content: 'two', context: 'ctx' });
    await update(id, { content: 'three', tags: ['t3'] });
    await update(id, { undo: true });
    expect(await read(id)).toMatchObject({ content: 'two', context: 'ctx', tags: ['t1'], version: 4 });
    await update(id, { content: 'four' });
    await update(id, { undo: true });
    expect(await read(id)).toMatchObject({ content: 'two' });
    await update(id, { undo: true });
    expect(await read(id)).toMatchObject({ content: 'one', context: null, tags: ['t1'] });
    expect(await app.refusal('update_memory', { memory_id: id, undo: true })).toMatchObject({ code: 'conflict' });
    const { history } = await read(id, { include_history: true });
    expect(history).toHaveLength(6);
    expect((await app.call('search_memories', { query: 'one' })).results[0].memory_id).toBe(id);
  });

  test('takes back what was written, not a deletion and recovery or a replacement in between', async () => {
    const id = await app.store('Alpha runs on host-1');
    await update(id, { content: 'Alpha runs on host-2' });
    await app.call('delete_memory', { memory_id: id });
    await app.call('recover_deleted_memory', { memory_id: id });
    const next = await app.store('Alpha runs on host-3', { supersedes: id });
    await update(id, { undo: true });
    expect(await read(id)).toMatchObject({ content: 'Alpha runs on host-1', superseded_by: next });
  });
});

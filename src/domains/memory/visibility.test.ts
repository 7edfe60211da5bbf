// Who sees what: private memories of one user reach no answer, count, hint or error of another.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, DAY_MS, openApp } from '../../../test/support/open-app.ts';
import { memoryOperations } from './operations/index.ts';

const BOB = { user: 'bob' };
const WORD = 'marzipanfactory';

let app: App;
/** Ids of ada's private memories: living, replaced, deleted. */
let hidden: string[];
let shared: string;

beforeAll(async () => {
  app = await openApp({ retention: [{ tag: 'scratch', max_age_days: 3 }] });
  const fields = {
    tags: [WORD, 'scratch'],
    project: WORD,
    project_id: WORD,
    session_id: WORD,
    metadata: { [WORD]: WORD },
  };
  const living = await app.store(
    `The ${WORD} cluster has its own credentials rotation schedule every Wednesday`,
    fields,
  );
  const replaced = await app.store(`The ${WORD} gate opens at six`, { ...fields, sequence: 1 });
  const current = await app.store(`The ${WORD} gate opens at seven`, { ...fields, sequence: 2, supersedes: replaced });
  const deleted = await app.store(`The ${WORD} pump is off`, fields);
  await app.call('delete_memory', { memory_id: deleted, reason: WORD });
  hidden = [living, replaced, current, deleted];
  shared = await app.store('The status page is public', { scope: 'shared' });
  await app.store('Bobs own note', {}, BOB);
});
afterAll(() => app[Symbol.asyncDispose]());

/** Inputs with which bob looks for what he must not see, by operation. */
const probes = (): Record<string, object[]> => ({
  store_memory: [
    { content: `The ${WORD} cluster has its own credentials rotation schedule every month`.replace(WORD, 'other') },
  ],
  search_memories: [
    { query: 'credentials rotation schedule cluster' },
    { query: 'gate opens', include_superseded: true, neighbours: 5, explain: true },
    { query: '', limit: 200, max_tokens: 100_000, include_superseded: true },
    { tags: [WORD] },
    { project: WORD },
    { project_id: WORD },
    { session_id: WORD },
  ],
  retrieve_memory: hidden.map((memory_id) => ({ memory_id, include_history: true })),
  update_memory: hidden.map((memory_id) => ({ memory_id, tags: ['mine'] })),
  get_recent_memories: [{ hours: 1000, limit: 500 }],
  get_memory_stats: [{}, { project: WORD }],
  get_project_memories: [{ project: WORD }, { project_id: WORD }],
  get_machine_context: [{}],
  list_memory_sources: [{}],
  import_conversation: [{ conversation_text: 'User: is there a gate?\nAssistant: I do not know of one.' }],
  delete_memory: hidden.flatMap((memory_id) => [{ memory_id }, { memory_id, hard_delete: true }]),
  bulk_delete_memories: [{ tags: [WORD] }, { date_from: '2020-01-01' }, { project: WORD, confirm: true }],
  recover_deleted_memory: hidden.map((memory_id) => ({ memory_id })),
  list_deleted_memories: [{ limit: 500 }],
  detect_duplicate_memories: [{ threshold: 0.5, limit: 500 }],
  merge_duplicate_memories: hidden.map((memory_id_1) => ({ memory_id_1, memory_id_2: shared })),
  cleanup_expired_deletions: [{}],
});

/** What an answer says, without the ids and words that bob himself sent. */
const said = async (operation: string, input: object) => {
  const result = await app.runtime.executor
    .execute(operation, input, {
      principal: { user_id: 'bob', agent_id: 'tester', machine_id: 'test-machine' },
      session: { key: 'ses_bob', transport: 'cli' },
      request_id: 'req',
      signal: new AbortController().signal,
      reportProgress: () => {},
    })
    .catch((error: unknown) => error);
  return JSON.stringify(result);
};

test('every operation is probed', () => {
  expect(new Set(Object.keys(probes()))).toEqual(new Set(memoryOperations.map((operation) => operation.name)));
});

test.each(memoryOperations.map((operation) => operation.name))('%s says nothing of them', async (operation) => {
  const before = await app.rows("select * from memories where user_id = 'ada' order by row_id");
  for (const input of probes()[operation] ?? []) {
    const answer = await said(operation, input);
    const sent = JSON.stringify(input);
    for (const id of hidden) if (!sent.includes(id)) expect(answer).not.toContain(id);
    if (!sent.includes(WORD)) expect(answer).not.toContain(WORD);
    expect(answer).not.toContain('Wednesday');
    expect(answer).not.toContain('gate opens');
  }
  expect(await app.rows("select * from memories where user_id = 'ada' order by row_id")).toEqual(before);
});

describe('numbers', () => {
  test('count only what may be seen', async () => {
    const stats = await app.call('get_memory_stats', {}, BOB);
    const { results } = await app.call('search_memories', { limit: 200, max_tokens: 100_000 }, BOB);
    expect(stats).toMatchObject({ total: results.length, deleted: 0 });
    expect(stats.vectors_pending).toBeLessThanOrEqual(results.length);
    expect((await app.call('get_machine_context', {}, BOB)).memories_here).toBe(results.length);
    expect((await app.call('list_memory_sources', {}, BOB)).sources).toMatchObject([{ memories: results.length }]);
    const duplicates = await app.call('detect_duplicate_memories', { threshold: 0.5 }, BOB);
    expect(duplicates.examined).toBeLessThanOrEqual(results.length);
  });

  test('of the clean-up are those of the caller', async () => {
    await using other = await openApp({ retention: [{ tag: 'old', max_age_days: 1 }] });
    await other.store('Ada old', { tags: ['old'] });
    const gone = await other.store('Ada gone');
    await other.call('delete_memory', { memory_id: gone });
    other.clock.advance(31 * DAY_MS);
    expect(await other.call('cleanup_expired_deletions', {}, BOB)).toMatchObject({ purged: 0, retired: 0 });
    expect(await other.call('cleanup_expired_deletions')).toMatchObject({ purged: 1, retired: 1 });
  });
});

test('absent, deleted and hidden memories are not told apart', async () => {
  const answers = await Promise.all(
    [...hidden, 'mem_none'].flatMap((memory_id) =>
      ['retrieve_memory', 'delete_memory', 'recover_deleted_memory'].map(async (operation) => {
        const { code, message, hint } = await app.refusal(operation, { memory_id }, BOB);
        return JSON.stringify({ operation, code, message: message.replace(memory_id, 'X'), hint });
      }),
    ),
  );
  expect(new Set(answers).size).toBe(3);
});

describe('shared memories', () => {
  test('are seen by everybody and changed by their owner alone', async () => {
    expect(await app.call('retrieve_memory', { memory_id: shared }, BOB)).toMatchObject({ user_id: 'ada' });
    expect((await app.call('search_memories', { query: 'status page', scope: 'shared' }, BOB)).results).toMatchObject([
      { memory_id: shared },
    ]);
    for (const [operation, input] of [
      ['update_memory', { tags: ['x'] }],
      ['update_memory', { undo: true }],
      ['delete_memory', {}],
      ['delete_memory', { hard_delete: true }],
    ] as const)
      expect(await app.refusal(operation, { memory_id: shared, ...input }, BOB)).toMatchObject({ code: 'forbidden' });
    expect((await app.call('search_memories', { query: 'status page' }, BOB)).results).toEqual([]);
    const { count } = await app.call('bulk_delete_memories', { date_from: '2020-01-01', confirm: true }, BOB);
    expect(count).toBeGreaterThan(0);
    expect(await app.call('retrieve_memory', { memory_id: shared })).toMatchObject({ version: 1 });
  });

  test('stored by two people are one memory', async () => {
    const again = await app.call('store_memory', { content: 'The status page is public', scope: 'shared' }, BOB);
    expect(again).toMatchObject({ memory_id: shared, created: false });
  });

  test('do not show what they said while they were private', async () => {
    const id = await app.store('Draft: we blame the vendor');
    await app.call('update_memory', { memory_id: id, content: 'Final: a cable was loose' });
    await app.call('update_memory', { memory_id: id, scope: 'shared' });
    await app.call('update_memory', { memory_id: id, content: 'Final: a cable was loose in rack 4' });
    const history = async (caller: object) =>
      (await app.call('retrieve_memory', { memory_id: id, include_history: true }, caller)).history as {
        content: string;
      }[];
    expect((await history(BOB)).map((entry) => entry.content)).toEqual(['Final: a cable was loose']);
    expect(await history({})).toHaveLength(3);
  });

  test('made private again are gone for the others, and what they replaced is back', async () => {
    const old = await app.store('Lunch is at twelve', { scope: 'shared' });
    const now = await app.store('Lunch is at one', { scope: 'shared', supersedes: old });
    const bobFinds = async () => {
      const { results } = await app.call('search_memories', { query: 'lunch', scope: 'shared' }, BOB);
      return results.map((row: { memory_id: string }) => row.memory_id);
    };
    expect(await bobFinds()).toEqual([now]);
    await app.call('update_memory', { memory_id: now, scope: 'solo' });
    expect(await bobFinds()).toEqual([old]);
  });
});

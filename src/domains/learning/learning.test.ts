// What happened becomes memories: once each, as their author's, also where the process that reported it died.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { testStore } from '../../../test/support/test-store.ts';
import { virtualClock } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { OperationContext, Principal, TeamCapability } from '../../kernel/operation.ts';
import { createInProcessCoordination } from '../../storage/coordination/in-process.ts';
import type { LeaseStore } from '../../storage/coordination/port.ts';
import { openDatabase } from '../../storage/database.ts';
import { createEmbedder } from '../../storage/embedding/index.ts';
import { createMemory, type MemoryTables, redactSecrets } from '../memory/index.ts';
import { createLearning } from './learning.ts';
import type { LearningTables } from './tables.ts';
import type { LearningEvent } from './types.ts';

const ADA: Principal = { user_id: 'ada', agent_id: 'search-1', machine_id: 'elastic1' };
const DONE: LearningEvent = {
  kind: 'task.done',
  entity: 'task',
  entity_id: 'task_1',
  place: { scope: 'solo', team_id: null },
  project_id: 'proj_1',
  title: 'Done: raise the heap of the search nodes',
  content: 'Half of the memory for the heap, the other half for the page cache.',
  category: 'infrastructure',
  tags: ['learned', 'elasticsearch'],
  importance: 0.6,
  facts: { fencing_token: 3 },
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A directory for a store, removed after the test. */
function newPlace(): { data_dir: string; clock: ReturnType<typeof virtualClock> } {
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-learning-'));
  closing.push(async () => rmSync(data_dir, { recursive: true, force: true }));
  return { data_dir, clock: virtualClock() };
}

/** One process of the store in a directory. */
async function openProcess({ data_dir, clock } = newPlace()) {
  const { postgres: target, leave } = await testStore(data_dir);
  const postgres = target && { ...target };
  const store = await openDatabase({ data_dir, machine_id: 'hub', synchronous: 'NORMAL', postgres, clock });
  const leases = { acquire: async () => undefined } as unknown as LeaseStore;
  const memory = createMemory({
    store,
    embedder: createEmbedder({ provider: 'none' }, {}),
    cache: createInProcessCoordination({ leases, clock, member_id: 'test' }).cache,
    redact: redactSecrets,
    retention: [],
    changed: () => {},
    longLived: false,
    onError: () => {},
  });
  const said: string[] = [];
  const learning = createLearning({ store, memory: memory.deps, onError: (_error, message) => said.push(message) });
  closing.push(async () => {
    await memory.follower.stop();
    await store.close();
    await leave();
  });
  const tables = store.withTables<LearningTables & MemoryTables>();
  return {
    ...{ learning, said, store: tables, memory },
    report: (event: LearningEvent, actor = ADA) => tables.write((trx) => learning.report(trx, actor, event)),
    waiting: () => tables.db.selectFrom('learning_events').selectAll().orderBy('event_id').execute(),
    memories: () => tables.db.selectFrom('memories').selectAll().orderBy('row_id').execute(),
  };
}

function contextOf(principal: Principal, mode?: OperationContext['mode']): OperationContext {
  return {
    principal,
    ...(mode ? { mode } : {}),
    session: { key: 'ses_test', transport: 'internal' },
    request_id: 'req_test',
    signal: new AbortController().signal,
    reportProgress: () => {},
  };
}

test('an event becomes one memory with all that it came from', async () => {
  const here = await openProcess();
  await here.report(DONE);
  const [event] = await here.waiting();
  const stored = await here.learning.settle();
  const [memory, ...others] = await here.memories();
  expect(others).toEqual([]);
  expect(stored.get('task_1')).toBe(memory!.memory_id);
  expect(memory).toMatchObject({
    content: `${DONE.title}\n\n${DONE.content}`,
    category: 'infrastructure',
    tags: '["learned","elasticsearch"]',
    scope: 'solo',
    importance: 0.6,
    source: 'task',
    external_id: `learned:${event!.event_id}`,
    project_id: 'proj_1',
    occurred_at: event!.created_at,
    ...ADA,
  });
  expect(JSON.parse(memory!.metadata)).toEqual({
    ...{ kind: 'task.done', task_id: 'task_1', project_id: 'proj_1', fencing_token: 3 },
    ...{ agent_id: 'search-1', machine_id: 'elastic1' },
  });
  expect(await here.waiting()).toEqual([]);
  expect(here.said).toEqual([]);
});

test('what was undone is not learned', async () => {
  const here = await openProcess();
  const undone = here.store.write(async (trx) => {
    await here.learning.report(trx, ADA, DONE);
    throw new Error('the task could not be written');
  });
  await expect(undone).rejects.toThrow('could not be written');
  expect((await here.learning.settle()).size).toBe(0);
  expect(await here.memories()).toEqual([]);
});

test('a memory of a team is its member’s, and another process makes it after the first one died', async () => {
  const place = newPlace();
  const first = await openProcess(place);
  const second = await openProcess(place);
  await first.report({ ...DONE, place: { scope: 'team', team_id: 'team_1' } });
  // While the one that reported it may be at it, nobody else is.
  expect((await second.learning.settle()).size).toBe(0);
  place.clock.advance(31_000);
  const stored = await second.learning.settle();
  const [memory] = await second.memories();
  expect(memory).toMatchObject({ memory_id: stored.get('task_1'), scope: 'team', team_id: 'team_1', ...ADA });
  // The first one was only slow.
  await first.learning.settle();
  expect(await first.memories()).toHaveLength(1);
  expect(await first.waiting()).toEqual([]);
});

test('a memory that was stored and whose event was left behind is not stored again', async () => {
  const place = newPlace();
  const here = await openProcess(place);
  await here.report(DONE);
  const [event] = await here.waiting();
  const first = (await here.learning.settle()).get('task_1');
  // The process died between the two commits: the event is still there, and its claim is over.
  await here.store.write((trx) =>
    trx
      .insertInto('learning_events')
      .values({ ...event!, attempts: 1 })
      .execute(),
  );
  place.clock.advance(60_000);
  expect((await here.learning.settle()).get('task_1')).toBe(first);
  expect(await here.memories()).toHaveLength(1);
  expect(await here.waiting()).toEqual([]);
});

test('calls that settle at once get their own memories, and each event makes one', async () => {
  const place = newPlace();
  const processes = [await openProcess(place), await openProcess(place)];
  const ids = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const { learning, report } = processes[i % 2]!;
      await report({ ...DONE, entity_id: `task_${i}`, content: `Lesson ${i}` });
      return (await learning.settle()).get(`task_${i}`);
    }),
  );
  expect(new Set(ids).size).toBe(40);
  expect(ids).not.toContain(undefined);
  const memories = await processes[0]!.memories();
  expect(memories.map(({ memory_id }) => memory_id).toSorted()).toEqual(ids.toSorted());
});

test('what cannot be stored is tried with growing pauses, then stays and is told', async () => {
  const place = newPlace();
  const here = await openProcess(place);
  await here.report({ ...DONE, category: 'weather' });
  await here.report({ ...DONE, entity_id: 'task_2', content: 'Not held up by it.' });
  const attempts: number[] = [];
  for (let round = 0; round < 20; round++) {
    await here.learning.settle();
    attempts.push((await here.waiting())[0]!.attempts);
    await here.learning.settle();
    expect((await here.waiting())[0]!.attempts).toBe(attempts.at(-1));
    place.clock.advance(24 * 60 * 60 * 1000);
  }
  expect((await here.memories()).map(({ content }) => content)).toEqual([`${DONE.title}\n\nNot held up by it.`]);
  expect(attempts.at(-1)).toBe(limits.learning_attempts_max_count);
  expect(here.said).toHaveLength(limits.learning_attempts_max_count);
  expect(here.said.at(-1)).toMatch(/task task_1 could not be stored in 8 attempts; it stays as evt_/);
});

test('related knowledge is what the caller may see, procedures before the rest on near ties', async () => {
  const here = await openProcess();
  const capabilities = new Set<TeamCapability>(['memory.read', 'memory.write']);
  const team = { team_id: 'team_1', team_name: 'Search', role: 'member', capabilities } as const;
  const bob: Principal = { user_id: 'bob', agent_id: 'bob-1', machine_id: 'laptop', teams: [team] };
  const inTeam = { scope: 'team', team_id: 'team_1' } as const;
  const lesson = (entity_id: string, changes: Partial<LearningEvent>, actor = ADA) =>
    here.report({ ...DONE, project_id: null, entity_id, title: 'Restart of elasticsearch', ...changes }, actor);
  await lesson('private', { content: 'Ada keeps her notes on shards here.' });
  await lesson('team', { content: 'Shards recover slowly without delayed allocation.', place: inTeam });
  await lesson('runbook', { content: 'Disable allocation, stop, start, enable.', place: inTeam, category: 'runbooks' });
  await lesson('shared', { content: 'Cluster health has to be green.', place: { scope: 'shared', team_id: null } });
  await lesson('own', { content: 'Bob restarts on Sundays.' }, bob);
  const stored = await here.learning.settle();
  const named = new Map([...stored].map(([entity_id, memory_id]) => [memory_id, entity_id]));
  const ask = async (ctx: OperationContext, how: Partial<Parameters<typeof here.learning.related>[2]> = {}) => {
    const found = await here.learning.related('restart elasticsearch', ctx, { limit: 10, semantic: false, ...how });
    return found.map(({ memory_id }) => named.get(memory_id)).toSorted();
  };
  expect(await ask(contextOf(bob, { mode: 'team', context_id: 'team_1' }))).toEqual([
    'own',
    'runbook',
    'shared',
    'team',
  ]);
  expect(await ask(contextOf(bob))).toEqual(['own', 'shared']);
  expect(await ask(contextOf(bob), { team_id: 'team_1' })).toEqual(['own', 'runbook', 'shared', 'team']);
  expect(await ask(contextOf({ ...bob, teams: [] }), { team_id: 'team_1' })).toEqual(['own', 'shared']);
  // The full search, here without a model, looks in the same places.
  expect(await ask(contextOf(bob), { team_id: 'team_1', semantic: true })).toEqual([
    'own',
    'runbook',
    'shared',
    'team',
  ]);
  const how = { limit: 1, semantic: false, team_id: 'team_1' };
  const [best] = await here.learning.related('restart elasticsearch', contextOf(bob), how);
  expect(best).toMatchObject({ category: 'runbooks', score: expect.any(Number), agent_id: 'search-1' });
  expect(await here.learning.related('zeppelin hangar', contextOf(bob), how)).toEqual([]);
  expect(await here.learning.related('  ', contextOf(bob), how)).toEqual([]);
  const credential = { kind: 'token', admin: false, scopes: ['task.write'] } as const;
  expect(await here.learning.related('restart elasticsearch', contextOf({ ...bob, credential }), how)).toEqual([]);
});

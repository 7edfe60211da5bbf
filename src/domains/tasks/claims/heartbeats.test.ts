// Signs of life that are written a few seconds late: they keep claims, and what is only connected does not keep them for ever.
import { describe, expect, test } from 'vitest';
import { type App, type CallerOptions, contextOf, openApp } from '../../../../test/support/open-app.ts';
import { limits } from '../../../kernel/limits.ts';

const SECOND_MS = 1_000;
const { agent_attended_max_ms, agent_heartbeat_flush_ms } = limits;

const http = (agent: string, session: string): CallerOptions => ({ user: 'ada', agent, session, transport: 'http' });
const ADA = http('claude-code', 'ses_ada');
const OTHER = http('codex', 'ses_other');

/** Ada's agent holds a task for a minute at a time. */
async function holding(app: App, lease_seconds = 60): Promise<{ task_id: string; fencing_token: number }> {
  await app.call('register_agent', { role: 'lead' }, ADA);
  const { task } = await app.call('create_kanban_task', { title: 'Rotate the logs' }, ADA);
  const { fencing_token } = await app.call('claim_next', { task_id: task.task_id, lease_seconds }, ADA);
  return { task_id: task.task_id, fencing_token };
}

const stillHere = (app: App) => {
  const { principal, session } = contextOf('test-machine', ADA);
  return app.runtime.stillHere({ principal, session });
};
const lease = async (app: App) => (await app.rows('select lease_expires_at, holder_session from tasks'))[0];
const roster = (app: App) => app.call('get_agent_roster', {}, OTHER);

describe('a call shortly before the end keeps the claim', () => {
  test('though it is not written yet when somebody else looks for work', async () => {
    await using app = await openApp();
    const { task_id, fencing_token } = await holding(app);
    app.clock.advance(58 * SECOND_MS);
    await app.call('list_kanban_tasks', {}, ADA);
    app.clock.advance(3 * SECOND_MS);
    expect(await app.call('claim_next', {}, OTHER)).toMatchObject({ task: null });
    await app.call('update_kanban_task', { task_id, progress: 50, fencing_token }, ADA);
    // From the call that kept it, then from the write: not from when it was written.
    expect(await lease(app)).toMatchObject({
      lease_expires_at: new Date(app.clock.now() + 60 * SECOND_MS).toISOString(),
    });
  });

  test('and the holder’s own late write is counted from it', async () => {
    await using app = await openApp();
    const { task_id, fencing_token } = await holding(app);
    app.clock.advance(58 * SECOND_MS);
    await app.call('get_mode', {}, ADA);
    app.clock.advance(3 * SECOND_MS);
    expect(await app.call('update_kanban_task', { task_id, progress: 50, fencing_token }, ADA)).toMatchObject({
      task: { progress: 50 },
    });
  });

  test('also where another process heard it, for as long as that takes to write', async () => {
    await using app = await openApp();
    const there = await openApp({ data_dir: app.data_dir, clock: app.clock });
    const { task_id } = await holding(there);
    app.clock.advance(60 * SECOND_MS - 1);
    await there.call('get_mode', {}, ADA);
    app.clock.advance(agent_heartbeat_flush_ms);
    expect(await app.call('claim_next', {}, OTHER)).toMatchObject({ task: null });
    // It writes what it noted before it ends.
    await there[Symbol.asyncDispose]();
    app.clock.advance(50 * SECOND_MS);
    expect(await app.call('claim_next', {}, OTHER)).toMatchObject({ task: null });
    app.clock.advance(30 * SECOND_MS);
    expect(await app.call('claim_next', {}, OTHER)).toMatchObject({ task: { task_id } });
  });
});

test('a call after the end brings nothing back', async () => {
  await using app = await openApp();
  const { task_id, fencing_token } = await holding(app);
  app.clock.advance(60 * SECOND_MS);
  await app.call('get_mode', {}, ADA);
  expect(await app.refusal('update_kanban_task', { task_id, progress: 1, fencing_token }, ADA)).toMatchObject({
    code: 'conflict',
  });
  expect(await app.call('claim_next', {}, OTHER)).toMatchObject({ task: { task_id } });
});

test('a session that registered another role keeps what it took in its first', async () => {
  await using app = await openApp();
  await holding(app);
  await app.call('register_agent', { role: 'second' }, ADA);
  app.clock.advance(50 * SECOND_MS);
  await app.call('get_mode', {}, ADA);
  await roster(app);
  expect(await lease(app)).toEqual({
    lease_expires_at: new Date(app.clock.now() + 60 * SECOND_MS).toISOString(),
    holder_session: ADA.session,
  });
});

describe('a client that is only connected', () => {
  /** A minute passes in which it calls nothing. */
  async function minute(app: App): Promise<void> {
    app.clock.advance(60 * SECOND_MS);
    await stillHere(app);
    await roster(app);
  }

  test('keeps its claims for an hour after its latest call, and is there all the while', async () => {
    await using app = await openApp();
    const { task_id } = await holding(app, 120);
    const minutes = agent_attended_max_ms / (60 * SECOND_MS);
    for (let i = 0; i < minutes; i++) await minute(app);
    const last = new Date(app.clock.now() + 120 * SECOND_MS).toISOString();
    expect(await lease(app)).toMatchObject({ lease_expires_at: last });
    await minute(app);
    expect(await lease(app)).toMatchObject({ lease_expires_at: last });
    await minute(app);
    const { agents } = await roster(app);
    expect(agents).toMatchObject([{ status: 'active', last_seen_at: new Date(app.clock.now()).toISOString() }]);
    expect(await app.call('claim_next', {}, OTHER)).toMatchObject({ task: { task_id } });
  });

  test('has an hour again after each call, wherever that came in', async () => {
    await using app = await openApp();
    await using there = await openApp({ data_dir: app.data_dir, clock: app.clock });
    await holding(app, 120);
    for (let i = 0; i < 59; i++) await minute(app);
    await there.call('get_mode', {}, ADA);
    await roster(there);
    for (let i = 0; i < 30; i++) await minute(app);
    expect(await lease(app)).toMatchObject({
      lease_expires_at: new Date(app.clock.now() + 120 * SECOND_MS).toISOString(),
    });
  });
});

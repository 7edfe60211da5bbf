// Whose claim it is: not that of whoever looks alike, and not another process's of the same agent while that is at work.
import { expect, test } from 'vitest';
import {
  type Answer,
  type App,
  type CallerOptions,
  contextOf,
  openApp,
  refusalOf,
} from '../../../../test/support/open-app.ts';
import { limits } from '../../../kernel/limits.ts';

const ADA: CallerOptions = { user: 'ada', agent: 'claude-code', session: 'ses_ada', transport: 'http' };
const AGAIN: CallerOptions = { ...ADA, session: 'ses_ada_again' };
const SCRIPT: CallerOptions = { user: 'ada', agent: 'curl', session: 'ses_derived', transport: 'rest' };

/** A call of a session that was neither named nor connected. */
async function derived(app: App, operation: string, input: object): Promise<Answer> {
  const ctx = contextOf('test-machine', SCRIPT);
  const session = { ...ctx.session, derived: true };
  return (await app.runtime.executor.execute(operation, input, { ...ctx, session })).output as Answer;
}

const make = async (app: App, title: string): Promise<string> =>
  (await app.call('create_kanban_task', { title }, ADA)).task.task_id;

test('scripts that look alike need the token to write what only the holder may', async () => {
  await using app = await openApp();
  const task_id = await make(app, 'Rotate the logs');
  const { fencing_token } = await derived(app, 'claim_next', { task_id, lease_seconds: 60 });
  for (const [operation, input] of [
    ['update_kanban_task', { task_id, status: 'done', resolution: 'By the other script.' }],
    ['claim_next', { task_id }],
    ['delete_kanban_task', { task_id }],
  ] as const)
    expect(await refusalOf(derived(app, operation, input))).toMatchObject({ code: 'conflict' });
  const seen = await derived(app, 'get_kanban_task', { task_id });
  expect(seen.claim).toMatchObject({ own: false, fencing_token: null });
  const done = await derived(app, 'update_kanban_task', { task_id, status: 'done', resolution: 'x', fencing_token });
  expect(done.task.status).toBe('done');
});

test('one that takes a task up by its status is told the token', async () => {
  await using app = await openApp();
  const task_id = await make(app, 'Rotate the logs');
  const { fencing_token } = await derived(app, 'update_kanban_task', { task_id, status: 'in_progress' });
  expect(await derived(app, 'update_kanban_task', { task_id, progress: 5, fencing_token })).toMatchObject({
    task: { progress: 5 },
  });
});

test('an agent’s task is not taken from another session of it that is at work', async () => {
  await using app = await openApp();
  for (const caller of [ADA, AGAIN]) await app.call('register_agent', { role: 'lead' }, caller);
  const task_id = await make(app, 'Rotate the logs');
  const first = await app.call('claim_next', { task_id }, ADA);
  app.clock.advance(limits.agent_active_ms);
  const refused = await app.refusal('claim_next', { task_id }, AGAIN);
  expect(refused).toMatchObject({ code: 'conflict', message: expect.stringContaining('Another session of yours') });
  // A sign of life that only this process knows of counts as well.
  await app.call('get_mode', {}, ADA);
  app.clock.advance(1);
  expect(await app.refusal('claim_next', { task_id }, AGAIN)).toMatchObject({ code: 'conflict' });
  const progress = { task_id, progress: 10, fencing_token: first.fencing_token };
  expect(await app.call('update_kanban_task', progress, ADA)).toMatchObject({ task: { progress: 10 } });
  app.clock.advance(limits.agent_active_ms + 1);
  const second = await app.call('claim_next', { task_id }, AGAIN);
  expect(second.fencing_token).toBeGreaterThan(first.fencing_token);
  expect(await app.refusal('update_kanban_task', progress, ADA)).toMatchObject({ code: 'conflict' });
});

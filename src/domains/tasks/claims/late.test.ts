// Whose word counts: a token is its holder's alone, and a session whose claim ended does not write on as if it held it.
import { expect, test } from 'vitest';
import { type App, type CallerOptions, openApp } from '../../../../test/support/open-app.ts';

const caller = (user: string, agent: string, session = `ses_${agent}`): CallerOptions => ({
  ...{ user, agent, session },
  transport: 'http',
});
const ADA = caller('ada', 'claude-code');
const BOB = caller('bob', 'cursor');

const make = async (app: App, fields: object = {}): Promise<string> =>
  (await app.call('create_kanban_task', { title: 'Rotate the logs', ...fields }, ADA)).task.task_id;

test('history shows no token, and the token of another is worth nothing', async () => {
  await using app = await openApp();
  const task_id = await make(app, { scope: 'shared' });
  const { fencing_token } = await app.call('claim_next', { task_id }, ADA);
  await app.call('update_kanban_task', { task_id, comment: 'begun', fencing_token }, ADA);
  const { claim, history } = await app.call('get_kanban_task', { task_id }, BOB);
  expect(claim).toMatchObject({ holder_agent_id: 'claude-code', fencing_token: null });
  expect(JSON.stringify(history)).not.toContain('fencing_token');
  // Guessed, from another user, whatever they call themselves.
  for (const other of [BOB, caller('bob', 'claude-code', 'ses_copy'), caller('ada', 'other')]) {
    const write = { task_id, progress: 77, fencing_token };
    expect(await app.refusal('update_kanban_task', write, other)).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('claude-code holds task'),
    });
  }
  const away = { task_id, unassign: true, fencing_token };
  expect(await app.refusal('assign_kanban_task', away, BOB)).toMatchObject({ code: 'forbidden' });
  // The agent itself, from another session.
  const again = caller('ada', 'claude-code', 'ses_script');
  expect((await app.call('update_kanban_task', { task_id, progress: 78, fencing_token }, again)).task.progress).toBe(
    78,
  );
  expect(await app.call('assign_kanban_task', away, again)).toMatchObject({ taken_from: 'claude-code' });
});

const LATE = [{ progress: 90 }, { resolution: 'late' }, { status: 'done' }, { status: 'cancelled' }];

test('a session whose lease ended writes nothing of the holder’s until it claims the task again', async () => {
  await using app = await openApp();
  const task_id = await make(app);
  await app.call('claim_next', { task_id, lease_seconds: 60 }, ADA);
  app.clock.advance(60_000);
  for (const late of LATE)
    expect(await app.refusal('update_kanban_task', { task_id, ...late }, ADA)).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('has ended'),
      hint: expect.stringContaining('claim_next'),
    });
  await app.call('update_kanban_task', { task_id, comment: 'I was late', title: 'Rotate all logs' }, ADA);
  // Others, who never held it, may move it on as any task that is nobody's.
  await app.call('update_kanban_task', { task_id, progress: 5 }, caller('ada', 'other'));
  const { fencing_token } = await app.call('claim_next', { task_id }, ADA);
  await app.call('update_kanban_task', { task_id, status: 'done', resolution: 'in time', fencing_token }, ADA);
});

test('nor until it shows that it has read the task since, and the same where the task was taken away', async () => {
  await using app = await openApp();
  const task_id = await make(app);
  await app.call('claim_next', { task_id }, ADA);
  await app.call('assign_kanban_task', { task_id, unassign: true }, caller('ada', 'lead'));
  for (const late of LATE)
    expect(await app.refusal('update_kanban_task', { task_id, ...late }, ADA)).toMatchObject({ code: 'conflict' });
  const { task } = await app.call('get_kanban_task', { task_id }, ADA);
  const known = { task_id, status: 'cancelled', expected_version: task.version };
  expect((await app.call('update_kanban_task', known, ADA)).task.status).toBe('cancelled');
  // Who gives its own claim up has lost nothing.
  const mine = await make(app);
  await app.call('claim_next', { task_id: mine }, ADA);
  await app.call('assign_kanban_task', { task_id: mine, unassign: true }, ADA);
  await app.call('update_kanban_task', { task_id: mine, progress: 10 }, ADA);
});

// Claims through the public door: who gets a task, for how long, and whose writes count.
import { expect, test } from 'vitest';
import { type Answer, type App, type CallerOptions, openApp } from '../../../../test/support/open-app.ts';

const SECOND_MS = 1_000;
const LEASE_MS = 15 * 60 * SECOND_MS;

const agent = (name: string, more: CallerOptions = {}): CallerOptions => ({
  agent: name,
  session: `ses_${name}`,
  transport: 'http',
  ...more,
});
const ANN = agent('ann');
const BOB = agent('bob');

const make = async (app: App, title: string, fields: object = {}, caller?: CallerOptions): Promise<string> =>
  (await app.call('create_kanban_task', { title, ...fields }, caller)).task.task_id;
const claim = (app: App, caller: CallerOptions, fields: object = {}): Promise<Answer> =>
  app.call('claim_next', fields, caller);
const update = (app: App, task_id: string, fields: object, caller?: CallerOptions): Promise<Answer> =>
  app.call('update_kanban_task', { task_id, ...fields }, caller);
const history = (app: App, task_id: string) =>
  app.rows(
    'select action, from_status, to_status, agent_id, subject_agent_id, comment from task_history where task_id = ? order by version, entry_id',
    task_id,
  );

test('the most urgent ready task comes first, the oldest among equals, and nobody gets it twice', async () => {
  await using app = await openApp();
  const ids: string[] = [];
  for (const [title, priority] of [
    ['low', 'low'],
    ['older', 'high'],
    ['younger', 'high'],
    ['critical', 'critical'],
  ]) {
    ids.push(await make(app, title as string, { priority }));
    app.clock.advance(SECOND_MS);
  }
  const got: string[] = [];
  for (const caller of [ANN, BOB, ANN, BOB]) got.push((await claim(app, caller)).task.title);
  expect(got).toEqual(['critical', 'older', 'younger', 'low']);
  const nothing = await claim(app, ANN);
  expect(nothing).toMatchObject({ task: null, fencing_token: null, why: 'Nothing to claim: 4 are in progress.' });
});

test('a claim says how long it lasts, how to keep it, and what came before', async () => {
  await using app = await openApp();
  const first = await make(app, 'Find the slow queries');
  const task_id = await make(app, 'Make them fast', { dependencies: [first], tags: 'search' });
  await claim(app, ANN);
  await update(app, first, { status: 'done', resolution: 'Two of them scan all shards.' }, ANN);
  const claimed = await claim(app, BOB, { lease_seconds: 60 });
  expect(claimed).toMatchObject({
    task: { task_id, status: 'in_progress', holder_agent_id: 'bob' },
    fencing_token: 1,
    lease_expires_at: new Date(app.clock.now() + 60 * SECOND_MS).toISOString(),
    renew: expect.stringContaining('within 60 s'),
    before: [{ task_id: first, status: 'done', resolution: 'Two of them scan all shards.' }],
    why: null,
  });
  expect(claimed.related.map(({ content }: { content: string }) => content).join()).toContain('scan all shards');
});

test('a lease that is over is void at that very moment, and the late holder is told who has the task', async () => {
  await using app = await openApp();
  const task_id = await make(app, 'Rotate the logs');
  const { fencing_token } = await claim(app, ANN);
  app.clock.advance(LEASE_MS - 1);
  await update(app, task_id, { progress: 10, fencing_token }, ANN);
  app.clock.advance(LEASE_MS);
  expect(await app.refusal('update_kanban_task', { task_id, progress: 20, fencing_token }, ANN)).toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('it is todo, and nobody holds it'),
  });
  const second = await claim(app, BOB);
  expect(second.task.task_id).toBe(task_id);
  expect(second.fencing_token).toBeGreaterThan(fencing_token);
  for (const late of [{ progress: 30, fencing_token }, { progress: 30 }, { status: 'done', resolution: 'x' }])
    expect(await app.refusal('update_kanban_task', { task_id, ...late }, ANN)).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('bob'),
    });
  expect(await history(app, task_id)).toMatchObject([
    { action: 'created' },
    { action: 'claimed', subject_agent_id: 'ann', to_status: 'in_progress' },
    { action: 'updated' },
    { action: 'lease_expired', subject_agent_id: 'ann', from_status: 'in_progress', to_status: 'todo' },
    { action: 'claimed', subject_agent_id: 'bob' },
  ]);
});

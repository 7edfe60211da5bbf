// Analytics through the public door: from history alone, and of nothing the caller may not see.
import { expect, test } from 'vitest';
import { type App, DAY_MS, openApp } from '../../../../test/support/open-app.ts';

const HOUR_MS = 3_600_000;
const worker = { agent: 'web1-deployer', session: 'ses_worker', transport: 'stdio' } as const;

/** One task made, begun after an hour, blocked for two of its four hours of work, and done. */
async function work(app: App): Promise<string> {
  const { task } = await app.call('create_kanban_task', { title: 'Rotate logs', required_capabilities: ['logs'] });
  const { task_id } = task as { task_id: string };
  const move = (fields: object) => app.call('update_kanban_task', { task_id, ...fields }, worker);
  app.clock.advance(HOUR_MS);
  await app.call('claim_next', { task_id, capabilities: ['logs'], lease_seconds: 86_000 }, worker);
  app.clock.advance(HOUR_MS);
  await move({ status: 'blocked' });
  app.clock.advance(2 * HOUR_MS);
  await app
    .call('claim_next', { task_id, capabilities: ['logs'], lease_seconds: 86_000 }, worker)
    .catch(() => move({ status: 'in_progress' }));
  app.clock.advance(HOUR_MS);
  await move({ status: 'done' });
  return task_id;
}

test('says how long work took, waited and stood still, and who did it', async () => {
  await using app = await openApp();
  await work(app);
  app.clock.advance(DAY_MS);
  const analytics = await app.call('get_task_analytics', { days: 7 });
  expect(analytics).toMatchObject({
    ...{ created: 1, finished: 1, failed: 0, reopened: 0, finished_per_week: 1, open: { count: 0 } },
    lead_time_hours: { count: 1, p50: 5, p85: 5, p95: 5 },
    cycle_time_hours: { count: 1, p50: 4, p85: 4, p95: 4 },
    ...{ blocked_hours: 2, blocked_share: 0.5, flow_efficiency: 0.4 },
    capabilities: [{ capability: 'logs', finished: 1 }],
  });
  expect(analytics.agents).toEqual(
    expect.arrayContaining([expect.objectContaining({ agent_id: 'web1-deployer', created: 0, finished: 1 })]),
  );
  const own = await app.call('get_task_analytics', { days: 7, agent_id: 'web1-deployer' });
  expect(own).toMatchObject({ created: 0, finished: 1 });
  expect(own.agents).toHaveLength(1);
  expect(await app.call('get_task_analytics', { capability: 'none' })).toMatchObject({ created: 0, finished: 0 });
});

test('is made of history rows alone', async () => {
  await using app = await openApp();
  await work(app);
  await app.call('create_kanban_task', { title: 'Open' });
  const before = await app.call('get_task_analytics', { days: 7 });
  await app.rows('delete from task_dependencies');
  await app.rows('delete from tasks');
  expect(await app.call('get_task_analytics', { days: 7 })).toEqual(before);
  expect(before.open).toMatchObject({ count: 1, by_status: [{ status: 'todo', count: 1 }] });
});

test('counts leases that ran out against whom they were held by', async () => {
  await using app = await openApp();
  const { task } = await app.call('create_kanban_task', { title: 'Left alone' });
  await app.call('claim_next', { task_id: task.task_id, lease_seconds: 60 }, worker);
  app.clock.advance(HOUR_MS);
  await app.call('list_kanban_tasks', {});
  const { lease_expiries, agents } = await app.call('get_task_analytics', {});
  expect(lease_expiries).toBe(1);
  expect(agents).toEqual(
    expect.arrayContaining([expect.objectContaining({ agent_id: 'web1-deployer', lease_expiries: 1 })]),
  );
});

test('tells nobody of the work of others, and takes a project by where tasks are now', async () => {
  await using app = await openApp();
  const { project_id } = await app.call('create_project', { name: 'Logs', description: 'Logs of all hosts.' });
  const { task } = await app.call('create_kanban_task', { title: 'Moves', project_id });
  await app.call('create_kanban_task', { title: 'Stays', project_id });
  await app.call('update_kanban_task', { task_id: task.task_id, project_id: null });
  expect((await app.call('get_task_analytics', {})).created).toBe(2);
  expect((await app.call('get_task_analytics', {}, { user: 'zoe' })).created).toBe(0);
  expect((await app.call('get_task_analytics', { project_id })).open.count).toBe(1);
});

test('tasks that ended long ago are not read, and nothing is told otherwise without them', async () => {
  await using app = await openApp();
  await work(app);
  const again = await work(app);
  app.clock.advance(40 * DAY_MS);
  const before = await app.call('get_task_analytics', { days: 7 });
  expect(before).toMatchObject({ finished: 0, open: { count: 0 }, trend: { previous: { finished: 0 } } });
  // Opened again it counts with all its life.
  await app.call('update_kanban_task', { task_id: again, status: 'todo' });
  const after = await app.call('get_task_analytics', { days: 7 });
  expect(after).toMatchObject({ reopened: 1, open: { count: 1, by_status: [{ status: 'todo', blocked_hours: 2 }] } });
  const whole = await app.call('get_task_analytics', { days: 30 });
  expect(whole).toMatchObject({ reopened: 1, finished: 0, trend: { previous: { finished: 2, created: 2 } } });
});

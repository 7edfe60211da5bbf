// Lists of tasks through the public door: filters, orders and their pages, the plan, the workload.
import { expect, test } from 'vitest';
import { type App, openApp } from '../../../../test/support/open-app.ts';

const bob = { user: 'bob', session: 'ses_bob' };

async function make(app: App, title: string, fields: object = {}, caller = {}): Promise<string> {
  app.clock.advance(1_000);
  return (await app.call('create_kanban_task', { title, related_limit: 0, ...fields }, caller)).task.task_id;
}

async function titles(app: App, filter: object = {}, caller = {}): Promise<string[]> {
  const { tasks } = await app.call('list_kanban_tasks', filter, caller);
  return tasks.map((task: { title: string }) => task.title);
}

test('filters, each alone and together', async () => {
  await using app = await openApp();
  const first = await make(app, 'Index the logs', { tags: ['search', '100%'], priority: 'low', due: '2025-12-31' });
  await make(app, 'Wait for the index', { dependencies: [first], required_capabilities: ['elastic_ops'] });
  await make(app, 'Later', { status: 'backlog', priority: 'critical', tags: ['search'] });
  const story = await make(app, 'Story');
  await make(app, 'Part', { parent_id: story, due: '2027-01-01' });
  await make(app, 'hidden', {}, bob);
  expect(await titles(app, { status: 'backlog' })).toEqual(['Later']);
  expect(await titles(app, { status: ['backlog', 'todo'], priority: ['critical', 'low'] })).toEqual([
    'Later',
    'Index the logs',
  ]);
  expect(await titles(app, { tags: ['search'] })).toEqual(['Later', 'Index the logs']);
  expect(await titles(app, { tags: ['search', '100%'] })).toEqual(['Index the logs']);
  expect(await titles(app, { tags: ['sear'] })).toEqual([]);
  expect(await titles(app, { tags: ['1%'] })).toEqual([]);
  expect(await titles(app, { capability: 'elastic_ops' })).toEqual(['Wait for the index']);
  expect(await titles(app, { parent_id: story })).toEqual(['Part']);
  expect(await titles(app, { ready: true })).toEqual(['Part', 'Index the logs']);
  expect(await titles(app, { ready: false })).toEqual(['Later', 'Wait for the index', 'Story']);
  expect(await titles(app, { overdue: true })).toEqual(['Index the logs']);
  expect((await titles(app, { overdue: false })).length).toBe(4);
  expect(await titles(app, { query: 'INDEX the' })).toEqual(['Wait for the index', 'Index the logs']);
  expect(await titles(app, { query: '%' })).toEqual([]);
  app.clock.advance(60_000);
  expect(await titles(app, { created_since: '1m' })).toEqual([]);
  await app.call('update_kanban_task', { task_id: story, comment: 'seen' });
  expect(await titles(app, { updated_since: '30s' })).toEqual(['Story']);
  expect(await titles(app, {}, bob)).toEqual(['hidden']);
});

test.each(['priority', 'created', 'updated', 'due', 'sequence'])(
  'pages by %s leave nothing out and repeat nothing',
  async (order) => {
    await using app = await openApp();
    const priorities = ['low', 'critical', 'medium'];
    for (let i = 0; i < 11; i++)
      await make(app, `t${i}`, {
        priority: priorities[i % 3],
        ...(i % 4 === 0 ? {} : { due: `2026-0${1 + (i % 5)}-01` }),
      });
    const whole = await titles(app, { order, limit: 100 });
    expect(whole.length).toBe(11);
    const paged: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await app.call('list_kanban_tasks', { order, limit: 4, ...(cursor === null ? {} : { cursor }) });
      paged.push(...page.tasks.map((task: { title: string }) => task.title));
      cursor = page.next_cursor;
      // What is done between two pages neither moves the rest nor shows up before.
      if (paged.length === 4)
        await make(app, 'meanwhile', { status: 'backlog', priority: 'critical', due: '2020-01-01' });
    } while (cursor !== null);
    expect(paged.filter((title) => title !== 'meanwhile')).toEqual(whole);
    expect(new Set(paged).size).toBe(paged.length);
  },
);

test('orders are what they are called', async () => {
  await using app = await openApp();
  await make(app, 'a', { priority: 'low', due: '2026-01-03' });
  const b = await make(app, 'b', { priority: 'high' });
  await make(app, 'c', { priority: 'high', due: '2026-01-02' });
  app.clock.advance(1_000);
  await app.call('update_kanban_task', { task_id: b, comment: 'touched' });
  expect(await titles(app)).toEqual(['b', 'c', 'a']);
  expect(await titles(app, { order: 'created' })).toEqual(['c', 'b', 'a']);
  expect(await titles(app, { order: 'updated' })).toEqual(['b', 'c', 'a']);
  expect(await titles(app, { order: 'due' })).toEqual(['c', 'a', 'b']);
  expect(await app.refusal('list_kanban_tasks', { order: 'due', cursor: 'nonsense' })).toMatchObject({
    code: 'invalid_input',
  });
});

test('the plan: stories and tasks without one, tickets below theirs by stage; labels stay with a filter', async () => {
  await using app = await openApp();
  const story = await make(app, 'Story');
  const one = await make(app, 'one', { parent_id: story });
  const two = await make(app, 'two', { parent_id: story, dependencies: [one] });
  const too = await make(app, 'too', { parent_id: story, dependencies: [one], estimate_minutes: 60 });
  await make(app, 'three', { parent_id: story, dependencies: [two, too] });
  await make(app, 'alone', { priority: 'critical' });
  await make(app, 'hidden', {}, bob);
  const plan = async (fields: object = {}) => {
    const { tasks } = await app.call('list_kanban_tasks', { order: 'sequence', ...fields });
    return tasks.map(
      (task: Record<string, unknown>) => `${task.label} ${task.title}${task.critical ? ' *' : ''} ${task.depth}`,
    );
  };
  expect(await plan()).toEqual(['1a alone 0', '1b Story * 0', '1 one * 1', '2a two 1', '2b too * 1', '3 three * 1']);
  expect(await plan({ query: 'two' })).toEqual(['2a two 1']);
  expect(await plan({ parent_id: story, limit: 2 })).toEqual(['1 one * 1', '2a two 1']);
  const text = await app.text('list_kanban_tasks', { order: 'sequence' });
  expect(text).toContain('  2b* ');
  // Where its story is not there to be seen above, a ticket says which one it is of.
  expect(await app.text('list_kanban_tasks', { order: 'sequence', query: 'too' })).toMatch(/^1b\.2b\* /m);
});

test('the workload counts open tasks by agent', async () => {
  await using app = await openApp();
  const mine = { agent: 'worker', session: 'ses_worker' };
  await make(app, 'done later', { due: '2025-01-01' });
  await make(app, 'free');
  const { task } = await app.call('claim_next', {}, mine);
  const { workload, tasks } = await app.call('list_kanban_tasks', { view: 'workload' });
  expect(tasks).toEqual([]);
  expect(workload).toEqual([
    { agent_id: 'worker', held: 1, assigned: 0, overdue: 1, by_status: { in_progress: 1 } },
    { agent_id: null, held: 0, assigned: 0, overdue: 0, by_status: { todo: 1 } },
  ]);
  await app.call('update_kanban_task', { task_id: task.task_id, status: 'done', resolution: 'ok' }, mine);
  expect((await app.call('list_kanban_tasks', { view: 'workload' })).workload.length).toBe(1);
});

test('a claim that is over is over for every reader', async () => {
  await using app = await openApp();
  const worker = { agent: 'worker', session: 'ses_worker', transport: 'stdio' as const };
  await make(app, 'taken');
  await app.call('claim_next', { lease_seconds: 60 }, worker);
  expect(await titles(app, { ready: true })).toEqual([]);
  app.clock.advance(60_000);
  expect(await titles(app, { ready: true, status: 'todo' })).toEqual(['taken']);
});

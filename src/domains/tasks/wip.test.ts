// Limits of work in progress: of a column, of an agent, of a project's own board, and when many come at once.
import { expect, test } from 'vitest';
import { type App, type CallerOptions, openApp } from '../../../test/support/open-app.ts';

const agent = (name: string): CallerOptions => ({ agent: name, session: `ses_${name}`, transport: 'http' });
async function make(app: App, title: string, fields: object = {}): Promise<string> {
  // One after the other, so that the queue has one order.
  app.clock.advance(1);
  return (await app.call('create_kanban_task', { title, related_limit: 0, ...fields })).task.task_id;
}
const claimed = async (app: App, caller: CallerOptions) => (await app.call('claim_next', {}, caller)).task?.title;

test('a full column takes no further task, and the answer says why', async () => {
  await using app = await openApp({ claudeops: { tasks: { wip_limits: { in_progress: 2, review: 1 } } } });
  const ids = [await make(app, 'a'), await make(app, 'b'), await make(app, 'c')];
  expect([await claimed(app, agent('x')), await claimed(app, agent('y'))]).not.toContain(undefined);
  const full = await app.call('claim_next', {}, agent('z'));
  expect(full).toMatchObject({
    task: null,
    why: expect.stringContaining('The solo board has 2 tasks in in_progress, and 2 is the limit'),
  });
  const held = await app.rows("select task_id, holder_agent_id from tasks where status = 'in_progress'");
  const [one, other] = held.map(({ task_id }) => String(task_id));
  const holderOf = (task_id?: string) => agent(String(held.find((row) => row.task_id === task_id)?.holder_agent_id));
  await app.call('update_kanban_task', { task_id: one, status: 'review' }, holderOf(one));
  expect(await app.refusal('update_kanban_task', { task_id: other, status: 'review' }, holderOf(other))).toMatchObject({
    code: 'limit_exceeded',
  });
  expect(await claimed(app, agent('z'))).toBeDefined();
  const left = ids.find((id) => id !== one && id !== other) ?? '';
  expect(await app.rows('select status from tasks where task_id = ?', left)).toEqual([{ status: 'in_progress' }]);
});

test('an agent holds no more than it may; a project says otherwise for its board', async () => {
  await using app = await openApp({ claudeops: { tasks: { agent_wip_limit: 1 } } });
  const { project_id } =
    (await app.call('create_project', { name: 'Harbour', wip_limits: { per_agent: 2 } })).project ?? {};
  await make(app, 'a');
  await make(app, 'b');
  await make(app, 'in the project', { project_id });
  expect(await claimed(app, agent('x'))).toBe('a');
  // The board without a project is closed to it, that of the project is not.
  expect(await claimed(app, agent('x'))).toBe('in the project');
  expect(await app.call('claim_next', {}, agent('x'))).toMatchObject({
    task: null,
    why: expect.stringContaining('x holds 2 tasks, and 1 is the limit'),
  });
  expect(await claimed(app, agent('y'))).toBe('b');
});

test('what a project does not say itself is as configured; an agent is counted over all boards', async () => {
  const settings = { wip_limits: { in_progress: 2, review: 1 }, agent_wip_limit: 2 };
  await using app = await openApp({ claudeops: { tasks: settings } });
  const project = async (name: string, wip_limits?: object) =>
    (await app.call('create_project', { name, ...(wip_limits && { wip_limits }) })).project?.project_id;
  const silent = await project('Silent');
  const wider = await project('Wider', { in_progress: 3 });
  for (let i = 0; i < 4; i++) await make(app, `silent ${i}`, { project_id: silent });
  for (let i = 0; i < 4; i++) await make(app, `wider ${i}`, { project_id: wider });
  const next = (name: string, project_id?: string) => app.call('claim_next', { project_id }, agent(name));
  expect((await next('x', silent)).task?.title).toBe('silent 0');
  expect((await next('y', silent)).task?.title).toBe('silent 1');
  expect(await next('z', silent)).toMatchObject({ task: null, why: expect.stringContaining('2 is the limit') });
  // Its own column is wider; how much one agent holds is as configured, and what it holds elsewhere counts.
  expect((await next('x', wider)).task?.title).toBe('wider 0');
  expect(await next('x', wider)).toMatchObject({ task: null, why: expect.stringContaining('x holds 2 tasks') });
  expect((await next('z', wider)).task?.title).toBe('wider 1');
  expect((await next('z', wider)).task?.title).toBe('wider 2');
  expect(await next('y', wider)).toMatchObject({ task: null, why: expect.stringContaining('3 is the limit') });
  const [first] = await app.rows("select task_id from tasks where title = 'silent 0'");
  await app.call('update_kanban_task', { task_id: first?.task_id, status: 'review' }, agent('x'));
  const [second] = await app.rows("select task_id from tasks where title = 'silent 1'");
  expect(
    await app.refusal('update_kanban_task', { task_id: second?.task_id, status: 'review' }, agent('y')),
  ).toMatchObject({ code: 'limit_exceeded' });
});

test('many that come at once do not take the last place twice', async () => {
  await using app = await openApp({ claudeops: { tasks: { wip_limits: { in_progress: 3 } } } });
  for (let i = 0; i < 10; i++) await make(app, `task ${i}`);
  const titles = await Promise.all(Array.from({ length: 10 }, (_, i) => claimed(app, agent(`agent-${i}`))));
  expect(titles.filter((title) => title !== undefined)).toHaveLength(3);
});

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

test('many that come at once do not take the last place twice', async () => {
  await using app = await openApp({ claudeops: { tasks: { wip_limits: { in_progress: 3 } } } });
  for (let i = 0; i < 10; i++) await make(app, `task ${i}`);
  const titles = await Promise.all(Array.from({ length: 10 }, (_, i) => claimed(app, agent(`agent-${i}`))));
  expect(titles.filter((title) => title !== undefined)).toHaveLength(3);
});

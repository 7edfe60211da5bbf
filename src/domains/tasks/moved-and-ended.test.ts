// A task that moves to another story and changes its status in one call, or in one import: both stories are told right.
import { expect, test } from 'vitest';
import { type App, openApp } from '../../../test/support/open-app.ts';

const make = async (app: App, title: string, fields: object = {}): Promise<string> =>
  (await app.call('create_kanban_task', { title, ...fields })).task.task_id;
const stories = (app: App) =>
  app.rows("select title, open_children, is_ready from tasks where title like 'story%' order by title");

test('moved and cancelled in one call, a task is missing nowhere and waited for nowhere', async () => {
  await using app = await openApp();
  const first = await make(app, 'story-1');
  const second = await make(app, 'story-2');
  const task_id = await make(app, 'part', { parent_id: first });
  await app.call('update_kanban_task', { task_id, parent_id: second, status: 'cancelled' });
  expect(await stories(app)).toEqual([
    { title: 'story-1', open_children: 0, is_ready: 1 },
    { title: 'story-2', open_children: 0, is_ready: 1 },
  ]);
  // The way back: it is open where it comes to be.
  await app.call('update_kanban_task', { task_id, parent_id: first, status: 'todo' });
  expect(await stories(app)).toMatchObject([{ open_children: 1 }, { open_children: 0 }]);
  const { history } = await app.call('get_kanban_task', { task_id });
  expect(history.at(-1).details.changed.parent_id).toEqual([second, first]);
});

test('a part is not opened again below a story that is over, moved there by the same call', async () => {
  await using app = await openApp();
  const first = await make(app, 'story-1');
  const second = await make(app, 'story-2');
  const task_id = await make(app, 'part', { parent_id: first });
  for (const one of [task_id, second]) await app.call('update_kanban_task', { task_id: one, status: 'cancelled' });
  const refused = await app.refusal('update_kanban_task', { task_id, parent_id: second, status: 'todo' });
  expect(refused).toMatchObject({ code: 'conflict', message: expect.stringContaining(second) });
  expect(await stories(app)).toMatchObject([{ open_children: 0 }, { open_children: 0 }]);
});

const issue = (id: string, story: string | undefined, more: object = {}) =>
  JSON.stringify({
    ...{ id, title: id, description: '', status: 'open', priority: 1, issue_type: 'task' },
    ...{ created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' },
    ...(story === undefined
      ? {}
      : {
          dependencies: [
            { issue_id: id, depends_on_id: story, type: 'parent-child', created_at: '2026-01-01T00:00:00Z' },
          ],
        }),
    ...more,
  });
const load = (app: App, lines: readonly string[]) =>
  app.call('import_tasks', { format: 'beads', content: lines.join('\n') });

test('an import that moves a part and closes it leaves both stories as they are to be', async () => {
  await using app = await openApp();
  const both = [issue('story-1', undefined), issue('story-2', undefined)];
  await load(app, [...both, issue('part', 'story-1')]);
  const closed = { status: 'closed', closed_at: '2026-01-02T00:00:00Z', updated_at: '2026-01-02T00:00:00Z' };
  expect(await load(app, [...both, issue('part', 'story-2', closed)])).toMatchObject({ updated: 1, problems: [] });
  expect(await stories(app)).toEqual([
    { title: 'story-1', open_children: 0, is_ready: 1 },
    { title: 'story-2', open_children: 0, is_ready: 1 },
  ]);
});

test('a move that an import leaves out leaves the part where it was', async () => {
  await using app = await openApp();
  const both = [issue('story-1', undefined), issue('story-2', undefined)];
  await load(app, [...both, issue('part', 'story-1')]);
  const [{ task_id }] = (await app.rows("select task_id from tasks where title = 'story-2'")) as [{ task_id: string }];
  await app.call('update_kanban_task', { task_id, status: 'cancelled' });
  const { problems } = await load(app, [...both, issue('part', 'story-2', { updated_at: '2026-01-02T00:00:00Z' })]);
  expect(problems).toEqual([expect.objectContaining({ message: expect.stringContaining('parent') })]);
  const rows = await app.rows('select story.title from tasks join tasks as story on story.task_id = tasks.parent_id');
  expect(rows).toEqual([{ title: 'story-1' }]);
  expect(await stories(app)).toMatchObject([{ open_children: 1 }, { open_children: 0 }]);
});

test('an import writes neither status nor result of a task that somebody works on', async () => {
  await using app = await openApp();
  await load(app, [issue('one', undefined)]);
  const { task } = await app.call('claim_next', {});
  const closed = { status: 'closed', close_reason: 'late result', updated_at: '2026-01-02T00:00:00Z' };
  const { problems } = await load(app, [issue('one', undefined, { ...closed, description: 'said there' })]);
  expect(problems.map(({ message }: { message: string }) => message.split(' ')[0])).toEqual(['status', 'resolution']);
  expect(await app.rows('select status, resolution, description from tasks')).toEqual([
    { status: 'in_progress', resolution: null, description: 'said there' },
  ]);
  expect(task.status).toBe('in_progress');
});

// Getting a task with all that belongs to it, and deleting one: what hangs on it is named, and goes or stays as it is said.
import { expect, test } from 'vitest';
import { type Answer, type App, openApp } from '../../../test/support/open-app.ts';

const bob = { user: 'bob', session: 'ses_bob' };
const worker = { agent: 'worker', session: 'ses_worker', transport: 'stdio' as const };

async function make(app: App, title: string, fields: object = {}, caller = {}): Promise<string> {
  app.clock.advance(1_000);
  return (await app.call('create_kanban_task', { title, related_limit: 0, ...fields }, caller)).task.task_id;
}
const idsOf = (tasks: Answer[]) => tasks.map((task) => task.task_id);
const row = async (app: App, task_id: string) => (await app.rows('select * from tasks where task_id = ?', task_id))[0];

test('a task comes with what is needed to start work on it', async () => {
  await using app = await openApp();
  const knowledge = await app.store('The conveyor needs its belt tightened', { category: 'runbooks' });
  const epic = await make(app, 'epic');
  const story = await make(app, 'story', { parent_id: epic });
  const first = await make(app, 'first');
  const task = await make(app, 'Look after the conveyor', { parent_id: story, dependencies: [first] });
  const part = await make(app, 'part', { parent_id: task });
  const after = await make(app, 'after', { dependencies: [task] });
  await app.call('update_kanban_task', { task_id: task, comment: 'started to think' });
  const got = await app.call('get_kanban_task', { task_id: task });
  expect(idsOf(got.stories)).toEqual([story, epic]);
  expect([got.dependencies, got.dependants, got.children].map(idsOf)).toEqual([[first], [after], [part]]);
  expect(got).toMatchObject({
    hidden: 0,
    claim: null,
    next_statuses: ['backlog', 'in_progress', 'blocked', 'cancelled'],
  });
  expect(got.comments).toEqual([expect.objectContaining({ comment: 'started to think', agent_id: 'tester' })]);
  expect(got.related.map((memory: Answer) => memory.memory_id)).toEqual([knowledge]);
  const text = await app.text('get_kanban_task', { task_id: task });
  for (const title of ['first', 'after', 'epic', 'started to think']) expect(text).toContain(title);
  const unknown = await app.refusal('get_kanban_task', { task_id: 'task_none' }, bob);
  const hidden = await app.refusal('get_kanban_task', { task_id: task }, bob);
  expect(JSON.stringify(hidden).replaceAll(task, '*')).toBe(JSON.stringify(unknown).replaceAll('task_none', '*'));
});

test('history comes in pages, the newest last, in the order of versions', async () => {
  await using app = await openApp();
  const task_id = await make(app, 'much happens');
  for (let i = 0; i < 7; i++) await app.call('update_kanban_task', { task_id, comment: `c${i}` });
  const pages: number[][] = [];
  let cursor: string | null = null;
  do {
    const page = { task_id, history_limit: 3, ...(cursor === null ? {} : { cursor }) };
    const { history, next_cursor } = await app.call('get_kanban_task', page);
    pages.unshift(history.map((entry: Answer) => entry.version));
    cursor = next_cursor;
  } while (cursor !== null);
  expect(pages.flat()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test('the claim is told to everybody, its token to the session that made it', async () => {
  await using app = await openApp();
  const task_id = await make(app, 'shared work', { scope: 'shared' });
  await app.call('claim_next', { task_id }, worker);
  const own = (await app.call('get_kanban_task', { task_id }, worker)).claim;
  expect(own).toMatchObject({ holder_agent_id: 'worker', own: true, fencing_token: 1 });
  const other = (await app.call('get_kanban_task', { task_id }, bob)).claim;
  expect(other).toMatchObject({ holder_agent_id: 'worker', own: false, fencing_token: null });
});

test('what the reader may not see is counted and not named', async () => {
  await using app = await openApp();
  const shared = await make(app, 'for all', { scope: 'shared' });
  await make(app, 'secret plan of bob', { dependencies: [shared] }, bob);
  const got = await app.call('get_kanban_task', { task_id: shared });
  expect(got).toMatchObject({ dependants: [], hidden: 1 });
  const refused = await app.refusal('delete_kanban_task', { task_id: shared });
  expect(refused).toMatchObject({ code: 'conflict', details: { dependants: [], count: 1 } });
  expect(JSON.stringify(refused)).not.toContain('secret plan');
  expect(await app.refusal('delete_kanban_task', { task_id: shared, cascade: true })).toMatchObject({
    code: 'forbidden',
  });
  await app.call('delete_kanban_task', { task_id: shared, detach: true });
  const [bobs] = (await app.call('list_kanban_tasks', {}, bob)).tasks;
  expect(bobs).toMatchObject({ title: 'secret plan of bob', ready: true, open_dependencies: 0 });
});

test('without a word about them nothing is deleted that others hang on', async () => {
  await using app = await openApp();
  const task = await make(app, 'base');
  const after = await make(app, 'after', { dependencies: [task] });
  const part = await make(app, 'part', { parent_id: task });
  const refused = await app.refusal('delete_kanban_task', { task_id: task });
  expect(refused).toMatchObject({ code: 'conflict', details: { dependants: [after, part], count: 2 } });
  expect(refused.message).toContain(`${after} (todo)`);
  expect(await row(app, task)).toBeDefined();
});

test('cascade takes along what hangs on it by whatever way; history stays, the change is told to others', async () => {
  await using app = await openApp();
  const story = await make(app, 'story');
  const base = await make(app, 'base', { parent_id: story });
  const after = await make(app, 'after', { dependencies: [base] });
  const partOfAfter = await make(app, 'part', { parent_id: after });
  const free = await make(app, 'free');
  const { deleted } = await app.call('delete_kanban_task', { task_id: base, cascade: true, reason: 'not needed' });
  expect(idsOf(deleted).toSorted()).toEqual([base, after, partOfAfter].toSorted());
  expect(idsOf((await app.call('list_kanban_tasks')).tasks)).toEqual([story, free]);
  expect(await row(app, story)).toMatchObject({ open_children: 0, is_ready: 1 });
  expect(await app.rows('select * from task_dependencies')).toEqual([]);
  const history = await app.rows(
    'select action, comment, version from task_history where task_id = ? order by version',
    base,
  );
  expect(history.at(-1)).toEqual({ action: 'deleted', comment: 'not needed', version: 2 });
  const changes = await app.rows("select entity_id from changes where kind = 'delete' and entity = 'task'");
  expect(changes.length).toBe(3);
});

test('detach leaves them standing, ready where nothing else is before them', async () => {
  await using app = await openApp();
  const first = await make(app, 'first');
  const story = await make(app, 'story', { dependencies: [first] });
  const part = await make(app, 'part', { parent_id: story });
  const below = await make(app, 'below', { parent_id: part });
  const after = await make(app, 'after', { dependencies: [story] });
  expect(await row(app, below)).toMatchObject({ blocked_ancestors: 1, is_ready: 0 });
  const { detached } = await app.call('delete_kanban_task', { task_id: story, detach: true });
  expect(idsOf(detached).toSorted()).toEqual([part, after].toSorted());
  expect(await row(app, part)).toMatchObject({
    parent_id: null,
    blocked_ancestors: 0,
    open_children: 1,
    is_ready: 0,
    version: 2,
  });
  expect(await row(app, below)).toMatchObject({ blocked_ancestors: 0, is_ready: 1 });
  expect(await row(app, after)).toMatchObject({ open_dependencies: 0, is_ready: 1, version: 2 });
});

test('what an agent works on is not deleted under its hands, unless that is what is wanted', async () => {
  await using app = await openApp();
  const task_id = await make(app, 'in hand');
  const { fencing_token } = await app.call('claim_next', { task_id }, worker);
  const refused = await app.refusal('delete_kanban_task', { task_id });
  expect(refused).toMatchObject({ code: 'conflict', details: { held: [{ task_id, holder_agent_id: 'worker' }] } });
  await app.call('delete_kanban_task', { task_id, force: true });
  const late = await app.refusal(
    'update_kanban_task',
    { task_id, status: 'done', resolution: 'x', fencing_token },
    worker,
  );
  expect(late.code).toBe('not_found');
});

test('only who may manage a task deletes it', async () => {
  await using app = await openApp();
  const { team_id } = await app.call('create_team', { name: 'crew' });
  await app.call('add_team_member', { team_id, user_id: 'bob', role: 'member' });
  const task_id = await make(app, 'of the team', { team_id });
  expect(await app.refusal('delete_kanban_task', { task_id }, bob)).toMatchObject({ code: 'forbidden' });
  const bobs = await make(app, 'by bob', { team_id }, bob);
  await app.call('delete_kanban_task', { task_id: bobs });
});

test('a part leaves its story for one that the story waits for: what it leaves is not in the way', async () => {
  await using app = await openApp();
  const goal = await make(app, 'goal');
  const story = await make(app, 'story', { dependencies: [goal] });
  const part = await make(app, 'part', { parent_id: story });
  await app.call('update_kanban_task', { task_id: part, parent_id: goal });
  expect(await row(app, part)).toMatchObject({ parent_id: goal, blocked_ancestors: 0, is_ready: 1 });
  expect(await row(app, story)).toMatchObject({ open_children: 0, open_dependencies: 1 });
  const back = await app.refusal('update_kanban_task', { task_id: goal, parent_id: part });
  expect(back.code).toBe('conflict');
});

// Making tasks through the public door: where they go, what they wait for, what is refused.
import { expect, test } from 'vitest';
import { type App, openApp } from '../../../test/support/open-app.ts';

const bob = { user: 'bob', session: 'ses_bob' };

async function make(app: App, title: string, fields: object = {}, caller = {}) {
  return (await app.call('create_kanban_task', { title, ...fields }, caller)).task;
}

test('a task has its defaults, and what was said of it', async () => {
  await using app = await openApp();
  const task = await make(app, 'Optimize Elasticsearch queries', {
    description: 'Improve search performance',
    priority: 'high',
    required_capabilities: ['elasticsearch_ops', 'a_first'],
    tags: 'Search,  slow',
    due: '2026-02-01',
    estimate_minutes: 90,
  });
  expect(task).toMatchObject({
    status: 'todo',
    priority: 'high',
    progress: 0,
    ready: true,
    required_capabilities: ['a_first', 'elasticsearch_ops'],
    tags: ['search', 'slow'],
    due: '2026-02-01T00:00:00.000Z',
    estimate_minutes: 90,
    scope: 'solo',
    user_id: 'ada',
    version: 1,
  });
  const [history] = await app.rows(
    'select action, to_status, version from task_history where task_id = ?',
    task.task_id,
  );
  expect(history).toEqual({ action: 'created', to_status: 'todo', version: 1 });
  const [change] = await app.rows('select entity, kind from changes where entity_id = ?', task.task_id);
  expect(change).toEqual({ entity: 'task', kind: 'put' });
});

test('what is known about such work comes with it, as much as is asked for', async () => {
  await using app = await openApp();
  const id = await app.store('Restart the flux capacitor by hand: steps one and two', { category: 'runbooks' });
  const fields = { title: 'The flux capacitor is down' };
  const { related } = await app.call('create_kanban_task', fields);
  expect(related).toEqual([expect.objectContaining({ memory_id: id, category: 'runbooks' })]);
  expect((await app.call('create_kanban_task', { ...fields, related_limit: 0 })).related).toEqual([]);
  const foreign = await app.call('create_kanban_task', fields, bob);
  expect(foreign.related).toEqual([]);
});

test('secrets in words do not reach the store', async () => {
  await using app = await openApp();
  const secret = `ghp_${'aB3'.repeat(12)}`;
  const task = await make(app, `Rotate ${secret}`, { description: `It was ${secret}` });
  expect(JSON.stringify(task)).not.toContain(secret);
  expect(JSON.stringify(await app.rows('select * from task_history'))).not.toContain(secret);
});

test('a task waits for its dependencies, a story for its parts', async () => {
  await using app = await openApp();
  const first = await make(app, 'first');
  const story = await make(app, 'story', { dependencies: [first.task_id, first.task_id] });
  expect(story).toMatchObject({ ready: false, open_dependencies: 1 });
  const part = await make(app, 'part', { parent_id: story.task_id });
  expect(part).toMatchObject({ ready: false, open_dependencies: 0, parent_id: story.task_id });
  const [row] = await app.rows('select open_children, is_ready from tasks where task_id = ?', story.task_id);
  expect(row).toEqual({ open_children: 1, is_ready: 0 });
});

test('what is not there and what may not be seen is refused in the same words, and nothing is made', async () => {
  await using app = await openApp();
  const hidden = await make(app, 'hidden', {}, bob);
  const words = async (fields: object, id: string) =>
    JSON.stringify(await app.refusal('create_kanban_task', { title: 'mine', ...fields })).replaceAll(id, '*');
  for (const field of ['parent_id', 'dependencies'] as const) {
    const given = (id: string) => ({ [field]: field === 'dependencies' ? [id] : id });
    const absent = await words(given('task_none'), 'task_none');
    expect(absent).toContain('not_found');
    expect(await words(given(hidden.task_id), hidden.task_id)).toBe(absent);
  }
  expect(await app.rows("select task_id from tasks where title = 'mine'")).toEqual([]);
});

test('a circle through a story is refused and shown', async () => {
  await using app = await openApp();
  const story = await make(app, 'story');
  const after = await make(app, 'after the story', { dependencies: [story.task_id] });
  const { code, message, details } = await app.refusal('create_kanban_task', {
    title: 'new part',
    parent_id: story.task_id,
    dependencies: [after.task_id],
  });
  expect(code).toBe('conflict');
  expect(message).toContain(`${story.task_id} -> the new task -> ${after.task_id} -> ${story.task_id}`);
  expect(details).toMatchObject({
    cycle: [{ title: 'story' }, { title: 'new part' }, { title: 'after the story' }, { title: 'story' }],
  });
  const own = await app.refusal('create_kanban_task', {
    title: 'x',
    parent_id: story.task_id,
    dependencies: [story.task_id],
  });
  expect(own.code).toBe('conflict');
});

test('a part is where its story is, and nobody waits for what they cannot see', async () => {
  await using app = await openApp();
  const { team_id } = await app.call('create_team', { name: 'crew' });
  const solo = await make(app, 'solo');
  const team = await make(app, 'team', { team_id, dependencies: [] });
  const shared = await make(app, 'shared', { scope: 'shared' });
  expect(await make(app, 'part', { parent_id: team.task_id })).toMatchObject({ scope: 'team', team_id });
  const code = async (fields: object) => (await app.refusal('create_kanban_task', { title: 't', ...fields })).code;
  expect(await code({ parent_id: team.task_id, scope: 'shared' })).toBe('invalid_input');
  expect(await code({ team_id, dependencies: [solo.task_id] })).toBe('invalid_input');
  expect(await code({ scope: 'shared', dependencies: [team.task_id] })).toBe('invalid_input');
  const fine = { dependencies: [solo.task_id, team.task_id, shared.task_id] };
  expect(await make(app, 'solo waits for all', fine)).toMatchObject({ open_dependencies: 3 });
  expect(await make(app, 'team', { team_id, dependencies: [team.task_id, shared.task_id] })).toBeDefined();
});

test('parts go only so deep', async () => {
  await using app = await openApp();
  let parent_id: string | undefined;
  for (let level = 1; level <= 8; level++)
    parent_id = (await make(app, `level ${level}`, parent_id === undefined ? {} : { parent_id })).task_id;
  expect(await app.refusal('create_kanban_task', { title: 'level 9', parent_id })).toMatchObject({
    code: 'limit_exceeded',
  });
});

test('it goes to the agent that is named, or to the best one there, and the agent is told', async () => {
  await using app = await openApp();
  const anna = { agent: 'claude', session: 'ses_anna' };
  const agent_id = (await app.call('register_agent', { role: 'specialist', capabilities: ['elastic'] }, anna)).agent_id;
  const named = await app.call('create_kanban_task', { title: 'named', assigned_agent_id: agent_id });
  expect(named).toMatchObject({ task: { assigned_agent_id: agent_id }, assignment: `Assigned to ${agent_id}.` });
  const wanted = { title: 'best', auto_assign: true, required_capabilities: ['elastic'] };
  expect((await app.call('create_kanban_task', wanted)).task.assigned_agent_id).toBe(agent_id);
  const nobody = await app.call('create_kanban_task', { ...wanted, required_capabilities: ['juggling'] });
  expect(nobody).toMatchObject({
    task: { assigned_agent_id: null },
    assignment: expect.stringMatching(/^Nobody's yet/),
  });
  const { messages } = await app.call('check_inbox', {}, anna);
  expect(messages.map((message: { body: string }) => /: (\w+)\./.exec(message.body)?.[1]).toSorted()).toEqual([
    'best',
    'named',
  ]);
  expect((await app.refusal('create_kanban_task', { title: 't', assigned_agent_id: 'none' })).code).toBe('not_found');
  const both = await app.refusal('create_kanban_task', { title: 't', assigned_agent_id: agent_id, auto_assign: true });
  expect(both.code).toBe('invalid_input');
});

test('nobody is given work they may not touch', async () => {
  await using app = await openApp();
  const { team_id } = await app.call('create_team', { name: 'crew' });
  await app.call('add_team_member', { team_id, user_id: 'bob', role: 'member' });
  const { agent_id } = await app.call('register_agent', { role: 'helper' }, bob);
  const fields = { assigned_agent_id: agent_id, related_limit: 0 };
  expect(await app.refusal('create_kanban_task', { title: 'private', ...fields })).toMatchObject({
    code: 'invalid_input',
  });
  expect(await make(app, 'of the team', { team_id, ...fields })).toMatchObject({ assigned_agent_id: agent_id });
});

test('it belongs to the project of its story, or to that of the session where that is in the same place', async () => {
  await using app = await openApp();
  const { project_id } = await app.call('create_project', { name: 'Pier', wip_limits: { todo: 2 } });
  await app.call('switch_project_context', { project_id });
  const story = await make(app, 'story');
  expect(story.project_id).toBe(project_id);
  expect(await make(app, 'for all', { scope: 'shared' })).toMatchObject({ project_id: null, scope: 'shared' });
  const elsewhere = { title: 'x', scope: 'shared', project_id };
  expect((await app.refusal('create_kanban_task', elsewhere)).code).toBe('invalid_input');
  const part = await make(app, 'part', { parent_id: story.task_id }, { session: 'ses_other' });
  expect(part.project_id).toBe(project_id);
  expect(await app.refusal('create_kanban_task', { title: 'one too many' })).toMatchObject({ code: 'limit_exceeded' });
  expect(await make(app, 'not yet', { status: 'backlog' })).toMatchObject({ ready: false, status: 'backlog' });
});

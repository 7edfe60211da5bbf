// Sessions that work in projects: what they are told, what is remembered, and what stays theirs alone.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, type App, type CallerOptions, openApp } from '../../../test/support/open-app.ts';
import { limits } from '../../kernel/limits.ts';

let app: App;
beforeAll(async () => {
  app = await openApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const create = async (name: string, caller: CallerOptions, fields: object = {}): Promise<string> => {
  app.clock.advance(1_000);
  return (await app.call('create_project', { name, ...fields }, caller)).project_id;
};
const section = (brief: Answer, name: string) =>
  (brief.sections as Answer[]).find((each) => each.name === name) as Answer | undefined;
const texts = (brief: Answer, name: string) => section(brief, name)?.items.map(({ text }: Answer) => text) ?? [];

test('a session works in the project it switched to until it leaves, and others do not', async () => {
  const here = { user: 'ada', session: 'ses_here' };
  const elsewhere = { user: 'ada', session: 'ses_elsewhere' };
  const first = await create('First', here);
  const second = await create('Second', here);
  expect(await app.call('switch_project_context', { project_id: first }, here)).toMatchObject({
    project: { project_id: first },
    left_project_id: null,
    memory_id: null,
  });
  const { task } = await app.call('create_kanban_task', { title: 'Here' }, here);
  expect(task.project_id).toBe(first);
  expect((await app.call('create_kanban_task', { title: 'There' }, elsewhere)).task.project_id).toBeNull();
  const active = async (caller: CallerOptions) =>
    (await app.call('list_projects', {}, caller)).projects
      .filter((each: Answer) => each.active)
      .map((each: Answer) => each.project_id);
  expect([await active(here), await active(elsewhere)]).toEqual([[first], []]);
  expect(await app.call('switch_project_context', { project_id: 'Second' }, here)).toMatchObject({
    project: { project_id: second },
    left_project_id: first,
  });
  expect(await app.call('switch_project_context', { project_id: 'none' }, here)).toMatchObject({
    project: null,
    left_project_id: second,
    brief: null,
  });
  expect(await active(here)).toEqual([]);
  const acts = await app.rows('select action from project_activity where project_id = ?', first);
  expect(acts.map(({ action }) => action).toSorted()).toEqual(['project.created', 'project.entered', 'project.left']);
});

test('the reason is remembered, for the project and as a memory of it', async () => {
  const me = { user: 'rita', agent: 'rita-agent', session: 'ses_rita' };
  const project_id = await create('Remembered', me);
  const reason = 'The shards of the catalogue are too large';
  const { memory_id } = await app.call('switch_project_context', { project_id, reason }, me);
  const memory = await app.call('retrieve_memory', { memory_id }, me);
  expect(memory.memory ?? memory).toMatchObject({
    content: expect.stringContaining(reason),
    project_id,
    user_id: 'rita',
    agent_id: 'rita-agent',
  });
  const [act] = await app.rows(
    "select reason, agent_id from project_activity where action = 'project.entered' and project_id = ?",
    project_id,
  );
  expect(act).toEqual({ reason, agent_id: 'rita-agent' });
});

test('what one keeps to oneself: the memory of somebody who only reads in the team', async () => {
  const [ada, carol] = [{ user: 'ada' }, { user: 'carol', session: 'ses_carol' }];
  const { team_id } = await app.call('create_team', { name: 'Readers' }, ada);
  await app.call('add_team_member', { team_id, user_id: 'carol', role: 'readonly' }, ada);
  const project_id = await create('To be read', ada, { team_id });
  const { memory_id } = await app.call('switch_project_context', { project_id, reason: 'Looking around' }, carol);
  const [row] = await app.rows('select scope, user_id from memories where memory_id = ?', memory_id);
  expect(row).toEqual({ scope: 'solo', user_id: 'carol' });
});

test('a session that loses sight of its project works in none', async () => {
  const [ada, dora] = [{ user: 'ada' }, { user: 'dora', session: 'ses_dora' }];
  const { team_id } = await app.call('create_team', { name: 'Short' }, ada);
  await app.call('add_team_member', { team_id, user_id: 'dora', role: 'member' }, ada);
  const project_id = await create('Lost', ada, { team_id });
  await app.call('switch_project_context', { project_id }, dora);
  await app.call('remove_team_member', { team_id, user_id: 'dora' }, ada);
  expect((await app.call('create_kanban_task', { title: 'Mine' }, dora)).task).toMatchObject({
    project_id: null,
    scope: 'solo',
  });
});

test('nobody switches for another agent', async () => {
  const me = { user: 'ada', agent: 'me-agent' };
  const project_id = await create('Mine', me);
  const other = { project_id, agent_id: 'another-agent' };
  expect(await app.refusal('switch_project_context', other, me)).toMatchObject({
    code: 'forbidden',
    details: { agent_id: 'me-agent' },
  });
  expect(
    await app.rows("select 1 from project_activity where action = 'project.entered' and project_id = ?", project_id),
  ).toEqual([]);
  await app.call('switch_project_context', { project_id, agent_id: 'me-agent' }, me);
});

test('a name that stands for several is refused with their ids', async () => {
  const me = { user: 'eve' };
  const { team_id } = await app.call('create_team', { name: 'Eve & co' }, me);
  const ids = [await create('Same', me), await create('Same', me, { team_id })];
  expect(await app.refusal('switch_project_context', { project_id: 'Same' }, me)).toMatchObject({
    code: 'conflict',
    details: { project_ids: ids.toSorted() },
  });
  await app.call('update_project', { project_id: ids[0], status: 'completed' }, me);
  expect((await app.call('switch_project_context', { project_id: 'Same' }, me)).project.project_id).toBe(ids[1]);
});

test('the brief tells what to do, what was decided, what went wrong, and that nothing is watched', async () => {
  const me = { user: 'greta', agent: 'greta-agent', session: 'ses_greta' };
  const project_id = await create('Search', me, { description: 'Shards and replicas of Elasticsearch' });
  const task = async (title: string, fields: object = {}) => {
    app.clock.advance(1_000);
    return (await app.call('create_kanban_task', { title, project_id, ...fields }, me)).task.task_id as string;
  };
  const mine = await task('Resize the heap', { priority: 'low' });
  const ready = await task('Measure the queries', { priority: 'high' });
  await task('Compare the figures', { dependencies: [ready] });
  await task('Some day', { status: 'backlog' });
  await app.call('claim_next', { task_id: mine }, me);
  await app.store('Three shards are enough for the catalogue', { project_id, tags: ['decision'] }, me);
  await app.store('Node 2 ran out of heap', { project_id, category: 'incidents' }, me);
  await app.store('Elasticsearch replicas can be changed at any time, shards cannot', {}, me);
  await app.store('Bread needs flour', {}, me);
  await app.store('A decision of another project', { project: 'Elsewhere', tags: ['decision'] }, me);
  const reason = 'Elasticsearch replicas for the catalogue';
  await app.call('switch_project_context', { project_id, reason }, me);
  app.clock.advance(1_000);
  const { brief } = await app.call('switch_project_context', { project_id, reason: `Again: ${reason}` }, me);
  expect(texts(brief, 'your_tasks')).toEqual([expect.stringMatching(/^Resize the heap \(in_progress, low/)]);
  expect(texts(brief, 'ready_tasks')).toEqual([expect.stringMatching(/^Measure the queries \(todo, high\)/)]);
  expect(texts(brief, 'blocked_tasks')).toEqual([expect.stringMatching(/^Compare the figures .*waits for 1/)]);
  expect(texts(brief, 'other_tasks')).toEqual([expect.stringMatching(/^Some day \(backlog/)]);
  expect(texts(brief, 'decisions')).toEqual([expect.stringContaining('Three shards are enough')]);
  expect(texts(brief, 'incidents')).toEqual([expect.stringContaining('Node 2 ran out of heap')]);
  expect(texts(brief, 'related').join()).toContain('replicas can be changed at any time');
  expect(texts(brief, 'related').join()).not.toContain(reason);
  expect(section(brief, 'drift')).toMatchObject({ items: [], note: expect.stringMatching(/watched/) });
  expect(texts(brief, 'activity')[0]).toContain('project.entered by greta (greta-agent, test-machine)');
  expect(JSON.stringify(brief)).not.toMatch(/flour|another project/);
});

test('the brief keeps to its budget and counts what it leaves out', async () => {
  const me = { user: 'hugo', session: 'ses_hugo' };
  const project_id = await create('Large', me);
  for (let i = 0; i < 60; i++)
    await app.call('create_kanban_task', { title: `Task number ${i} with a title of some length`, project_id }, me);
  for (const max_tokens of [limits.brief_tokens_min, 1_000, 2_000, 8_000]) {
    const { brief } = await app.call('switch_project_context', { project_id, max_tokens }, me);
    const ready = section(brief, 'ready_tasks') as Answer;
    expect(brief.tokens).toBeLessThanOrEqual(max_tokens);
    expect(ready.items.length + ready.left_out).toBe(60);
    expect(ready.items.length).toBeGreaterThan(0);
    if (max_tokens === 8_000) expect(ready.left_out).toBe(0);
    const said = await app.text('switch_project_context', { project_id, max_tokens }, me);
    expect(said.includes('more not shown')).toBe(brief.sections.some((each: Answer) => each.left_out > 0));
  }
});

test('a token for projects alone is told nothing of tasks and memories', async () => {
  const me = { user: 'ida', session: 'ses_ida' };
  const project_id = await create('Scoped', me);
  await app.call('create_kanban_task', { title: 'Untold', project_id }, me);
  await app.store('Untold as well', { project_id, tags: ['decision'] }, me);
  const ctx = {
    principal: {
      ...{ user_id: 'ida', agent_id: 'tester', machine_id: 'test-machine' },
      credential: { kind: 'token', admin: false, scopes: ['project.write'] },
    },
    session: { key: 'ses_token', transport: 'rest' },
    ...{ request_id: 'req_test', signal: new AbortController().signal, reportProgress: () => {} },
  } as const;
  const input = { project_id, reason: 'With little rights' };
  const { output } = await app.runtime.executor.execute('switch_project_context', input, ctx);
  expect(JSON.stringify(output)).not.toContain('Untold');
  expect(JSON.stringify(output)).toContain('lacks task.read');
  expect(output.memory_id).toBeNull();
});

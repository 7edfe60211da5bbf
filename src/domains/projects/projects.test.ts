// Projects as callers make, find and change them, and who gets to know of them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, openApp } from '../../../test/support/open-app.ts';

const ADA = { user: 'ada' };
const BOB = { user: 'bob' };
const CAROL = { user: 'carol' };
const ZOE = { user: 'zoe' };

let app: App;
let team_id: string;
beforeAll(async () => {
  app = await openApp();
  team_id = (await app.call('create_team', { name: 'Search' }, ADA)).team_id;
  await app.call('add_team_member', { team_id, user_id: 'bob', role: 'member' }, ADA);
  await app.call('add_team_member', { team_id, user_id: 'carol', role: 'readonly' }, ADA);
});
afterAll(() => app[Symbol.asyncDispose]());

/** Time goes on between calls, so that ids are in their order. */
const create = async (input: object, caller = ADA) => {
  app.clock.advance(1_000);
  return (await app.call('create_project', input, caller)).project;
};
const names = async (input: object = {}, caller = ADA) =>
  (await app.call('list_projects', input, caller)).projects.map(({ name }: { name: string }) => name);

describe('a new project', () => {
  test('is as it was asked for', async () => {
    const made = await create({
      name: 'eWitness Search Optimization',
      description: 'Optimize Elasticsearch queries',
      owner_agent_id: 'elastic-specialist',
      project_type: 'optimization',
      priority: 'high',
      tags: 'Elasticsearch,performance, search',
      metadata: { ticket: 17 },
      wip_limits: { in_progress: 4, per_agent: 1 },
    });
    expect(made).toMatchObject({
      project_id: expect.stringMatching(/^proj_[0-9a-z]{26}$/),
      status: 'active',
      priority: 'high',
      project_type: 'optimization',
      owner_agent_id: 'elastic-specialist',
      tags: ['elasticsearch', 'performance', 'search'],
      metadata: { ticket: 17 },
      wip_limits: { in_progress: 4, per_agent: 1 },
      ...{ scope: 'solo', team_id: null, user_id: 'ada', agent_id: 'tester', version: 1 },
    });
    const [row] = await app.rows("select entity_id, kind from changes where entity = 'project' order by seq desc");
    expect(row).toEqual({ entity_id: made.project_id, kind: 'put' });
  });

  test('belongs to whoever makes it, unless another agent is named', async () => {
    expect(await create({ name: 'Plain' })).toMatchObject({ owner_agent_id: 'tester', priority: 'medium', tags: [] });
  });

  test('keeps no secret', async () => {
    const secret = `hvs.${'CAESIJ'.repeat(16)}`;
    const token = ['AKIA', 'IOSFODNN7', 'QRSTUVW'].join('');
    const made = await create({ name: 'Leaky', description: `key ${token}`, metadata: { password: secret } });
    expect(JSON.stringify(made)).not.toContain(secret);
    expect(made.description).not.toContain(token);
  });

  test('needs a name that no open project of its place has', async () => {
    const { project_id } = await create({ name: 'Twice' });
    expect(await app.refusal('create_project', { name: ' Twice ' })).toMatchObject({
      code: 'conflict',
      details: { project_id },
    });
    // Elsewhere, and for somebody else, it is another one.
    await create({ name: 'Twice', team_id });
    await create({ name: 'Twice' }, BOB);
    expect((await app.refusal('create_project', { name: 'Twice', team_id }, BOB)).code).toBe('conflict');
    // What is over leaves its name free, and cannot come back under it.
    await app.call('update_project', { project_id, status: 'archived' });
    const again = await create({ name: 'Twice' });
    expect(await app.refusal('update_project', { project_id, status: 'active' })).toMatchObject({
      code: 'conflict',
      details: { project_id: again.project_id },
    });
    expect((await app.refusal('update_project', { project_id: again.project_id, name: 'Plain' })).code).toBe(
      'conflict',
    );
    await app.call('update_project', { project_id, description: 'kept for its history' });
  });

  test('made many times at once is made once', async () => {
    const calls = Array.from({ length: 8 }, () =>
      app.call('create_project', { name: 'Race' }).catch(({ code }) => code),
    );
    const made = await Promise.all(calls);
    expect(made.filter((answer) => answer === 'conflict')).toHaveLength(7);
  });

  test('goes to no team one is not in', async () => {
    expect((await app.refusal('create_project', { name: 'Foreign', team_id }, ZOE)).code).toBe('not_found');
    expect((await app.refusal('create_project', { name: 'Foreign', team_id }, CAROL)).code).toBe('forbidden');
  });
});

test('lists filter by status, owner, kind and tags, and go page by page', async () => {
  const user = { user: 'lister' };
  for (const [i, priority] of (['low', 'medium', 'high', 'critical'] as const).entries())
    await create(
      {
        name: `P${i}`,
        priority,
        owner_agent_id: i < 2 ? 'one' : 'two',
        project_type: i === 3 ? 'migration' : 'upkeep',
        tags: i % 2 === 0 ? ['100%_sure', 'even'] : ['odd', 'quote"d'],
      },
      user,
    );
  expect(await names({}, user)).toEqual(['P3', 'P2', 'P1', 'P0']);
  expect(await names({ owner_filter: 'one' }, user)).toEqual(['P1', 'P0']);
  expect(await names({ project_type_filter: 'migration' }, user)).toEqual(['P3']);
  expect(await names({ tags: 'even' }, user)).toEqual(['P2', 'P0']);
  expect(await names({ tags: ['even', '100%_sure'] }, user)).toEqual(['P2', 'P0']);
  expect(await names({ tags: ['even', 'odd'] }, user)).toEqual([]);
  expect(await names({ tags: ['quote"d'] }, user)).toEqual(['P3', 'P1']);
  expect(await names({ tags: ['100_'] }, user)).toEqual([]);
  expect(await names({ tags: ['%'] }, user)).toEqual([]);
  const { projects } = await app.call('list_projects', { owner_filter: 'one', limit: 1 }, user);
  await app.call('update_project', { project_id: projects[0].project_id, status: 'completed' }, user);
  expect(await names({ status_filter: 'completed' }, user)).toEqual(['P1']);
  const seen: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await app.call('list_projects', { limit: 3, ...(cursor ? { cursor } : {}) }, user);
    seen.push(...page.projects.map(({ name }: { name: string }) => name));
    cursor = page.next_cursor;
  }
  expect(seen).toEqual(['P3', 'P2', 'P1', 'P0']);
});

test('lists count open tasks, for those who may read tasks', async () => {
  const user = { user: 'counter' };
  const { project_id } = await create({ name: 'Counted' }, user);
  for (const title of ['One', 'Two']) await app.call('create_kanban_task', { title, project_id }, user);
  expect((await app.call('list_projects', {}, user)).projects[0].open_tasks).toBe(2);
  const { executor } = app.runtime;
  const ctx = {
    principal: {
      ...{ user_id: 'counter', agent_id: 'tester', machine_id: 'test-machine' },
      credential: { kind: 'token', admin: false, scopes: ['project.read'] },
    },
    session: { key: 'ses_scoped', transport: 'rest' },
    ...{ request_id: 'req_test', signal: new AbortController().signal, reportProgress: () => {} },
  } as const;
  const { output } = await executor.execute('list_projects', {}, ctx);
  expect(output.projects).toMatchObject([{ project_id, open_tasks: null }]);
});

describe('a change', () => {
  test('is written with what it changed, counted, and on record', async () => {
    const { project_id } = await create({ name: 'Changing', wip_limits: { review: 3 } });
    const changes = { description: 'New words', priority: 'low', tags: 'a,b', wip_limits: { in_progress: 2 } };
    app.clock.advance(1_000);
    const { project } = await app.call('update_project', { project_id, expected_version: 1, ...changes });
    expect(project).toMatchObject({ ...changes, tags: ['a', 'b'], name: 'Changing', version: 2 });
    expect(await app.refusal('update_project', { project_id, expected_version: 1, name: 'Late' })).toMatchObject({
      code: 'conflict',
      details: { version: 2 },
    });
    expect((await app.refusal('update_project', { project_id })).code).toBe('invalid_input');
    const acts = await app.rows(
      'select action, details from project_activity where project_id = ? order by activity_id',
      project_id,
    );
    expect(acts).toMatchObject([
      { action: 'project.created' },
      { action: 'project.updated', details: expect.stringContaining('description,priority,tags,wip_limits') },
    ]);
    const [audited] = await app.rows(
      "select target_id from audit_log where action = 'project.update' order by seq desc",
    );
    expect(audited).toEqual({ target_id: project_id });
  });

  test('is for its maker, and in a team for whoever manages work there', async () => {
    const { project_id } = await create({ name: 'Of the team', team_id }, BOB);
    expect((await app.call('update_project', { project_id, priority: 'high' }, ADA)).project.priority).toBe('high');
    const { project_id: adas } = await create({ name: 'Of Ada', team_id }, ADA);
    expect((await app.refusal('update_project', { project_id: adas, priority: 'low' }, BOB)).code).toBe('forbidden');
    expect((await app.refusal('update_project', { project_id: adas, priority: 'low' }, ZOE)).code).toBe('not_found');
  });
});

test('a project one may not see is, for every operation, one that is not there', async () => {
  const { project_id } = await create({ name: 'Hidden', team_id });
  const absent = project_id.replace(/.{4}$/, '0000');
  const calls: readonly [string, object][] = [
    ['update_project', { priority: 'low' }],
    ['switch_project_context', {}],
    ['project_health_check', {}],
    ['create_kanban_task', { title: 'In it' }],
  ];
  for (const [operation, input] of calls) {
    const hidden = await app.refusal(operation, { ...input, project_id }, ZOE);
    const missing = await app.refusal(operation, { ...input, project_id: absent }, ZOE);
    expect(hidden.code).toBe('not_found');
    expect(JSON.parse(JSON.stringify(hidden).replaceAll(project_id, absent))).toEqual(missing);
  }
  expect((await app.refusal('switch_project_context', { project_id: 'Hidden' }, ZOE)).code).toBe('not_found');
  expect(await names({}, ZOE)).not.toContain('Hidden');
  expect(await names({}, CAROL)).toContain('Hidden');
});

test('tasks of a project go where it is', async () => {
  const { project_id } = await create({ name: 'Board', team_id });
  const { task } = await app.call('create_kanban_task', { title: 'First', project_id }, BOB);
  expect(task).toMatchObject({ scope: 'team', team_id, project_id });
});

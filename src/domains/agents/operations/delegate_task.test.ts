// Delegating through the public door: who gets the task and hears of it, and what happens where nobody can do it.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type App, type CallerOptions, DAY_MS, openApp } from '../../../../test/support/open-app.ts';
import { limits } from '../../../kernel/limits.ts';

let app: App;
beforeEach(async () => {
  app = await openApp();
});
afterEach(() => app[Symbol.asyncDispose]());

const LEAD: CallerOptions = { agent: 'lead', session: 'ses_lead', transport: 'stdio' };

/** Registers an agent in a session of its own. */
async function register(role: string, capabilities: readonly string[], user = 'ada') {
  const caller: CallerOptions = { user, agent: `client-${role}`, session: `ses_${user}_${role}`, transport: 'stdio' };
  const { agent_id } = await app.call('register_agent', { role, capabilities }, caller);
  return { agent_id: String(agent_id), caller, inbox: () => app.call('check_inbox', {}, caller) };
}

const SEARCH = {
  task_description: 'Optimize search on elastic1\nIt got slow.',
  required_capabilities: ['elasticsearch_ops'],
};

test('goes to the one that can do it, with a task and a message', async () => {
  const specialist = await register('specialist', ['elasticsearch_ops', 'monitoring']);
  const writer = await register('writer', ['documentation']);
  const done = await app.call('delegate_task', { ...SEARCH, priority: 'high' }, LEAD);
  expect(done).toMatchObject({
    title: 'Optimize search on elastic1',
    status: 'todo',
    queued: false,
    assigned_agent_id: specialist.agent_id,
    missing: [],
  });
  expect(done.reason).toMatch(/^The only one there that can do it: load 0, no history\./);
  expect(done.considered.map(({ agent_id }: { agent_id: string }) => agent_id)).toEqual([
    specialist.agent_id,
    writer.agent_id,
  ]);
  expect(done.considered[1]).toMatchObject({ score: null, record: 'lacks elasticsearch_ops' });
  const { messages } = await specialist.inbox();
  expect(messages).toMatchObject([{ message_id: done.message_ids[0], kind: 'task', task_id: done.task_id }]);
  expect((await writer.inbox()).messages).toEqual([]);
  expect(await app.rows('select * from tasks')).toMatchObject([
    {
      task_id: done.task_id,
      description: SEARCH.task_description,
      priority: 1,
      assigned_agent_id: specialist.agent_id,
      delegated_by: 'lead',
      required_capabilities: '["elasticsearch_ops"]',
    },
  ]);
});

test('agents that lack what is needed are named up to three, the rest is counted', async () => {
  await register('specialist', ['elasticsearch_ops']);
  for (const role of ['a', 'b', 'c', 'd', 'e']) await register(role, ['documentation']);
  const done = await app.call('delegate_task', SEARCH, LEAD);
  expect(done.considered).toHaveLength(4);
  expect(done.lacking).toBe(2);
  const text = await app.text('delegate_task', SEARCH, LEAD);
  expect(text).toContain('2 more lack what it needs');
  const { task } = await app.call(
    'create_kanban_task',
    { title: 'Rare', required_capabilities: ['database_ops'] },
    LEAD,
  );
  const { explanation } = await app.call('assign_kanban_task', { task_id: task.task_id, auto_assign: true }, LEAD);
  expect(explanation).toContain('3 more lack what it needs');
});

test('of several, the one with less to do', async () => {
  const first = await register('first', ['elasticsearch_ops']);
  const second = await register('second', ['elasticsearch_ops']);
  const got: string[] = [];
  for (let i = 0; i < 4; i++) got.push((await app.call('delegate_task', SEARCH, LEAD)).assigned_agent_id);
  expect(got.toSorted()).toEqual([first, first, second, second].map(({ agent_id }) => agent_id).toSorted());
  expect(got[0]).not.toBe(got[1]);
});

test('whoever delegates is not given it back', async () => {
  const alone = await register('alone', ['elasticsearch_ops']);
  const done = await app.call('delegate_task', SEARCH, alone.caller);
  expect(done).toMatchObject({ queued: true, assigned_agent_id: null });
});

test('with nobody capable it waits, says what is missing, and is offered to who registers with it', async () => {
  await register('writer', ['documentation']);
  const done = await app.call('delegate_task', SEARCH, LEAD);
  expect(done).toMatchObject({ queued: true, assigned_agent_id: null, status: 'todo', missing: ['elasticsearch_ops'] });
  expect(done.reason).toMatch(/Nobody there has elasticsearch_ops\. The task waits and is offered/);
  const caller: CallerOptions = { agent: 'late', session: 'ses_late', transport: 'stdio' };
  const late = await app.call('register_agent', { role: 'late', capabilities: ['elasticsearch_ops'] }, caller);
  expect(late.offers).toMatchObject([{ task_id: done.task_id }]);
});

test('who could do it and is away finds an offer, and is not given the task', async () => {
  const away = await register('specialist', ['elasticsearch_ops']);
  app.clock.advance(limits.agent_presence_ttl_ms + 1);
  const done = await app.call('delegate_task', SEARCH, LEAD);
  expect(done).toMatchObject({ queued: true, missing: [] });
  expect(done.reason).toContain(`Who could do it is offline: ${away.agent_id}`);
  const { messages } = await away.inbox();
  expect(messages).toMatchObject([{ kind: 'offer', task_id: done.task_id }]);
});

test('a named agent gets it, also while it is away; one that lacks a capability does not', async () => {
  const writer = await register('writer', ['documentation']);
  const named = { ...SEARCH, agent_id: writer.agent_id };
  const refused = await app.refusal('delegate_task', named, LEAD);
  expect(refused).toMatchObject({ code: 'invalid_input', details: { missing: ['elasticsearch_ops'] } });
  expect(refused.hint).toContain('It has documentation');
  const { required_capabilities: _, ...anything } = named;
  app.clock.advance(limits.agent_presence_ttl_ms + 1);
  const done = await app.call('delegate_task', anything, LEAD);
  expect(done).toMatchObject({ queued: false, assigned_agent_id: writer.agent_id });
  expect(done.reason).toMatch(/^You named it\. It is offline since /);
  expect(await app.refusal('delegate_task', { ...SEARCH, agent_id: 'nobody' }, LEAD)).toMatchObject({
    code: 'not_found',
  });
});

test('nothing is left of a delegation that is refused', async () => {
  const { agent_id } = await register('writer', ['documentation']);
  await app.refusal('delegate_task', { ...SEARCH, agent_id }, LEAD);
  await app.refusal('delegate_task', { ...SEARCH, project_id: 'proj_nowhere' }, LEAD);
  await app.refusal('delegate_task', { ...SEARCH, team_id: 'team_nowhere' }, LEAD);
  expect(await app.rows('select task_id from tasks')).toEqual([]);
  expect(await app.rows('select message_id from agent_messages')).toEqual([]);
});

async function teamOf(name: string, members: readonly string[], role = 'member'): Promise<string> {
  const { team_id } = await app.call('create_team', { name });
  for (const user_id of members) await app.call('add_team_member', { team_id, user_id, role });
  return team_id;
}

test('a colleague’s agent gets it in the team that both share, and only there', async () => {
  const first = await teamOf('Search', ['bob']);
  const bobs = await register('bobs', ['elasticsearch_ops'], 'bob');
  const named = { ...SEARCH, agent_id: bobs.agent_id };
  const done = await app.call('delegate_task', named, LEAD);
  const [task] = await app.rows('select scope, team_id from tasks where task_id = ?', done.task_id);
  expect(task).toEqual({ scope: 'team', team_id: first });
  // Said otherwise, it would be out of their sight.
  expect(await app.refusal('delegate_task', { ...named, scope: 'solo' }, LEAD)).toMatchObject({
    code: 'invalid_input',
  });
  const second = await teamOf('Storage', ['bob']);
  const asked = await app.refusal('delegate_task', named, LEAD);
  expect(asked).toMatchObject({ code: 'invalid_input' });
  expect(asked.details?.team_ids).toEqual([first, second].toSorted());
  expect(await app.call('delegate_task', { ...named, team_id: second }, LEAD)).toMatchObject({ queued: false });
});

test('the best is looked for among those who may work in that place', async () => {
  const team_id = await teamOf('Search', ['bob']);
  await app.call('add_team_member', { team_id, user_id: 'rita', role: 'readonly' });
  const bobs = await register('bobs', ['elasticsearch_ops'], 'bob');
  await register('ritas', ['elasticsearch_ops'], 'rita');
  await register('strangers', ['elasticsearch_ops'], 'zoe');
  expect(await app.call('delegate_task', SEARCH, LEAD)).toMatchObject({ queued: true, considered: [] });
  const done = await app.call('delegate_task', { ...SEARCH, team_id }, LEAD);
  expect(done.assigned_agent_id).toBe(bobs.agent_id);
  expect(done.considered).toHaveLength(1);
  const everybodys = await app.call('delegate_task', { ...SEARCH, scope: 'shared' }, LEAD);
  expect(everybodys.considered.map(({ agent_id }: { agent_id: string }) => agent_id)).not.toContain('strangers');
});

test('secrets do not reach the task or the message', async () => {
  const specialist = await register('specialist', ['elasticsearch_ops']);
  const secret = `ghp_${'aB3dE5gH7j'.repeat(3)}kL9mN1`;
  const task_description = `Log in with ${secret} and reindex`;
  const done = await app.call('delegate_task', { ...SEARCH, task_description }, LEAD);
  const { messages } = await specialist.inbox();
  expect(JSON.stringify([done, messages, await app.rows('select * from tasks')])).not.toContain(secret);
});

test('a token needs the scope of tasks as well', async () => {
  const scopes = ['agent.write', 'agent.read'] as const;
  const principal = { user_id: 'ada', agent_id: 'lead', machine_id: 'test-machine' };
  const call = app.runtime.executor.execute('delegate_task', SEARCH, {
    principal: { ...principal, credential: { kind: 'token', admin: false, scopes } },
    session: { key: 'ses_token', transport: 'rest' },
    request_id: 'req_test',
    signal: new AbortController().signal,
    reportProgress: () => {},
  });
  await expect(call).rejects.toMatchObject({ code: 'forbidden' });
});

test('of equals the one that did such work well, and not the one that failed at it', async () => {
  const alpha = await register('alpha', ['elasticsearch_ops', 'documentation']);
  const zeta = await register('zeta', ['elasticsearch_ops', 'documentation']);
  async function end(agent: typeof alpha, status: string, required_capabilities: readonly string[]): Promise<void> {
    const wanted = { ...SEARCH, required_capabilities, agent_id: agent.agent_id };
    const { task_id } = await app.call('delegate_task', wanted, LEAD);
    await app.call('claim_next', { task_id }, agent.caller);
    await app.call('update_kanban_task', { task_id, status, resolution: 'That is how it went.' }, agent.caller);
  }
  const chosen = async (required_capabilities: readonly string[]): Promise<Answer> => {
    const done = await app.call('delegate_task', { ...SEARCH, required_capabilities }, LEAD);
    // Only what is chosen is looked at here: it must not weigh on the next choice.
    await app.call('update_kanban_task', { task_id: done.task_id, status: 'cancelled' }, LEAD);
    return done;
  };
  expect((await chosen(['elasticsearch_ops'])).assigned_agent_id).toBe(alpha.agent_id);
  await end(zeta, 'done', ['elasticsearch_ops']);
  const proven = await chosen(['elasticsearch_ops']);
  expect(proven.assigned_agent_id).toBe(zeta.agent_id);
  expect(proven.reason).toBe('Best of 2 that can do it: load 0, success 67 %.');
  // What it did well says nothing about other work.
  expect((await chosen(['documentation'])).assigned_agent_id).toBe(alpha.agent_id);
  await end(alpha, 'failed', ['documentation']);
  expect((await chosen(['documentation'])).assigned_agent_id).toBe(zeta.agent_id);
  // And what was long ago nothing any more.
  app.clock.advance(31 * DAY_MS);
  for (const { caller } of [alpha, zeta]) await app.call('get_agent_roster', {}, caller);
  expect((await chosen(['documentation'])).assigned_agent_id).toBe(alpha.agent_id);
});

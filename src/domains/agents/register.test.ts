// Registration: who a session acts as, again after a restart, and by which credential.
import { describe, expect, test } from 'vitest';
import { type App, contextOf, openApp, refusalOf } from '../../../test/support/open-app.ts';
import type { Credential } from '../../kernel/operation.ts';

const GROUPS = {
  machine_groups: {
    search: { machines: ['elastic*'], capabilities: ['elasticsearch_ops', 'search_tuning'] },
    tests: { machines: ['test-*'], capabilities: ['testing'] },
  },
};
const ADA = { user: 'ada', session: 'ses_a', agent: 'claude-code' };

let noted = 0;

/** The agent that a caller's memories carry. */
async function actsAs(app: App, caller: object): Promise<string> {
  const memory_id = await app.store(`Note ${++noted}`, {}, caller);
  return (await app.rows('select agent_id from memories where memory_id = ?', memory_id))[0]?.agent_id as string;
}

/** A call with a credential. */
async function callWith(app: App, credential: Credential, operation: string, input: object, caller: object) {
  const ctx = contextOf('test-machine', caller);
  const principal = { ...ctx.principal, credential };
  return (await app.runtime.executor.execute(operation, input, { ...ctx, principal })).output as Record<string, never>;
}

test('eight calls at once make one agent', async () => {
  await using app = await openApp();
  await using other = await openApp({ data_dir: app.data_dir, clock: app.clock });
  const calls = Array.from({ length: 8 }, (_, i) =>
    (i % 2 ? app : other).call('register_agent', { role: 'specialist' }, { ...ADA, session: `ses_${i}` }),
  );
  const answers = await Promise.all(calls);
  expect(new Set(answers.map(({ agent_id }) => agent_id))).toEqual(new Set(['test-machine-specialist']));
  expect(answers.filter(({ created }) => created)).toHaveLength(1);
  expect(await app.rows('select agent_id from agents')).toHaveLength(1);
  // One change in the record of changes: what says the same again changes nothing.
  expect(await app.rows("select entity_id from changes where entity = 'agent'")).toHaveLength(1);
});

test('names are of machine and role, and made longer where another has them', async () => {
  await using app = await openApp();
  const register = async (role: string, caller: object) =>
    (await app.call('register_agent', { role }, caller)).agent_id;
  expect(await register('hive_mind', ADA)).toBe('test-machine-hive_mind');
  expect(await register('hive_mind', { user: 'bob', session: 's' })).toBe('test-machine-hive_mind-bob');
  expect(await register('hive_mind', { ...ADA, session: 's2', agent: 'codex' })).toBe('test-machine-hive_mind-ada');
  expect(await register('hive_mind', { ...ADA, session: 's3', agent: 'other' })).toBe(
    'test-machine-hive_mind-ada-other',
  );
  expect(await register('Front of house!', ADA)).toBe('test-machine-Front-of-house');
  expect(await register('受付', ADA)).toBe('test-machine-agent');
  expect(await register('hive_mind', ADA)).toBe('test-machine-hive_mind');
});

describe('capabilities', () => {
  test('are those of the machine group unless given, and stay given', async () => {
    await using app = await openApp({ claudeops: GROUPS });
    const register = (input: object) => app.call('register_agent', { role: 'specialist', ...input }, ADA);
    expect(await register({})).toMatchObject({ capabilities: ['testing'], capabilities_from: 'machine_group' });
    expect(await register({ machine: 'elastic1' })).toMatchObject({
      agent_id: 'elastic1-specialist',
      machine_id: 'elastic1',
      capabilities: ['elasticsearch_ops', 'search_tuning'],
    });
    const given = { capabilities: ['Deploying', 'testing'], capabilities_from: 'given' };
    expect(await register({ capabilities: 'Deploying, testing' })).toMatchObject({
      ...given,
      capabilities: ['deploying', 'testing'],
    });
    expect(await register({})).toMatchObject({ capabilities: ['deploying', 'testing'], capabilities_from: 'given' });
    expect(await register({ capabilities: [] })).toMatchObject({ capabilities_from: 'machine_group' });
  });

  test('are none where nothing says any', async () => {
    await using app = await openApp();
    const answer = await app.call('register_agent', { role: 'helper', description: 'Helps' }, ADA);
    expect(answer).toMatchObject({ created: true, capabilities: [], capabilities_from: 'none', tasks: [], offers: [] });
  });
});

describe('a session acts as the agent it registered', () => {
  test('on every record, also after a restart, and in a new session where only one can be meant', async () => {
    await using app = await openApp();
    expect(await actsAs(app, ADA)).toBe('claude-code');
    await app.call('register_agent', { role: 'one' }, ADA);
    expect(await actsAs(app, ADA)).toBe('test-machine-one');
    await using restarted = await openApp({ data_dir: app.data_dir, clock: app.clock });
    expect(await actsAs(restarted, ADA)).toBe('test-machine-one');
    const fresh = { ...ADA, session: 'ses_fresh' };
    expect(await actsAs(restarted, fresh)).toBe('test-machine-one');
    // Now two could be meant: only bound sessions act as one of them.
    await restarted.call('register_agent', { role: 'two' }, { ...ADA, session: 'ses_two' });
    expect(await actsAs(app, fresh)).toBe('claude-code');
    expect(await actsAs(app, ADA)).toBe('test-machine-one');
    expect(await actsAs(app, { ...ADA, session: 'ses_two' })).toBe('test-machine-two');
  });

  test('and nobody else does: other users, other clients, other machines', async () => {
    await using app = await openApp();
    await app.call('register_agent', { role: 'one' }, ADA);
    expect(await actsAs(app, { ...ADA, user: 'bob' })).toBe('claude-code');
    expect(await actsAs(app, { ...ADA, session: 'ses_b', agent: 'codex' })).toBe('codex');
    await using elsewhere = await openApp({ data_dir: app.data_dir, clock: app.clock, machine_id: 'other-machine' });
    expect(await actsAs(elsewhere, { ...ADA, session: 'ses_c' })).toBe('claude-code');
  });

  test('working on another machine gives its name, and not its identity on records', async () => {
    await using app = await openApp();
    await app.call('register_agent', { role: 'specialist', machine: 'elastic1' }, ADA);
    const memory_id = await app.store('Shards are balanced.', {}, ADA);
    expect(await app.rows('select agent_id, machine_id from memories where memory_id = ?', memory_id)).toEqual([
      { agent_id: 'elastic1-specialist', machine_id: 'test-machine' },
    ]);
  });
});

describe('a credential that names', () => {
  test('its agent fixes the id, whatever session it is used in', async () => {
    await using app = await openApp();
    const credential: Credential = { kind: 'token', admin: false, agent_id: 'release-bot' };
    const bot = { user: 'ada', session: 'ses_bot', agent: 'release-bot' };
    const answer = await callWith(app, credential, 'register_agent', { role: 'releases' }, bot);
    expect(answer).toMatchObject({ agent_id: 'release-bot', created: true });
    const again = await callWith(app, credential, 'register_agent', { role: 'deploys' }, bot);
    expect(again).toMatchObject({ agent_id: 'release-bot', created: false, role: 'deploys' });
    await app.call('register_agent', { role: 'one' }, ADA);
    // The session of somebody else of the same user does not lend its agent.
    const inbox = await callWith(app, credential, 'check_inbox', {}, { ...bot, session: ADA.session });
    expect(inbox).toMatchObject({ agent_id: 'release-bot' });
  });

  test('an agent of another user registers nothing', async () => {
    await using app = await openApp();
    await app.call('register_agent', { role: 'one' }, ADA);
    const credential: Credential = { kind: 'token', admin: false, agent_id: 'test-machine-one' };
    const call = callWith(app, credential, 'register_agent', { role: 'x' }, { user: 'bob', agent: 'test-machine-one' });
    expect(await refusalOf(call)).toMatchObject({ code: 'conflict' });
  });

  test('its machine registers no agent of another', async () => {
    await using app = await openApp();
    const credential: Credential = { kind: 'token', admin: false, machine_id: 'test-machine' };
    const call = callWith(app, credential, 'register_agent', { role: 'x', machine: 'elastic1' }, ADA);
    expect(await refusalOf(call)).toMatchObject({ code: 'forbidden' });
    const own = await callWith(app, credential, 'register_agent', { role: 'x', machine: 'test-machine' }, ADA);
    expect(own).toMatchObject({ agent_id: 'test-machine-x' });
  });
});

test('secrets in a description are replaced', async () => {
  await using app = await openApp();
  const secret = `ghp_${'a1B2'.repeat(9)}`;
  await app.call('register_agent', { role: 'one', description: `uses ${secret}` }, ADA);
  const { agents } = await app.call('get_agent_roster', {}, ADA);
  expect(agents[0].description).toMatch(/^uses /);
  expect(agents[0].description).not.toContain(secret);
});

test('a project the session switched to is that of its memories, as long as it may be seen', async () => {
  await using app = await openApp();
  const { team_id } = await app.call('create_team', { name: 'Dock' }, { user: 'bob' });
  await app.call('add_team_member', { team_id, user_id: 'ada', role: 'member' }, { user: 'bob' });
  const { project_id } = await app.call('create_project', { name: 'Crane', team_id }, { user: 'bob' });
  const here = { ...ADA, project: 'folder' };
  const placeOf = async (content: string, fields: object = {}) => {
    const memory_id = await app.store(content, { scope: 'solo', ...fields }, here);
    return (await app.rows('select project, project_id from memories where memory_id = ?', memory_id))[0];
  };
  expect(await placeOf('before')).toEqual({ project: 'folder', project_id: null });
  await app.call('switch_project_context', { project_id, reason: 'to work' }, here);
  expect(await placeOf('within')).toEqual({ project: 'Crane', project_id });
  expect(await placeOf('of another', { project: 'other' })).toEqual({ project: 'other', project_id: null });
  expect(await placeOf('by id', { project_id: 'proj_other' })).toEqual({ project: null, project_id: 'proj_other' });
  await app.call('remove_team_member', { team_id, user_id: 'ada' }, { user: 'bob' });
  expect(await placeOf('after')).toEqual({ project: 'folder', project_id: null });
});

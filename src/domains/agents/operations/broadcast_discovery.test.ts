// Broadcasting: remembered once, and in the inbox of every agent that may see it, once.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type App, type CallerOptions, openApp } from '../../../../test/support/open-app.ts';

let app: App;
beforeEach(async () => {
  app = await openApp();
});
afterEach(() => app[Symbol.asyncDispose]());

const callerOf = (role: string, user = 'ada'): CallerOptions => ({
  ...{ user, agent: `client-${role}`, session: `ses_${user}_${role}`, transport: 'stdio' },
});

async function register(role: string, user = 'ada'): Promise<string> {
  return (await app.call('register_agent', { role }, callerOf(role, user))).agent_id;
}

const inbox = async (role: string, user = 'ada'): Promise<Answer[]> =>
  (await app.call('check_inbox', {}, callerOf(role, user))).messages;

const LEAK = { message: 'Found memory leak in scraper service', category: 'infrastructure', severity: 'warning' };

test('a memory and a message to each of the user’s other agents', async () => {
  const finder = await register('finder');
  await register('second');
  await register('third');
  await register('stranger', 'zoe');
  const done = await app.call('broadcast_discovery', LEAK, callerOf('finder'));
  expect(done).toMatchObject({ created: true, concerned: 2, told: 2, known: 0, redacted: [] });
  const { memory_id } = done;
  const memory = await app.call('retrieve_memory', { memory_id }, callerOf('second'));
  expect(memory).toMatchObject({
    content: LEAK.message,
    category: 'infrastructure',
    agent_id: finder,
    importance: 0.6,
  });
  expect(memory.tags.toSorted()).toEqual(['discovery', 'warning']);
  for (const role of ['second', 'third'])
    expect(await inbox(role)).toMatchObject([
      { kind: 'discovery', body: LEAK.message, severity: 'warning', memory_id, from_agent_id: finder },
    ]);
  expect(await inbox('finder')).toEqual([]);
  expect(await inbox('stranger', 'zoe')).toEqual([]);
});

test('the same discovery again reaches only those who did not have it', async () => {
  await register('finder');
  await register('second');
  const first = await app.call('broadcast_discovery', LEAK, callerOf('finder'));
  const [message] = await inbox('second');
  await app.call('check_inbox', { acknowledge: [message!.message_id] }, callerOf('second'));
  await register('late');
  const again = await app.call('broadcast_discovery', LEAK, callerOf('finder'));
  expect(again).toMatchObject({ memory_id: first.memory_id, created: false, concerned: 2, told: 1, known: 1 });
  expect(await inbox('second')).toEqual([]);
  expect(await inbox('late')).toHaveLength(1);
});

test('in a team it is the team’s, and reaches the agents of those who may read there', async () => {
  const { team_id } = await app.call('create_team', { name: 'Search' });
  await app.call('add_team_member', { team_id, user_id: 'bob', role: 'member' });
  await app.call('set_mode', { mode: 'team', context_id: team_id }, callerOf('finder'));
  await register('finder');
  await register('bobs', 'bob');
  await register('stranger', 'zoe');
  const done = await app.call('broadcast_discovery', { ...LEAK, severity: 'critical' }, callerOf('finder'));
  expect(done).toMatchObject({ concerned: 1, told: 1 });
  const [message] = await inbox('bobs', 'bob');
  const memory = await app.call('retrieve_memory', { memory_id: message!.memory_id }, callerOf('bobs', 'bob'));
  expect(memory).toMatchObject({ scope: 'team', team_id, importance: 0.95 });
  // Solo stays with oneself, in whatever mode it is said.
  expect(await app.call('broadcast_discovery', { message: 'Mine', scope: 'solo' }, callerOf('finder'))).toMatchObject({
    concerned: 0,
    told: 0,
  });
});

test('nobody writes to strangers, whatever they might see', async () => {
  await register('finder');
  await register('stranger', 'zoe');
  const done = await app.call('broadcast_discovery', { ...LEAK, scope: 'shared' }, callerOf('finder'));
  expect(done).toMatchObject({ concerned: 0 });
  expect(await inbox('stranger', 'zoe')).toEqual([]);
});

test('secrets reach neither the memory nor the inboxes', async () => {
  await register('finder');
  await register('second');
  const secret = `ghp_${'aB3dE5gH7j'.repeat(3)}kL9mN1`;
  const done = await app.call('broadcast_discovery', { message: `It logs ${secret}` }, callerOf('finder'));
  expect(done.redacted).toHaveLength(1);
  const rows = [await app.rows('select content from memories'), await app.rows('select body from agent_messages')];
  expect(JSON.stringify(rows)).not.toContain(secret);
  expect(JSON.stringify(rows)).toContain('It logs');
});

test('where it may not be remembered nobody is told', async () => {
  const { team_id } = await app.call('create_team', { name: 'Search' });
  await app.call('add_team_member', { team_id, user_id: 'rita', role: 'readonly' });
  await register('finder', 'rita');
  await register('adas');
  const caller = callerOf('finder', 'rita');
  await app.call('set_mode', { mode: 'team', context_id: team_id }, caller);
  expect(await app.refusal('broadcast_discovery', LEAK, caller)).toMatchObject({ code: 'forbidden' });
  expect(await inbox('adas')).toEqual([]);
});

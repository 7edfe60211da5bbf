// Who a session is that registered no agent, where what its program calls itself is the name of another user's agent.
import { expect, test } from 'vitest';
import { type App, type CallerOptions, openApp } from '../../test/support/open-app.ts';

const http = (user: string, agent: string, session: string): CallerOptions => ({
  ...{ user, agent, session },
  transport: 'http',
});
const ADA = http('ada', 'claude-code', 'ses_ada');

async function lead(app: App): Promise<string> {
  return (await app.call('register_agent', { role: 'lead' }, ADA)).agent_id;
}

test('a program that calls itself as another user’s agent is named does not act as it', async () => {
  await using app = await openApp();
  const agent_id = await lead(app);
  const bob = http('bob', agent_id, 'ses_bob');
  const shared = { title: 'For all', scope: 'shared' };
  const { task } = await app.call('create_kanban_task', { ...shared, assigned_agent_id: agent_id }, ADA);
  expect(await app.refusal('claim_next', { task_id: task.task_id }, bob)).toMatchObject({ code: 'conflict' });
  expect(await app.call('claim_next', {}, bob)).toMatchObject({ task: null });
  await app.call('create_kanban_task', { ...shared, title: 'Another' }, ADA);
  const claimed = await app.call('claim_next', {}, bob);
  expect(claimed.task).toMatchObject({ title: 'Another', holder_agent_id: `${agent_id}-bob` });
  const memory_id = await app.store('What Bob thinks of the harbour', { scope: 'shared' }, bob);
  expect(await app.rows('select agent_id from memories where memory_id = ?', memory_id)).toEqual([
    { agent_id: `${agent_id}-bob` },
  ]);
  const [entry] = (await app.call('get_agent_roster', {}, ADA)).agents;
  expect(entry).toMatchObject({ agent_id, load: { held: 0, assigned: 1 } });
});

test('it keeps its own name once it is registered, and finds itself again in another session', async () => {
  await using app = await openApp();
  const agent_id = await lead(app);
  const bob = http('bob', agent_id, 'ses_bob');
  const registered = await app.call('register_agent', { role: 'mate' }, bob);
  expect(await app.rows('select client from agents where agent_id = ?', registered.agent_id)).toEqual([
    { client: agent_id },
  ]);
  const memory_id = await app.store('Of the mate', {}, { ...bob, session: 'ses_bob_2' });
  expect(await app.rows('select agent_id from memories where memory_id = ?', memory_id)).toEqual([
    { agent_id: registered.agent_id },
  ]);
});

test('nor as a third agent that is named as it would be then', async () => {
  await using app = await openApp();
  const agent_id = await lead(app);
  const eve = http('eve', 'cursor', 'ses_eve');
  expect((await app.call('register_agent', { role: 'bob', machine: agent_id }, eve)).agent_id).toBe(`${agent_id}-bob`);
  const memory_id = await app.store('Of Bob', {}, http('bob', agent_id, 'ses_bob'));
  expect(await app.rows('select agent_id from memories where memory_id = ?', memory_id)).toEqual([
    { agent_id: `${agent_id}-bob-bob` },
  ]);
});

test('what a namesake did before the agent was there is not work of the agent', async () => {
  await using app = await openApp();
  const done = async (title: string, end: object) => {
    const { task } = await app.call('create_kanban_task', { title }, ADA);
    await app.call('claim_next', { task_id: task.task_id }, ADA);
    await app.call('update_kanban_task', { task_id: task.task_id, ...end }, ADA);
  };
  await done('Dredge', { status: 'failed', resolution: 'Too deep.' });
  await done('Pave', { progress: 10 });
  const { task } = await app.call('create_kanban_task', { title: 'Paint', scope: 'shared' }, ADA);
  await app.call('claim_next', { task_id: task.task_id }, ADA);
  await app.call('update_kanban_task', { task_id: task.task_id, status: 'done', resolution: 'Red paint.' }, ADA);
  const bob = http('bob', 'cursor', 'ses_bob');
  const { agent_id } = await app.call('register_agent', { role: 'code', machine: 'claude' }, bob);
  expect(agent_id).toBe(ADA.agent);
  const [entry] = (await app.call('get_agent_roster', {}, bob)).agents;
  expect(entry).toMatchObject({ agent_id, load: { held: 0, assigned: 0, done_30d: 0, failed_30d: 0 } });
  const known = await app.call('query_agent_knowledge', { agent_id, query: 'paint' }, bob);
  expect(known.knowledge).toEqual([]);
});

test('a script of the same user that names the agent acts as it', async () => {
  await using app = await openApp();
  const agent_id = await lead(app);
  await app.call('send_message', { to_agent_id: agent_id, message: 'The harbour is closed' }, ADA);
  const { messages } = await app.call('check_inbox', {}, { ...http('ada', agent_id, 'ses_script'), transport: 'rest' });
  expect(messages).toMatchObject([{ body: expect.stringContaining('harbour is closed') }]);
});

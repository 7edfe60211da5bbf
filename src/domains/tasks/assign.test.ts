// Whose a task is: given, chosen, taken away, and who is told of it.
import { describe, expect, test } from 'vitest';
import { type Answer, type App, type CallerOptions, openApp } from '../../../test/support/open-app.ts';

const session = (name: string, more: CallerOptions = {}): CallerOptions => ({
  agent: name,
  session: `ses_${name}`,
  transport: 'http',
  ...more,
});
const LEAD = session('lead');

async function register(app: App, role: string, capabilities: readonly string[] = [], more: CallerOptions = {}) {
  const caller = session(role, more);
  const { agent_id } = await app.call('register_agent', { role, capabilities }, caller);
  return { agent_id: String(agent_id), caller };
}
const make = async (app: App, title: string, fields: object = {}, caller?: CallerOptions): Promise<string> =>
  (await app.call('create_kanban_task', { title, related_limit: 0, ...fields }, caller)).task.task_id;
const assign = (app: App, task_id: string, fields: object, caller: CallerOptions = LEAD): Promise<Answer> =>
  app.call('assign_kanban_task', { task_id, ...fields }, caller);
const inbox = async (app: App, caller: CallerOptions): Promise<string[]> =>
  (await app.call('check_inbox', {}, caller)).messages.map(({ body }: { body: string }) => body);

describe('assigning', () => {
  test('a named agent is told, gets the task first, and nobody else gets it', async () => {
    await using app = await openApp();
    const ann = await register(app, 'ann');
    const bob = await register(app, 'bob');
    await make(app, 'More urgent', { priority: 'critical' });
    const task_id = await make(app, 'Tune', { required_capabilities: ['search'] });
    const { explanation, assigned_agent_id } = await assign(app, task_id, { agent_id: ann.agent_id });
    expect(assigned_agent_id).toBe(ann.agent_id);
    expect(explanation).toContain('It does not say that it can do search.');
    expect(await inbox(app, ann.caller)).toEqual([expect.stringContaining(`claim_next task_id=${task_id}`)]);
    expect(await app.refusal('claim_next', { task_id }, bob.caller)).toMatchObject({ code: 'conflict' });
    expect((await app.call('claim_next', {}, ann.caller)).task.task_id).toBe(task_id);
  });

  test('the best one there is chosen by capability and load; with nobody there it says so', async () => {
    await using app = await openApp();
    const task_id = await make(app, 'Tune', { required_capabilities: ['search'] });
    const nobody = await assign(app, task_id, { auto_assign: true });
    expect(nobody).toMatchObject({ assigned_agent_id: null, explanation: expect.stringContaining('Still nobody') });
    await register(app, 'other', ['storage']);
    const busy = await register(app, 'busy', ['search']);
    const free = await register(app, 'free', ['search']);
    await assign(app, await make(app, 'Something'), { agent_id: busy.agent_id });
    const { assigned_agent_id, explanation } = await assign(app, task_id, { auto_assign: true });
    expect(assigned_agent_id).toBe(free.agent_id);
    expect(explanation).toContain('Best of 2');
  });

  test('it needs exactly one wish, an agent there is, and a task that is not over', async () => {
    await using app = await openApp();
    const task_id = await make(app, 'Tune');
    const refused = async (fields: object) => (await app.refusal('assign_kanban_task', { task_id, ...fields })).code;
    expect(await refused({})).toBe('invalid_input');
    expect(await refused({ auto_assign: true, unassign: true })).toBe('invalid_input');
    expect(await refused({ agent_id: 'nobody-there' })).toBe('not_found');
    await app.call('update_kanban_task', { task_id, status: 'cancelled' });
    expect(await refused({ unassign: true })).toBe('conflict');
  });

  test('nobody is given what their user cannot see', async () => {
    await using app = await openApp();
    const { team_id } = await app.call('create_team', { name: 'Harbour' });
    await app.call('add_team_member', { team_id, user_id: 'eve', role: 'member' });
    const eve = await register(app, 'eve', [], { user: 'eve' });
    const own = await make(app, 'Mine alone');
    expect(await app.refusal('assign_kanban_task', { task_id: own, agent_id: eve.agent_id })).toMatchObject({
      code: 'invalid_input',
    });
    const shared = await make(app, 'Ours', { team_id });
    expect((await assign(app, shared, { agent_id: eve.agent_id })).assigned_agent_id).toBe(eve.agent_id);
    expect((await app.call('claim_next', {}, eve.caller)).task.task_id).toBe(shared);
  });
});

describe('taking a task away', () => {
  test('ends the claim at that moment: the late holder is told and refused', async () => {
    await using app = await openApp();
    const ann = await register(app, 'ann');
    const bob = await register(app, 'bob');
    const task_id = await make(app, 'Tune');
    const { fencing_token } = await app.call('claim_next', {}, ann.caller);
    const taken = await assign(app, task_id, { agent_id: bob.agent_id, comment: 'Ann is on holiday.' });
    expect(taken).toMatchObject({ taken_from: ann.agent_id, task: { status: 'todo', holder_agent_id: null } });
    const late = { task_id, fencing_token, status: 'done', resolution: 'x' };
    expect(await app.refusal('update_kanban_task', late, ann.caller)).toMatchObject({ code: 'conflict' });
    expect(await inbox(app, ann.caller)).toEqual([expect.stringContaining('Taken away from you')]);
    expect(await inbox(app, bob.caller)).toHaveLength(1);
    const again = await app.call('claim_next', {}, bob.caller);
    expect(again.fencing_token).toBeGreaterThan(fencing_token + 1);
  });

  test('is for whoever manages work there, and for the holder itself', async () => {
    await using app = await openApp();
    const { team_id } = await app.call('create_team', { name: 'Harbour' });
    for (const user_id of ['bea', 'cid', 'dan'])
      await app.call('add_team_member', { team_id, user_id, role: user_id === 'dan' ? 'admin' : 'member' });
    const bea = await register(app, 'bea', [], { user: 'bea' });
    const cid = await register(app, 'cid', [], { user: 'cid' });
    const task_id = await make(app, 'Ours', { team_id });
    await app.call('claim_next', { task_id }, bea.caller);
    const to = { task_id, agent_id: cid.agent_id };
    expect(await app.refusal('assign_kanban_task', to, cid.caller)).toMatchObject({ code: 'forbidden' });
    expect((await assign(app, task_id, to, bea.caller)).taken_from).toBe(bea.agent_id);
    await app.call('claim_next', { task_id }, cid.caller);
    const back = await assign(app, task_id, { unassign: true }, session('dan', { user: 'dan' }));
    expect(back).toMatchObject({ taken_from: cid.agent_id, assigned_agent_id: null, task: { ready: true } });
  });
});

test('who waits for a task is told when it can begin, and who delegated what came of it', async () => {
  await using app = await openApp();
  const ann = await register(app, 'ann');
  const bob = await register(app, 'bob');
  const first = await make(app, 'Measure');
  const second = await make(app, 'Tune', { dependencies: [first] });
  await assign(app, second, { agent_id: ann.agent_id });
  expect(await inbox(app, ann.caller)).toHaveLength(1);
  app.clock.advance(1);
  await app.call('claim_next', { task_id: first }, bob.caller);
  await app.call('update_kanban_task', { task_id: first, status: 'done', resolution: 'Slow disks.' }, bob.caller);
  expect(await inbox(app, ann.caller)).toEqual([
    expect.stringContaining('Assigned to you'),
    expect.stringContaining('Ready to begin'),
  ]);
  const delegated = await app.call(
    'delegate_task',
    { task_description: 'Buy disks', agent_id: ann.agent_id },
    bob.caller,
  );
  const { task_id } = delegated.task ?? delegated;
  await app.call('claim_next', { task_id }, ann.caller);
  await app.call('update_kanban_task', { task_id, status: 'done', resolution: 'Four of them.' }, ann.caller);
  expect(await inbox(app, bob.caller)).toEqual([expect.stringContaining('Four of them.')]);
});

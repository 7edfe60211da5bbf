// Messages about tasks reach nobody who may not see the task at that moment, whatever agents are called.
import { expect, test } from 'vitest';
import { type App, type CallerOptions, openApp } from '../../../test/support/open-app.ts';

const http = (user: string, agent: string, session: string): CallerOptions => ({
  ...{ user, agent, session },
  transport: 'http',
});
const ADA = http('ada', 'claude-code', 'ses_ada');
const OTHER = http('ada', 'codex', 'ses_ada_codex');
const BOB = http('bob', 'cursor', 'ses_bob');

const make = async (app: App, title: string, fields: object = {}): Promise<string> =>
  (await app.call('create_kanban_task', { title, ...fields }, ADA)).task.task_id;
const bodies = async (app: App): Promise<string[]> =>
  (await app.call('check_inbox', {}, BOB)).messages.map(({ body }: { body: string }) => body).toSorted();

/** Bob registers an agent named as Ada's program calls itself. */
async function namesake(app: App): Promise<void> {
  const { agent_id } = await app.call('register_agent', { role: 'code', machine: 'claude' }, BOB);
  expect(agent_id).toBe('claude-code');
}

test('an agent named like another user’s program hears nothing of that user’s tasks', async () => {
  await using app = await openApp();
  const [lapses, assigned, deleted] = [await make(app, 'secret one'), await make(app, 'two'), await make(app, 'three')];
  await app.call('claim_next', { task_id: lapses, lease_seconds: 60 }, ADA);
  const before = await make(app, 'first');
  const waits = await make(app, 'secret four', { dependencies: [before], assigned_agent_id: ADA.agent });
  for (const task_id of [assigned, deleted])
    await app.call('assign_kanban_task', { task_id, agent_id: ADA.agent }, ADA);
  const delegated = await app.call(
    'delegate_task',
    { task_description: 'secret five', required_capabilities: ['sums'] },
    ADA,
  );
  await namesake(app);
  const ends = { status: 'done', resolution: 'secret result' };
  const { task_id } = delegated;
  await app.call('claim_next', { task_id, capabilities: ['sums'] }, OTHER);
  await app.call('update_kanban_task', { task_id, ...ends }, OTHER);
  await app.call('update_kanban_task', { task_id: before, status: 'cancelled' }, OTHER);
  expect((await app.call('get_kanban_task', { task_id: waits }, OTHER)).task.status).toBe('todo');
  await app.call('assign_kanban_task', { task_id: assigned, unassign: true }, OTHER);
  await app.call('delete_kanban_task', { task_id: deleted }, OTHER);
  app.clock.advance(61_000);
  await app.call('claim_next', {}, OTHER);
  expect(await bodies(app)).toEqual([]);
});

test('a member that left the team is told nothing more, and whoever may see the task still is', async () => {
  await using app = await openApp();
  const { team_id } = await app.call('create_team', { name: 'Crew' }, ADA);
  await app.call('add_team_member', { team_id, user_id: 'bob', role: 'member' }, ADA);
  const { agent_id } = await app.call('register_agent', { role: 'deckhand' }, BOB);
  const first = await make(app, 'first', { team_id });
  const other = await make(app, 'other', { team_id });
  for (const dependency of [first, other])
    await make(app, `after ${dependency}`, { team_id, dependencies: [dependency], assigned_agent_id: agent_id });
  await app.call('update_kanban_task', { task_id: first, status: 'cancelled' }, ADA);
  const told = await bodies(app);
  expect(told).toHaveLength(3);
  expect(told.filter((body) => body.startsWith('Ready'))).toEqual([expect.stringContaining(`after ${first}`)]);
  await app.call('remove_team_member', { team_id, user_id: 'bob' }, ADA);
  await app.call('update_kanban_task', { task_id: other, status: 'cancelled' }, ADA);
  expect(await bodies(app)).toEqual(told);
  const shared = await make(app, 'for all', { scope: 'shared' });
  await app.call('assign_kanban_task', { task_id: shared, agent_id }, BOB);
  await app.call('assign_kanban_task', { task_id: shared, unassign: true }, ADA);
  expect((await bodies(app)).filter((body) => body.includes('for all'))).toHaveLength(1);
});

// Claims through the public door: who gets a task, for how long, and whose writes count.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Answer, type App, type CallerOptions, openApp } from '../../../../test/support/open-app.ts';
import { limits } from '../../../kernel/limits.ts';

const SECOND_MS = 1_000;
const PRIORITIES = ['critical', 'high', 'medium', 'low'];
const LEASE_MS = 15 * 60 * SECOND_MS;

const agent = (name: string, more: CallerOptions = {}): CallerOptions => ({
  agent: name,
  session: `ses_${name}`,
  transport: 'http',
  ...more,
});
const ANN = agent('ann');
const BOB = agent('bob');

const make = async (app: App, title: string, fields: object = {}, caller?: CallerOptions): Promise<string> =>
  (await app.call('create_kanban_task', { title, ...fields }, caller)).task.task_id;
const claim = (app: App, caller: CallerOptions, fields: object = {}): Promise<Answer> =>
  app.call('claim_next', fields, caller);
const update = (app: App, task_id: string, fields: object, caller?: CallerOptions): Promise<Answer> =>
  app.call('update_kanban_task', { task_id, ...fields }, caller);
const history = (app: App, task_id: string) =>
  app.rows(
    'select action, from_status, to_status, agent_id, subject_agent_id, comment from task_history where task_id = ? order by version, entry_id',
    task_id,
  );

test('the most urgent ready task comes first, the oldest among equals, and nobody gets it twice', async () => {
  await using app = await openApp();
  const ids: string[] = [];
  for (const [title, priority] of [
    ['low', 'low'],
    ['older', 'high'],
    ['younger', 'high'],
    ['critical', 'critical'],
  ]) {
    ids.push(await make(app, title as string, { priority }));
    app.clock.advance(SECOND_MS);
  }
  const got: string[] = [];
  for (const caller of [ANN, BOB, ANN, BOB]) got.push((await claim(app, caller)).task.title);
  expect(got).toEqual(['critical', 'older', 'younger', 'low']);
  const nothing = await claim(app, ANN);
  expect(nothing).toMatchObject({ task: null, fencing_token: null, why: 'Nothing to claim: 4 are in progress.' });
});

test('a claim says how long it lasts, how to keep it, and what came before', async () => {
  await using app = await openApp();
  const first = await make(app, 'Find the slow queries');
  const task_id = await make(app, 'Make them fast', { dependencies: [first], tags: 'search' });
  await claim(app, ANN);
  await update(app, first, { status: 'done', resolution: 'Two of them scan all shards.' }, ANN);
  const claimed = await claim(app, BOB, { lease_seconds: 60 });
  expect(claimed).toMatchObject({
    task: { task_id, status: 'in_progress', holder_agent_id: 'bob' },
    fencing_token: 1,
    lease_expires_at: new Date(app.clock.now() + 60 * SECOND_MS).toISOString(),
    renew: expect.stringContaining('within 60 s'),
    before: [{ task_id: first, status: 'done', resolution: 'Two of them scan all shards.' }],
    why: null,
  });
  expect(claimed.related.map(({ content }: { content: string }) => content).join()).toContain('scan all shards');
});

test('calls of the session that made a claim keep it, and calls of another session of the same agent do not', async () => {
  await using app = await openApp();
  const task_id = await make(app, 'Rotate the logs');
  for (const session of ['ses_a', 'ses_b'])
    await app.call('register_agent', { role: 'keeper' }, { agent: 'claude-code', session, transport: 'http' });
  const holder: CallerOptions = { agent: 'claude-code', session: 'ses_a', transport: 'http' };
  const other: CallerOptions = { ...holder, session: 'ses_b' };
  const first = await claim(app, holder, { lease_seconds: 60 });
  app.clock.advance(50 * SECOND_MS);
  await app.call('get_mode', {}, holder);
  // The roster writes what was noted before it is read.
  await app.call('get_agent_roster', {}, holder);
  app.clock.advance(50 * SECOND_MS);
  await app.call('get_mode', {}, other);
  await app.call('get_agent_roster', {}, other);
  expect(await app.rows('select holder_session, version from tasks')).toEqual([
    { holder_session: 'ses_a', version: 2 },
  ]);
  app.clock.advance(10 * SECOND_MS);
  const { fencing_token } = first;
  expect(await app.refusal('update_kanban_task', { task_id, progress: 1, fencing_token }, holder)).toMatchObject({
    code: 'conflict',
  });
});

test('an agent takes its own task up again in another session, and the first one is too late from then on', async () => {
  await using app = await openApp();
  const task_id = await make(app, 'Rotate the logs');
  const holder: CallerOptions = { agent: 'claude-code', session: 'ses_a', transport: 'http' };
  const restarted: CallerOptions = { ...holder, session: 'ses_b' };
  for (const caller of [holder, restarted]) await app.call('register_agent', { role: 'keeper' }, caller);
  const first = await claim(app, holder);
  // Without its token it is not the holder, even with the same name.
  expect(await app.refusal('update_kanban_task', { task_id, progress: 1 }, restarted)).toMatchObject({
    code: 'conflict',
  });
  expect(await app.refusal('claim_next', { task_id }, BOB)).toMatchObject({ code: 'conflict' });
  // Not while the first may still be at work.
  expect(await app.refusal('claim_next', { task_id }, restarted)).toMatchObject({ code: 'conflict' });
  app.clock.advance(limits.agent_active_ms + 1);
  const second = await claim(app, restarted, { task_id });
  expect(second.fencing_token).toBe(first.fencing_token + 1);
  const late = { task_id, progress: 2, fencing_token: first.fencing_token };
  expect(await app.refusal('update_kanban_task', late, holder)).toMatchObject({ code: 'conflict' });
});

test('a hub puts tasks of dead agents back by itself, and the agent finds a note when it comes back', async () => {
  await using app = await openApp({ role: 'server' });
  const keeper: CallerOptions = { agent: 'claude-code', session: 'ses_a', transport: 'http' };
  const { agent_id } = await app.call('register_agent', { role: 'keeper' }, keeper);
  const task_id = await make(app, 'Rotate the logs');
  await app.call('assign_kanban_task', { task_id, agent_id });
  await claim(app, keeper, { lease_seconds: 60 });
  app.clock.advance(60 * SECOND_MS);
  const now = () => app.rows('select status, is_ready, holder_agent_id, assigned_agent_id from tasks');
  await expect
    .poll(now, { timeout: 30_000 })
    .toEqual([{ status: 'todo', is_ready: 1, holder_agent_id: null, assigned_agent_id: null }]);
  const { messages } = await app.call('check_inbox', {}, keeper);
  expect(messages.at(-1)).toMatchObject({ kind: 'note', task_id, body: expect.stringContaining('Rotate the logs') });
});

test('what an agent cannot do is not given to it, and it is told what it lacks', async () => {
  await using app = await openApp();
  for (let i = 0; i < 3; i++)
    await make(app, `Tune ${i}`, { required_capabilities: ['search', 'storage'], priority: 'critical' });
  const task_id = await make(app, 'Sweep the floor', { required_capabilities: ['Cleaning'] });
  const claimed = await claim(app, ANN, { capabilities: ['cleaning', 'search'] });
  expect(claimed.task.task_id).toBe(task_id);
  expect(await claim(app, ANN, { capabilities: ['search'] })).toMatchObject({
    task: null,
    why: 'Nothing to claim: 3 ready need more than you can do; 1 are in progress.',
    others: { needs_other_capabilities: [{ missing: ['storage'], tasks: 3 }], in_progress: 1 },
  });
  expect(await claim(app, ANN, { tags: 'none', capabilities: ['search', 'storage'] })).toMatchObject({ task: null });
});

test('the queue of an agent is that of a pass over all tasks, whatever they need and whoever made them', async () => {
  await using app = await openApp();
  const skills = ['a', 'b', 'c'];
  const subset = fc.subarray(skills);
  const task = fc.record({
    needs: subset,
    priority: fc.constantFrom('critical', 'high', 'medium', 'low'),
    tags: fc.subarray(['red', 'blue_1', 'blue%1']),
  });
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(task, { maxLength: 12 }),
      subset,
      fc.subarray(['red', 'blue_1']),
      async (tasks, able, tags) => {
        const { project_id } = await app.call('create_project', { name: `Round ${round++}` });
        const made: { title: string; needs: string[]; rank: number; tags: string[]; at: number }[] = [];
        for (const [at, one] of tasks.entries()) {
          app.clock.advance(1);
          const { needs, priority } = one;
          await make(app, `${at}`, { project_id, required_capabilities: needs, priority, tags: one.tags });
          made.push({ title: `${at}`, needs, rank: PRIORITIES.indexOf(priority), tags: one.tags, at });
        }
        const expected = made
          .filter(({ needs }) => needs.every((need) => able.includes(need)))
          .filter((one) => tags.every((tag) => one.tags.includes(tag)))
          .toSorted((x, y) => x.rank - y.rank || x.at - y.at);
        const got: string[] = [];
        for (;;) {
          const { task: next } = await claim(app, ANN, { project_id, capabilities: able, tags });
          if (next === null) break;
          got.push(next.title);
        }
        expect(got).toEqual(expected.map(({ title }) => title));
      },
    ),
    { numRuns: 25 },
  );
});

test('a lease that is over is void at that very moment, and the late holder is told who has the task', async () => {
  await using app = await openApp();
  const task_id = await make(app, 'Rotate the logs');
  const { fencing_token } = await claim(app, ANN);
  app.clock.advance(LEASE_MS - 1);
  await update(app, task_id, { progress: 10, fencing_token }, ANN);
  app.clock.advance(LEASE_MS);
  expect(await app.refusal('update_kanban_task', { task_id, progress: 20, fencing_token }, ANN)).toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('it is todo, and nobody holds it'),
  });
  const second = await claim(app, BOB);
  expect(second.task.task_id).toBe(task_id);
  expect(second.fencing_token).toBeGreaterThan(fencing_token);
  for (const late of [{ progress: 30, fencing_token }, { progress: 30 }, { status: 'done', resolution: 'x' }])
    expect(await app.refusal('update_kanban_task', { task_id, ...late }, ANN)).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('bob'),
    });
  expect(await history(app, task_id)).toMatchObject([
    { action: 'created' },
    { action: 'claimed', subject_agent_id: 'ann', to_status: 'in_progress' },
    { action: 'updated' },
    { action: 'lease_expired', subject_agent_id: 'ann', from_status: 'in_progress', to_status: 'todo' },
    { action: 'claimed', subject_agent_id: 'bob' },
  ]);
});

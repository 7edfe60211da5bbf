// Changing tasks: the ways of the board, whose fields are whose, two people at one task, and what is learned at the end.
import { describe, expect, test } from 'vitest';
import { type Answer, type App, type CallerOptions, openApp } from '../../../test/support/open-app.ts';

const ANN: CallerOptions = { agent: 'ann', session: 'ses_ann', transport: 'http' };
const BOB: CallerOptions = { agent: 'bob', session: 'ses_bob', transport: 'http' };

const make = async (app: App, title: string, fields: object = {}): Promise<string> =>
  (await app.call('create_kanban_task', { title, related_limit: 0, ...fields })).task.task_id;
const update = (app: App, task_id: string, fields: object, caller?: CallerOptions): Promise<Answer> =>
  app.call('update_kanban_task', { task_id, ...fields }, caller);
const refused = (app: App, task_id: string, fields: object, caller?: CallerOptions) =>
  app.refusal('update_kanban_task', { task_id, ...fields }, caller);
const row = async (app: App, task_id: string) =>
  (await app.rows('select * from tasks where task_id = ?', task_id))[0] ?? {};

describe('the ways of the board', () => {
  test('a way there is none is refused with those there are, and nothing is changed', async () => {
    await using app = await openApp();
    const task_id = await make(app, 'Tune the shards');
    expect(await refused(app, task_id, { status: 'done', title: 'Other' })).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('it cannot go to done'),
      hint: expect.stringContaining('backlog, in_progress, blocked, cancelled'),
    });
    expect(await row(app, task_id)).toMatchObject({ title: 'Tune the shards', status: 'todo', version: 1 });
  });

  test('beginning makes a claim, ending tells when and completes the progress', async () => {
    await using app = await openApp();
    const task_id = await make(app, 'Tune the shards');
    const begun = await update(app, task_id, { status: 'in_progress', progress: 25 }, ANN);
    expect(begun).toMatchObject({
      task: { status: 'in_progress', progress: 25, holder_agent_id: 'ann', started_at: expect.any(String) },
      fencing_token: 1,
      lease_expires_at: expect.any(String),
    });
    app.clock.advance(1_000);
    const ended = await update(app, task_id, { status: 'done', resolution: 'One shard for each node.' }, ANN);
    expect(ended).toMatchObject({
      task: { status: 'done', progress: 100, holder_agent_id: null, finished_at: expect.any(String) },
      fencing_token: null,
      memory_id: expect.stringMatching(/^mem_/),
    });
    const memory = await app.call('retrieve_memory', { memory_id: ended.memory_id });
    expect(memory.content).toContain('One shard for each node.');
    const again = await update(app, task_id, { status: 'todo' });
    expect(again.task).toMatchObject({ progress: 0, finished_at: null, resolution: null, ready: true });
  });

  test('people on the command line hold a task without a lease', async () => {
    await using app = await openApp();
    const task_id = await make(app, 'Order disks');
    const begun = await update(app, task_id, { status: 'in_progress' });
    expect(begun).toMatchObject({ fencing_token: 1, lease_expires_at: null });
    app.clock.advance(90 * 24 * 3_600_000);
    expect((await update(app, task_id, { progress: 50 })).task.status).toBe('in_progress');
  });

  test('what waits for others cannot begin, and a story not end before its parts: they are named', async () => {
    await using app = await openApp();
    const first = await make(app, 'Measure');
    const second = await make(app, 'Tune', { dependencies: [first] });
    const story = await make(app, 'Make search fast');
    const part = await make(app, 'A part of it', { parent_id: story });
    for (const fields of [{ status: 'in_progress' }])
      expect(await refused(app, second, fields, ANN)).toMatchObject({
        code: 'conflict',
        message: expect.stringContaining(`${first} (todo)`),
      });
    await update(app, story, { status: 'in_progress' }, ANN);
    expect(await refused(app, story, { status: 'done' }, ANN)).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(part),
    });
    await update(app, part, { status: 'cancelled' });
    await update(app, story, { status: 'done' }, ANN);
    expect(await refused(app, part, { status: 'todo' })).toMatchObject({ code: 'conflict' });
  });

  test('a failure needs a reason, and the reason becomes what is remembered', async () => {
    await using app = await openApp();
    const task_id = await make(app, 'Upgrade in place');
    await update(app, task_id, { status: 'in_progress' }, ANN);
    expect(await refused(app, task_id, { status: 'failed' }, ANN)).toMatchObject({ code: 'invalid_input' });
    const failed = await update(app, task_id, { status: 'failed', comment: 'The old plugin does not load.' }, ANN);
    expect(failed.task).toMatchObject({ status: 'failed', resolution: 'The old plugin does not load.' });
    const [memory] = await app.rows('select content, tags, scope from memories where memory_id = ?', failed.memory_id);
    expect(memory?.content).toBe('Failed: Upgrade in place\n\nThe old plugin does not load.');
    expect(JSON.parse(String(memory?.tags))).toEqual(expect.arrayContaining(['failed', 'task']));
  });
});

describe('two at one task', () => {
  test('fields of different people both survive; of the same field the second is told what the first wrote', async () => {
    await using app = await openApp();
    const task_id = await make(app, 'Tune', { priority: 'low' });
    await update(app, task_id, { title: 'Tune the shards', expected_version: 1 }, ANN);
    await update(app, task_id, { priority: 'high', tags: 'search', expected_version: 1 }, BOB);
    expect(await row(app, task_id)).toMatchObject({
      title: 'Tune the shards',
      priority: 1,
      tags: '["search"]',
      version: 3,
    });
    const conflict = await refused(app, task_id, { title: 'Mine', due: '2026-05-01', expected_version: 1 }, BOB);
    expect(conflict).toMatchObject({
      code: 'conflict',
      details: { version: 3, conflicts: [{ field: 'title', current: 'Tune the shards', version: 2 }] },
    });
    expect(await row(app, task_id)).toMatchObject({ title: 'Tune the shards', due_at: null, version: 3 });
    // The same call again, because its answer was lost.
    await update(app, task_id, { title: 'Tune the shards', expected_version: 1 }, ANN);
    expect((await row(app, task_id)).version).toBe(3);
    expect(await refused(app, task_id, { title: 'x', expected_version: 9 })).toMatchObject({ code: 'invalid_input' });
  });

  test('status, progress and resolution are the holder’s; comments and plans are everybody’s', async () => {
    await using app = await openApp();
    const task_id = await make(app, 'Tune');
    const { fencing_token } = await app.call('claim_next', {}, ANN);
    for (const fields of [{ status: 'todo' }, { progress: 5 }, { resolution: 'x' }])
      expect(await refused(app, task_id, fields, BOB)).toMatchObject({
        code: 'conflict',
        details: { holder_agent_id: 'ann' },
      });
    await update(app, task_id, { comment: 'Mind the disks.', priority: 'critical', due: '2026-05-01' }, BOB);
    // The claim's token speaks for its holder from wherever it comes.
    await update(app, task_id, { progress: 40, fencing_token }, { ...BOB, agent: 'ann' });
    await update(app, task_id, { progress: 50 }, ANN);
    expect(await refused(app, task_id, { comment: 'late', fencing_token: 0 }, ANN)).toMatchObject({ code: 'conflict' });
    expect(await row(app, task_id)).toMatchObject({ progress: 50, priority: 0, holder_agent_id: 'ann' });
  });

  test('the token alone keeps a claim, without a new version', async () => {
    await using app = await openApp();
    const task_id = await make(app, 'Tune');
    const { fencing_token, lease_expires_at } = await app.call('claim_next', { lease_seconds: 60 }, ANN);
    const { version } = await row(app, task_id);
    app.clock.advance(59_999);
    const alive = await update(app, task_id, { fencing_token }, { ...BOB, agent: 'ann' });
    expect(alive.lease_expires_at > lease_expires_at).toBe(true);
    expect((await row(app, task_id)).version).toBe(version);
    expect(await refused(app, task_id, {}, BOB)).toMatchObject({ code: 'invalid_input' });
    app.clock.advance(60_000);
    expect(await refused(app, task_id, { fencing_token }, ANN)).toMatchObject({ code: 'conflict' });
  });
});

test('dependencies and stories are changed, and readiness follows', async () => {
  await using app = await openApp();
  const [first, second] = [await make(app, 'First'), await make(app, 'Second')];
  const story = await make(app, 'Story');
  const waiting = await update(app, second, { add_dependencies: [first] });
  expect(waiting.task).toMatchObject({ open_dependencies: 1, ready: false });
  expect(await refused(app, first, { add_dependencies: [second] })).toMatchObject({ code: 'conflict' });
  await update(app, first, { parent_id: story });
  expect(await row(app, story)).toMatchObject({ open_children: 1, is_ready: 0 });
  // A story that waits makes its parts wait; and it cannot wait for what waits for its part.
  expect(await refused(app, story, { add_dependencies: [second] })).toMatchObject({ code: 'conflict' });
  const free = await update(app, second, { remove_dependencies: [first] });
  expect(free.task).toMatchObject({ open_dependencies: 0, ready: true });
  await update(app, story, { add_dependencies: [second] });
  expect(await row(app, first)).toMatchObject({ blocked_ancestors: 1, is_ready: 0 });
  expect(await refused(app, first, { status: 'in_progress' })).toMatchObject({
    message: expect.stringContaining('stories above it'),
  });
  await update(app, first, { parent_id: null });
  expect(await row(app, first)).toMatchObject({ blocked_ancestors: 0, is_ready: 1, parent_id: null });
  expect(await row(app, story)).toMatchObject({ open_children: 0 });
  await update(app, second, { parent_id: story }).catch(() => undefined);
  expect(await row(app, second)).toMatchObject({ parent_id: null });
});

test('secrets in what is said do not reach the store', async () => {
  await using app = await openApp();
  const task_id = await make(app, 'Tune');
  const secret = `ghp_${Array.from({ length: 36 }, (_, i) => 'aB3dE5gH7jK9'[i % 12]).join('')}`;
  await update(app, task_id, { comment: `token ${secret}`, resolution: `use ${secret}`, description: secret });
  const stored = JSON.stringify([await row(app, task_id), await app.rows('select * from task_history')]);
  expect(stored).not.toContain(secret);
});

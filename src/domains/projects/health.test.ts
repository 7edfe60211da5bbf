// Health checks over real tasks and memories: what is measured, from which rows, and how it moved.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type App, DAY_MS, openApp } from '../../../test/support/open-app.ts';

const ME = { user: 'ada', session: 'ses_ada' };
let app: App;
let project_id: string;
beforeEach(async () => {
  app = await openApp();
  project_id = (await app.call('create_project', { name: 'Search' }, ME)).project_id;
});
afterEach(() => app[Symbol.asyncDispose]());

const check = (input: object = {}, caller = ME) => app.call('project_health_check', { project_id, ...input }, caller);
const of = (health: Answer, name: string): Answer =>
  (health.dimensions as Answer[]).find((each) => each.name === name) ?? {};
const evidence = (dimension: Answer, what: string): Answer =>
  (dimension.evidence as Answer[]).find((each) => each.what.startsWith(what)) ?? {};

async function task(title: string, fields: object = {}): Promise<string> {
  return (await app.call('create_kanban_task', { title, project_id, ...fields }, ME)).task.task_id;
}

async function finish(task_id: string, resolution?: string): Promise<void> {
  const { fencing_token } = await app.call('claim_next', { task_id }, ME);
  const said = resolution === undefined ? {} : { resolution };
  await app.call('update_kanban_task', { task_id, status: 'done', fencing_token, ...said }, ME);
}

test('of a new project measures only what there is', async () => {
  const health = await check();
  const scores = health.dimensions.map(({ name, score }: Answer) => [name, score]);
  expect(Object.fromEntries(scores)).toEqual({
    ...{ task_flow: null, staleness: 100, incidents: null, drift: null, knowledge: null, backup: 100 },
  });
  expect(health).toMatchObject({ score: 100, recorded: true, trend: { checks: [], changes: [] } });
  for (const { score, recommendation } of health.dimensions)
    expect(typeof recommendation).toBe(score === null ? 'string' : 'object');
});

test('says what is so: nothing in work, and no backup that is due yet', async () => {
  const first = await task('A');
  await task('B');
  const fresh = await check();
  expect(of(fresh, 'task_flow').recommendation).toBe(
    'More is created than finished, and nothing is in work: claim_next takes the most urgent.',
  );
  expect(of(fresh, 'backup')).toMatchObject({
    score: 100,
    evidence: [{ what: 'backups (the first is due a day after the project began)', count: 0 }],
  });
  await app.call('claim_next', { task_id: first }, ME);
  app.clock.advance(3 * DAY_MS);
  const later = await check();
  expect(of(later, 'task_flow').recommendation).toMatch(/^More is created than finished: take on less/);
  expect(of(later, 'backup').evidence).toMatchObject([{ what: 'backups', count: 0 }]);
});

test('says from which tasks and memories its scores come', async () => {
  const [done, silent, blocked, open] = [await task('A'), await task('B'), await task('C'), await task('D')];
  await finish(done, 'Three shards are enough');
  await finish(silent);
  await app.call('update_kanban_task', { task_id: blocked, status: 'blocked' }, ME);
  const runbook = await app.store('How to resize', { project_id, category: 'runbooks' }, ME);
  const incident = await app.store('Heap ran full', { project_id, category: 'incidents' }, ME);
  await app.store('Heap ran full elsewhere', { category: 'incidents' }, ME);
  const health = await check();
  const flow = of(health, 'task_flow');
  expect(evidence(flow, 'tasks finished').ids.toSorted()).toEqual([done, silent].toSorted());
  expect(evidence(flow, 'open tasks').ids.toSorted()).toEqual([blocked, open].toSorted());
  expect(evidence(flow, 'blocked tasks')).toMatchObject({ count: 1, ids: [blocked] });
  // Half is finished, half of the open is blocked, nothing is late: (0.5 + 0.5 + 1) / 3.
  expect(flow.score).toBe(67);
  const knowledge = of(health, 'knowledge');
  expect(evidence(knowledge, 'of them with a resolution').ids).toEqual([done]);
  expect(evidence(knowledge, 'runbooks').ids).toEqual([runbook]);
  expect(knowledge.score).toBe(63);
  expect(of(health, 'incidents')).toMatchObject({ score: 80, evidence: [{ count: 1, ids: [incident] }] });
  expect(of(health, 'drift').score).toBeNull();
  // 67 x 3, 100 x 1, 80 x 2, 63 x 2, 100 x 1 over 9.
  expect(health.score).toBe(76);
});

test('sinks as nothing happens, and the trend tells by how much', async () => {
  const task_id = await task('Left lying');
  await app.call('claim_next', { task_id, lease_seconds: 86_400 }, ME);
  const first = await check();
  app.clock.advance(14 * DAY_MS);
  const second = await check();
  expect(of(second, 'staleness').score).toBe(50);
  expect(of(second, 'backup').score).toBeLessThan(100);
  expect(second.score).toBeLessThan(first.score);
  expect(second.trend.checks).toEqual([{ at: first.at, score: first.score }]);
  const moved = Object.fromEntries(second.trend.changes.map(({ name, change }: Answer) => [name, change]));
  expect(moved.staleness).toBe(-50);
  expect(moved.drift).toBeUndefined();
  expect(await app.text('project_health_check', { project_id }, ME)).toContain(`The check of ${second.at}`);
});

test('does not call a project stale that rests', async () => {
  app.clock.advance(100 * DAY_MS);
  expect(of(await check(), 'staleness').score).toBeLessThan(5);
  await app.call('update_project', { project_id, status: 'paused' }, ME);
  app.clock.advance(100 * DAY_MS);
  expect(of(await check(), 'staleness').score).toBeNull();
});

test('looks at the period that is asked for', async () => {
  await finish(await task('Long ago'), 'x');
  app.clock.advance(20 * DAY_MS);
  expect(evidence(of(await check({ days: 30 }), 'task_flow'), 'tasks finished').count).toBe(1);
  const week = await check({ days: 7 });
  expect(evidence(of(week, 'task_flow'), 'tasks finished').count).toBe(0);
  // Periods of other lengths are no trend.
  expect(week.trend.checks).toEqual([]);
  app.clock.advance(1_000);
  expect((await check({ days: 7 })).trend.checks).toHaveLength(1);
});

test('of somebody who only reads is not kept', async () => {
  const { team_id } = await app.call('create_team', { name: 'Readers' }, ME);
  await app.call('add_team_member', { team_id, user_id: 'carol', role: 'readonly' }, ME);
  const ours = (await app.call('create_project', { name: 'Ours', team_id }, ME)).project_id;
  const carol = { user: 'carol', session: 'ses_carol' };
  expect((await check({ project_id: ours }, carol)).recorded).toBe(false);
  expect(await app.rows('select 1 from project_health where project_id = ?', ours)).toEqual([]);
  expect((await check({ project_id: ours })).recorded).toBe(true);
});

test('is of the project the session works in, unless another is named', async () => {
  expect((await app.refusal('project_health_check', {}, ME)).code).toBe('invalid_input');
  await app.call('switch_project_context', { project_id }, ME);
  expect((await app.call('project_health_check', {}, ME)).project_id).toBe(project_id);
  expect((await app.call('project_health_check', { project_id: 'Search' }, ME)).project_id).toBe(project_id);
});

test('counts as finished what was done, not what was given up', async () => {
  const failing = await task('Fails');
  const { fencing_token } = await app.call('claim_next', { task_id: failing }, ME);
  await app.call('update_kanban_task', { task_id: failing, status: 'failed', resolution: 'No way', fencing_token }, ME);
  await app.call('update_kanban_task', { task_id: await task('Dropped'), status: 'cancelled' }, ME);
  const health = await check();
  expect(evidence(of(health, 'task_flow'), 'tasks finished')).toMatchObject({ count: 0, ids: [] });
  expect(of(health, 'task_flow').score).toBe(0);
  expect(of(health, 'knowledge').score).toBeNull();
});

test('is the same for all who see the project, and shows nobody what is another’s', async () => {
  const shared = (await app.call('create_project', { name: 'Open', scope: 'shared' }, ME)).project_id;
  const bob = { user: 'bob', session: 'ses_bob' };
  await app.call('create_kanban_task', { title: 'For all', project_id: shared }, ME);
  const incident = { project_id: shared, category: 'incidents' };
  const own = await app.store('Bob was warned', { ...incident, scope: 'solo' }, bob);
  const told = await app.store('The disk was full', { ...incident, scope: 'shared' }, bob);
  const [his, hers] = [await check({ project_id: shared }, bob), await check({ project_id: shared })];
  expect(his.dimensions).toEqual(hers.dimensions);
  expect(evidence(of(his, 'incidents'), 'memories').ids).toEqual([told]);
  expect(evidence(of(his, 'task_flow'), 'open tasks').count).toBe(1);
  expect(JSON.stringify(await app.rows('select dimensions from project_health'))).not.toContain(own);
});

// A team's activity and its audit rows: each act once in both, paged, within the hours asked for, and pruned.
import { expect, test } from 'vitest';
import { openApp } from '../../../test/support/open-app.ts';
import { openDatabase } from '../../storage/index.ts';
import { logTeamActivity, pruneTeams } from './activity.ts';
import type { TeamTables } from './tables.ts';

const HOUR_MS = 3_600_000;
const ADA = { user: 'ada', agent: 'planner' };
const MAX = { user: 'max@example.com' };

const actionsOf = (activity: { action: string }[]) => activity.map(({ action }) => action);

test('each act stands in the activity and in the audit log, with who did it to whom', async () => {
  await using app = await openApp();
  const { team_id } = await app.call('create_team', { name: 'Edge' }, ADA);
  const step = async (operation: string, input: object, who: object = ADA) => {
    app.clock.advance(1);
    return app.call(operation, { ...(operation === 'accept_team_invitation' ? {} : { team_id }), ...input }, who);
  };
  const user_id = MAX.user;
  const { invitation_code } = await step('add_team_member', { user_id, role: 'member', invite: true });
  await step('accept_team_invitation', { invitation_code }, MAX);
  await step('add_team_member', { user_id, role: 'admin' });
  await step('remove_team_member', { user_id }, MAX);
  await step('add_team_member', { user_id, role: 'readonly' });
  await step('remove_team_member', { user_id });
  const { activity } = await app.call('get_team_activity', { team_id }, ADA);
  expect(actionsOf(activity)).toEqual([
    'member.removed',
    'member.added',
    'member.left',
    'member.changed',
    'invitation.accepted',
    'invitation.created',
    'team.created',
  ]);
  expect(activity[0]).toMatchObject({
    user_id: 'ada',
    agent_id: 'planner',
    machine_id: 'test-machine',
    target_user_id: user_id,
  });
  const audit = await app.rows("select action from audit_log where target_type = 'team' order by seq desc");
  expect(audit.map((row) => String(row.action).replace(/^team\./, ''))).toEqual(
    actionsOf(activity).map((action) => action.replace(/^team\./, '')),
  );
});

test('what is refused is on the audit log and not in the activity', async () => {
  await using app = await openApp();
  const { team_id } = await app.call('create_team', { name: 'Edge' }, ADA);
  await app.refusal('add_team_member', { team_id, user_id: 'eve', role: 'owner' }, { user: 'eve' });
  const refused = await app.rows("select action from audit_log where result = 'refused'");
  expect(refused).toEqual([{ action: 'add_team_member' }]);
  expect((await app.call('get_team_activity', { team_id }, ADA)).activity).toHaveLength(1);
});

test('pages hold every act once, newest first, though more happens in between', async () => {
  await using app = await openApp();
  const { team_id } = await app.call('create_team', { name: 'Edge' }, ADA);
  const add = (n: number) => app.call('add_team_member', { team_id, user_id: `user-${n}`, role: 'member' }, ADA);
  for (let n = 0; n < 11; n++) {
    // Some in the same millisecond.
    app.clock.advance(n % 2);
    await add(n);
  }
  const seen: { activity_id: string; at: string }[] = [];
  let cursor: string | undefined;
  for (let pages = 0; ; pages++) {
    expect(pages).toBeLessThan(10);
    const page = await app.call('get_team_activity', { team_id, limit: 3, ...(cursor ? { cursor } : {}) }, ADA);
    seen.push(...page.activity);
    app.clock.advance(1);
    await add(100 + pages);
    if (page.next_cursor === null) break;
    cursor = page.next_cursor;
  }
  expect(seen).toHaveLength(12);
  expect(new Set(seen.map(({ activity_id }) => activity_id)).size).toBe(12);
  expect(seen.map(({ at }) => at)).toEqual(
    seen
      .map(({ at }) => at)
      .toSorted()
      .toReversed(),
  );
});

test('hours are counted back from now, a day unless said, and have a stated maximum', async () => {
  await using app = await openApp();
  const { team_id } = await app.call('create_team', { name: 'Edge' }, ADA);
  app.clock.advance(25 * HOUR_MS);
  await app.call('add_team_member', { team_id, user_id: MAX.user, role: 'member' }, ADA);
  const actions = async (more: object) =>
    actionsOf((await app.call('get_team_activity', { team_id, ...more }, ADA)).activity);
  expect(await actions({})).toEqual(['member.added']);
  expect(await actions({ hours: 25 })).toEqual(['member.added', 'team.created']);
  const error = await app.refusal('get_team_activity', { team_id, hours: 10_000 }, ADA);
  expect(JSON.stringify(error)).toContain('2160');
  for (const cursor of ['x', Buffer.from('["a"]').toString('base64url')])
    expect((await app.refusal('get_team_activity', { team_id, cursor }, ADA)).code).toBe('invalid_input');
});

test('a cursor of one team shows nothing of another', async () => {
  await using app = await openApp();
  const mine = (await app.call('create_team', { name: 'Mine' }, ADA)).team_id;
  const { team_id } = await app.call('create_team', { name: 'Theirs' }, MAX);
  for (const user_id of ['a', 'b', 'c']) await app.call('add_team_member', { team_id, user_id, role: 'member' }, MAX);
  const { next_cursor } = await app.call('get_team_activity', { team_id, limit: 1 }, MAX);
  expect(next_cursor).not.toBeNull();
  const { activity } = await app.call('get_team_activity', { team_id: mine, cursor: next_cursor }, ADA);
  expect(actionsOf(activity).every((action) => action === 'team.created')).toBe(true);
});

test('what is older than it is shown is forgotten', async () => {
  await using app = await openApp();
  const { team_id } = await app.call('create_team', { name: 'Edge' }, ADA);
  await app.call('add_team_member', { team_id, user_id: MAX.user, role: 'member', invite: true }, ADA);
  const { data_dir, machine_id } = app.config;
  const { postgres } = app.config.engines;
  const store = await openDatabase({
    data_dir,
    machine_id,
    clock: app.clock,
    ...(postgres ? { postgres } : {}),
  } as never);
  try {
    const teams = store.withTables<TeamTables>();
    app.clock.advance(90 * 24 * HOUR_MS);
    const actor = { user_id: 'ada', agent_id: 'planner', machine_id };
    await teams.write((trx) => logTeamActivity(trx, app.clock.now(), { team_id, action: 'memory.stored', actor }));
    expect(await pruneTeams(teams)).toBe(0);
    app.clock.advance(1);
    expect(await pruneTeams(teams)).toBe(2);
    app.clock.advance(7 * 24 * HOUR_MS);
    expect(await pruneTeams(teams)).toBe(1);
  } finally {
    await store.close();
  }
  expect(actionsOf((await app.call('get_team_activity', { team_id, hours: 2_160 }, ADA)).activity)).toEqual([
    'memory.stored',
  ]);
});

// Who may change whose membership, and what becomes of it: through the public door, on each engine.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, DAY_MS, openApp } from '../../../test/support/open-app.ts';
import { TEAM_ROLES } from '../../kernel/operation.ts';

const ADA = { user: 'ada' };
const ANN = { user: 'ann@example.com' };
const MAX = { user: 'max@example.com' };
const RON = { user: 'ron@example.com' };
const GIL = { user: 'gil@example.com' };
const EVE = { user: 'eve@example.com' };

let app: App;
beforeAll(async () => {
  app = await openApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const inDays = (days: number) => new Date(app.clock.now() + days * DAY_MS).toISOString();

async function newTeam(): Promise<string> {
  const { team_id } = await app.call('create_team', { name: 'Engineering Team', description: 'Builds it' }, ADA);
  return team_id;
}

/** A team with one member of each role. */
async function fullTeam(): Promise<string> {
  const team_id = await newTeam();
  const add = (who: { user: string }, role: string, more = {}) =>
    app.call('add_team_member', { team_id, user_id: who.user, role, ...more }, ADA);
  await add(ANN, 'admin');
  await add(MAX, 'member');
  await add(RON, 'readonly');
  await add(GIL, 'guest', { expires_at: inDays(2) });
  return team_id;
}

const roleOf = async (team_id: string, user_id: string) => {
  const { members } = await app.call('get_team', { team_id, include_members: true }, ADA);
  return members.find((member: { user_id: string }) => member.user_id === user_id)?.role;
};

test('whoever makes a team owns it, and names need not be unique', async () => {
  const first = await app.call('create_team', { name: 'Twins' }, ANN);
  app.clock.advance(1);
  const second = await app.call('create_team', { name: 'Twins' }, ANN);
  expect(first.team_id).toMatch(/^team_[0-9a-z]{26}$/);
  expect(second.team_id).not.toBe(first.team_id);
  const { teams } = await app.call('list_teams', {}, ANN);
  expect(teams).toMatchObject([
    { team_id: first.team_id, name: 'Twins', role: 'owner', member_count: 1, active: false },
    { team_id: second.team_id, role: 'owner' },
  ]);
});

describe('a team one is not in', () => {
  test.each([
    ['get_team', {}],
    ['get_team', { include_members: true, include_activity: true }],
    ['get_team_activity', {}],
    ['add_team_member', { user_id: 'eve@example.com', role: 'owner' }],
    ['add_team_member', { user_id: 'max@example.com', role: 'guest' }],
    ['add_team_member', { user_id: 'new@example.com', role: 'member', invite: true }],
    ['remove_team_member', { user_id: 'max@example.com' }],
    ['remove_team_member', { user_id: 'eve@example.com' }],
  ] as const)('%s %j answers as for a team that never was', async (operation, input) => {
    const team_id = await fullTeam();
    const never = 'team_00000000000000000000000000';
    const foreign = await app.refusal(operation, { team_id, ...input }, EVE);
    const absent = await app.refusal(operation, { team_id: never, ...input }, EVE);
    expect(foreign.code).toBe('not_found');
    expect(JSON.stringify(foreign).replaceAll(team_id, never)).toBe(JSON.stringify(absent));
  });

  test('is in no list, and nobody learns of it by way of modes', async () => {
    const team_id = await fullTeam();
    for (const operation of ['list_teams', 'list_available_modes'])
      expect(JSON.stringify(await app.call(operation, {}, EVE))).not.toContain(team_id);
  });
});

describe('roles', () => {
  test.each(TEAM_ROLES)('%s may be seen doing what it may', async (role) => {
    const team_id = await fullTeam();
    const who = { owner: ADA, admin: ANN, member: MAX, readonly: RON, guest: GIL }[role];
    const manages = role === 'owner' || role === 'admin';
    expect(await app.call('get_team', { team_id }, who)).toMatchObject({ team_id, role });
    const outcome = async (operation: string, input: object) =>
      app.call(operation, { team_id, ...input }, who).then(
        () => 'ok',
        (error: { code: string }) => error.code,
      );
    const reads = role === 'guest' ? 'forbidden' : 'ok';
    expect(await outcome('get_team', { include_members: true })).toBe(reads);
    expect(await outcome('get_team', { include_activity: true })).toBe(reads);
    expect(await outcome('get_team_activity', {})).toBe(reads);
    const changes = manages ? 'ok' : 'forbidden';
    expect(await outcome('add_team_member', { user_id: 'new@example.com', role: 'member' })).toBe(changes);
    expect(await outcome('add_team_member', { user_id: 'inv@example.com', role: 'member', invite: true })).toBe(
      changes,
    );
    expect(await outcome('remove_team_member', { user_id: 'nobody@example.com' })).toBe(
      manages ? 'not_found' : 'forbidden',
    );
    const { member_count } = await app.call('get_team', { team_id }, who);
    expect(member_count).toBe(role === 'guest' ? null : manages ? 6 : 5);
  });

  test('only owners make, change and remove owners', async () => {
    const team_id = await fullTeam();
    const by = (who: object, input: object) => app.refusal('add_team_member', { team_id, ...input }, who as never);
    expect((await by(ANN, { user_id: MAX.user, role: 'owner' })).code).toBe('forbidden');
    expect((await by(ANN, { user_id: 'new@example.com', role: 'owner', invite: true })).code).toBe('forbidden');
    expect((await by(ANN, { user_id: ADA.user, role: 'member' })).code).toBe('forbidden');
    expect((await app.refusal('remove_team_member', { team_id, user_id: ADA.user }, ANN)).code).toBe('forbidden');
    await app.call('add_team_member', { team_id, user_id: MAX.user, role: 'owner' }, ADA);
    expect(await roleOf(team_id, MAX.user)).toBe('owner');
    await app.call('remove_team_member', { team_id, user_id: ADA.user }, MAX);
    expect((await app.refusal('get_team', { team_id }, ADA)).code).toBe('not_found');
  });

  test('an unknown role is one error that names the roles', async () => {
    const team_id = await newTeam();
    const error = await app.refusal('add_team_member', { team_id, user_id: MAX.user, role: 'boss' }, ADA);
    expect(error.code).toBe('invalid_input');
    for (const role of TEAM_ROLES) expect(JSON.stringify(error)).toContain(role);
  });

  test('a team never loses its last owner', async () => {
    const team_id = await fullTeam();
    expect((await app.refusal('remove_team_member', { team_id, user_id: ADA.user }, ADA)).code).toBe('conflict');
    const demote = { team_id, user_id: ADA.user, role: 'admin' };
    expect((await app.refusal('add_team_member', demote, ADA)).code).toBe('conflict');
    const end = { team_id, user_id: ADA.user, role: 'owner', expires_at: inDays(1) };
    expect((await app.refusal('add_team_member', end, ADA)).code).toBe('invalid_input');
    await app.call('add_team_member', { team_id, user_id: ANN.user, role: 'owner' }, ADA);
    expect(await app.call('add_team_member', demote, ADA)).toMatchObject({ role: 'admin', changed: true });
    expect(await app.call('remove_team_member', { team_id, user_id: ADA.user }, ADA)).toMatchObject({
      removed: true,
      left: true,
    });
  });

  test('when the last two owners leave at once one of them stays', async () => {
    for (let round = 0; round < 5; round++) {
      const team_id = await newTeam();
      await app.call('add_team_member', { team_id, user_id: ANN.user, role: 'owner' }, ADA);
      const leave = (who: { user: string }) =>
        app.call('remove_team_member', { team_id, user_id: who.user }, who).then(
          () => 'left',
          (error: { code: string }) => error.code,
        );
      expect((await Promise.all([leave(ADA), leave(ANN)])).toSorted()).toEqual(['conflict', 'left']);
    }
  });
});

describe('terms', () => {
  test('saying the same again changes nothing and leaves no trace', async () => {
    const team_id = await newTeam();
    const input = { team_id, user_id: MAX.user, role: 'member', capabilities: { 'memory.moderate': true } };
    const trace = () =>
      app.rows(
        'select (select max(seq) from changes) as c, (select seq from audit_head) as a, (select count(*) from team_activity) as t',
      );
    expect(await app.call('add_team_member', input, ADA)).toMatchObject({ changed: true, role: 'member' });
    const before = await trace();
    expect(await app.call('add_team_member', input, ADA)).toMatchObject({ changed: false });
    const { capabilities: _, ...shorter } = input;
    expect(await app.call('add_team_member', shorter, ADA)).toMatchObject({
      changed: false,
      capabilities: { 'memory.moderate': true },
    });
    expect(await trace()).toEqual(before);
    const other = await app.call('add_team_member', { ...shorter, role: 'readonly' }, ADA);
    expect(other).toMatchObject({ changed: true, role: 'readonly', capabilities: {} });
  });

  test('a guest needs an end, everybody else may have one, and ends lie ahead', async () => {
    const team_id = await newTeam();
    const add = { team_id, user_id: GIL.user };
    expect((await app.refusal('add_team_member', { ...add, role: 'guest' }, ADA)).message).toContain('expires_at');
    const past = { ...add, role: 'guest', expires_at: new Date(app.clock.now()).toISOString() };
    expect((await app.refusal('add_team_member', past, ADA)).code).toBe('invalid_input');
    await app.call('add_team_member', { ...add, role: 'guest', expires_at: inDays(1) }, ADA);
    const endless = { ...add, role: 'guest', expires_at: null };
    expect((await app.refusal('add_team_member', endless, ADA)).code).toBe('invalid_input');
    const kept = await app.call('add_team_member', { ...add, role: 'member' }, ADA);
    expect(kept.expires_at).toBe(inDays(1));
    expect(await app.call('add_team_member', { ...endless, role: 'member' }, ADA)).toMatchObject({ expires_at: null });
  });

  test('a membership ends to the second, counts as absent, and can be renewed', async () => {
    const team_id = await newTeam();
    const add = { team_id, user_id: GIL.user, role: 'guest' };
    await app.call('add_team_member', { ...add, expires_at: new Date(app.clock.now() + 1_000).toISOString() }, ADA);
    const [{ member_id }] = (await app.rows(
      'select member_id from team_members where team_id = ? and user_id = ?',
      team_id,
      GIL.user,
    )) as [{ member_id: string }];
    app.clock.advance(999);
    expect(await app.call('get_team', { team_id }, GIL)).toMatchObject({ role: 'guest' });
    app.clock.advance(1);
    expect((await app.refusal('get_team', { team_id }, GIL)).code).toBe('not_found');
    expect(await roleOf(team_id, GIL.user)).toBeUndefined();
    expect((await app.call('get_team', { team_id }, ADA)).member_count).toBe(1);
    expect((await app.refusal('remove_team_member', { team_id, user_id: GIL.user }, ADA)).code).toBe('not_found');
    expect((await app.refusal('remove_team_member', { team_id, user_id: GIL.user }, GIL)).code).toBe('not_found');
    expect(await app.call('add_team_member', { team_id, user_id: GIL.user, role: 'member' }, ADA)).toMatchObject({
      expires_at: null,
      changed: true,
    });
    const rows = await app.rows(
      'select member_id from team_members where team_id = ? and user_id = ?',
      team_id,
      GIL.user,
    );
    expect(rows).toEqual([{ member_id }]);
  });

  test('capabilities are known ones, not for owners, and none the giver lacks', async () => {
    const team_id = await fullTeam();
    const refused = (who: object, input: object) => app.refusal('add_team_member', { team_id, ...input }, who as never);
    const unknown = await refused(ADA, { user_id: MAX.user, role: 'member', capabilities: { fly: true } });
    expect(unknown.code).toBe('invalid_input');
    expect(JSON.stringify(unknown)).toContain('memory.read');
    const owner = { user_id: MAX.user, role: 'owner', capabilities: { 'vault.read': false } };
    expect((await refused(ADA, owner)).code).toBe('invalid_input');
    await app.call(
      'add_team_member',
      { team_id, user_id: ANN.user, role: 'admin', capabilities: { 'vault.admin': false } },
      ADA,
    );
    for (const input of [
      { user_id: MAX.user, role: 'member', capabilities: { 'vault.admin': true } },
      { user_id: MAX.user, role: 'admin' },
      { user_id: ANN.user, role: 'admin', capabilities: {} },
      { user_id: 'second@example.com', role: 'admin', invite: true },
    ])
      expect((await refused(ANN, input)).code).toBe('forbidden');
    const reduced = { user_id: MAX.user, role: 'admin', capabilities: { 'vault.admin': false } };
    expect(await app.call('add_team_member', { team_id, ...reduced }, ANN)).toMatchObject({ changed: true });
  });

  test('a member who may manage members reaches nobody above, and not their own membership', async () => {
    const team_id = await fullTeam();
    const managing = { 'members.manage': true };
    await app.call('add_team_member', { team_id, user_id: MAX.user, role: 'member', capabilities: managing }, ADA);
    expect((await app.refusal('remove_team_member', { team_id, user_id: ANN.user }, MAX)).code).toBe('forbidden');
    const self = { team_id, user_id: MAX.user, role: 'member', capabilities: { 'vault.read': false } };
    expect((await app.refusal('add_team_member', self, MAX)).code).toBe('forbidden');
    expect(await app.call('remove_team_member', { team_id, user_id: RON.user }, MAX)).toMatchObject({ removed: true });
  });

  test('taking a capability holds at the next call', async () => {
    const team_id = await fullTeam();
    await app.call('get_team_activity', { team_id }, MAX);
    const less = { team_id, user_id: MAX.user, role: 'member', capabilities: { 'activity.read': false } };
    await app.call('add_team_member', less, ADA);
    expect((await app.refusal('get_team_activity', { team_id }, MAX)).code).toBe('forbidden');
    await app.call('remove_team_member', { team_id, user_id: MAX.user }, ANN);
    expect((await app.refusal('get_team_activity', { team_id }, MAX)).code).toBe('not_found');
  });
});

test('nothing that is synchronised as a change names a person', async () => {
  await fullTeam();
  const rows = await app.rows("select entity, entity_id from changes where entity like 'team%'");
  expect(new Set(rows.map((row) => row.entity))).toEqual(new Set(['team', 'team_member']));
  for (const { entity, entity_id } of rows)
    expect(entity_id).toMatch(entity === 'team' ? /^team_[0-9a-z]{26}$/ : /^tmb_[0-9a-z]{26}$/);
});

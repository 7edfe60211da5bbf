// Invitations: for one user, once, within their time, and only while whoever invited may still do so.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, DAY_MS, openApp } from '../../../test/support/open-app.ts';

const ADA = { user: 'ada' };
const ANN = { user: 'ann@example.com' };
const MAX = { user: 'max@example.com' };
const EVE = { user: 'eve@example.com' };

let app: App;
let team_id: string;
beforeAll(async () => {
  app = await openApp();
});
afterAll(() => app[Symbol.asyncDispose]());

async function newTeam(): Promise<void> {
  team_id = (await app.call('create_team', { name: 'Payments' }, ADA)).team_id;
  await app.call('add_team_member', { team_id, user_id: ANN.user, role: 'admin' }, ADA);
}

async function inviteMax(more: object = {}, by = ADA): Promise<string> {
  const input = { team_id, user_id: MAX.user, role: 'member', invite: true, ...more };
  return (await app.call('add_team_member', input, by)).invitation_code;
}

const accept = (invitation_code: string, who = MAX) => app.call('accept_team_invitation', { invitation_code }, who);
const refusal = (invitation_code: string, who = MAX) => app.refusal('accept_team_invitation', { invitation_code }, who);

test('an invitation makes a member when it is accepted, not before, and once', async () => {
  await newTeam();
  const code = await inviteMax({ role: 'readonly', capabilities: { 'memory.write': true } });
  expect((await app.refusal('get_team', { team_id }, MAX)).code).toBe('not_found');
  const { invitations } = await app.call('get_team', { team_id, include_members: true }, ADA);
  expect(invitations).toMatchObject([{ user_id: MAX.user, role: 'readonly' }]);
  expect(await accept(code)).toMatchObject({ team_id, name: 'Payments', role: 'readonly', expires_at: null });
  expect((await app.call('get_team', { team_id }, MAX)).capabilities).toContain('memory.write');
  expect((await refusal(code)).code).toBe('not_found');
});

test('the code is kept nowhere but as a hash', async () => {
  await newTeam();
  const code = await inviteMax();
  await accept(code);
  for (const table of ['team_invitations', 'team_activity', 'audit_details', 'audit_log'])
    expect(JSON.stringify(await app.rows(`select * from ${table}`))).not.toContain(code.slice(4));
});

test('unknown, foreign, used, expired and revoked codes are answered alike', async () => {
  await newTeam();
  const unknown = await refusal('inv_nothing');
  expect(unknown.code).toBe('not_found');
  const foreign = await inviteMax();
  expect(await refusal(foreign, EVE)).toEqual(unknown);
  const replaced = foreign;
  const open = await inviteMax();
  expect(await refusal(replaced)).toEqual(unknown);
  await app.call('remove_team_member', { team_id, user_id: MAX.user }, ADA);
  expect(await refusal(open)).toEqual(unknown);
  const late = await inviteMax();
  app.clock.advance(7 * DAY_MS);
  expect(await refusal(late)).toEqual(unknown);
  const used = await inviteMax();
  await accept(used);
  expect(await refusal(used)).toEqual(unknown);
});

test('a code works until the last moment of its week', async () => {
  await newTeam();
  const code = await inviteMax();
  app.clock.advance(7 * DAY_MS - 1);
  expect(await accept(code)).toMatchObject({ role: 'member' });
});

test('an invitation to a membership that would be over is worth nothing', async () => {
  await newTeam();
  const expires_at = new Date(app.clock.now() + 1_000).toISOString();
  const code = await inviteMax({ role: 'guest', expires_at });
  app.clock.advance(1_000);
  expect((await refusal(code)).code).toBe('not_found');
});

test('of many accepts at once one wins', async () => {
  await newTeam();
  const code = await inviteMax();
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => accept(code)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const [row] = await app.rows(
    "select count(*) as n from team_activity where team_id = ? and action = 'invitation.accepted'",
    team_id,
  );
  expect(Number(row?.n)).toBe(1);
});

test('whoever invited must still be able to when it is accepted', async () => {
  await newTeam();
  const code = await inviteMax({}, ANN);
  await app.call('add_team_member', { team_id, user_id: ANN.user, role: 'member' }, ADA);
  expect((await refusal(code)).code).toBe('not_found');
  await app.call('add_team_member', { team_id, user_id: ANN.user, role: 'admin' }, ADA);
  expect(await accept(code)).toMatchObject({ role: 'member' });
  const gone = await (async () => {
    await app.call('remove_team_member', { team_id, user_id: MAX.user }, ADA);
    const again = await inviteMax({}, ANN);
    await app.call('remove_team_member', { team_id, user_id: ANN.user }, ANN);
    return again;
  })();
  expect((await refusal(gone)).code).toBe('not_found');
});

test('being made a member ends invitations, so none lowers or raises what a member is', async () => {
  await newTeam();
  const code = await inviteMax({ role: 'readonly' });
  await app.call('add_team_member', { team_id, user_id: MAX.user, role: 'admin' }, ADA);
  expect((await refusal(code)).code).toBe('not_found');
  expect(await app.call('get_team', { team_id }, MAX)).toMatchObject({ role: 'admin' });
  const member = { team_id, user_id: MAX.user, role: 'member', invite: true };
  expect((await app.refusal('add_team_member', member, ADA)).code).toBe('conflict');
});

test('taking an invitation back is on record, and a second time there is nothing to take back', async () => {
  await newTeam();
  await inviteMax();
  const input = { team_id, user_id: MAX.user };
  expect(await app.call('remove_team_member', input, ANN)).toMatchObject({ removed: false, invitations_revoked: 1 });
  expect((await app.refusal('remove_team_member', input, ANN)).code).toBe('not_found');
});

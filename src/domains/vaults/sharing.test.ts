// Whom vaults are shared with: rules one by one, and grants in the store against the policy.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type App, openApp } from '../../../test/support/open-app.ts';

let app: App;
beforeEach(async () => {
  app = await openApp();
});
afterEach(() => app[Symbol.asyncDispose]());

const as = (user: string) => ({ user });
const why = { audit_reason: 'a test' };

async function newVault(fields: object = {}, user = 'ada'): Promise<string> {
  const { vault_id } = await app.call('create_vault', { name: 'Things', ...fields }, as(user));
  await app.call('store_in_vault', { vault_id, key: 'k', value: 'v' }, as(user));
  return vault_id;
}

async function newTeam(owner: string, members: Readonly<Record<string, string>>): Promise<string> {
  const { team_id } = await app.call('create_team', { name: 'Team' }, as(owner));
  for (const [user_id, role] of Object.entries(members))
    await app.call('add_team_member', { team_id, user_id, role }, as(owner));
  return team_id;
}

const LEVELS = ['none', 'read', 'write', 'admin'] as const;

/** What a user can in fact do, by trying it. */
async function levelOf(vault_id: string, user: string): Promise<(typeof LEVELS)[number]> {
  const tries = [
    ['admin', 'vault_audit_log', { vault_id }],
    ['write', 'store_in_vault', { vault_id, key: 'probe', value: 'p' }],
    ['read', 'retrieve_from_vault', { vault_id, key: 'k', ...why }],
  ] as const;
  for (const [level, operation, input] of tries) {
    const done = await app.call(operation, input, as(user)).catch(({ code }) => code as string);
    if (typeof done !== 'string') return level;
  }
  return 'none';
}

const listed = async (user: string) =>
  (await app.call('list_vaults', {}, as(user))).vaults.map((vault: { vault_id: string }) => vault.vault_id);

describe('a vault of one’s own', () => {
  test('is seen by nobody else, in the words of one that is not there', async () => {
    const vault_id = await newVault();
    const other = `${vault_id.slice(0, -4)}0000`;
    expect(await listed('bob')).toEqual([]);
    const calls = [
      ['list_vault_secrets', {}],
      ['retrieve_from_vault', { key: 'k', ...why }],
      ['store_in_vault', { key: 'k', value: 'x' }],
      ['delete_vault_secret', { key: 'k' }],
      ['restore_vault_secret', { key: 'k' }],
      ['share_vault', { share_with: 'bob' }],
      ['vault_audit_log', {}],
      ['rotate_vault_key', {}],
      ['destroy_vault', {}],
      ['destroy_vault', { confirm: true }],
    ] as const;
    for (const [operation, input] of calls) {
      const hidden = await app.refusal(operation, { vault_id, ...input }, as('bob'));
      const absent = await app.refusal(operation, { vault_id: other, ...input }, as('bob'));
      expect(hidden.code).toBe('not_found');
      expect(JSON.stringify(hidden).replaceAll(vault_id, other)).toBe(JSON.stringify(absent));
    }
  });

  test('is shared to a level, for a time, and no longer', async () => {
    const vault_id = await newVault();
    const share = (fields: object) => app.call('share_vault', { vault_id, share_with: 'bob', ...fields });
    for (const access_level of ['read', 'write', 'admin', 'read'] as const) {
      await share({ access_level });
      expect(await levelOf(vault_id, 'bob')).toBe(access_level);
    }
    expect(await listed('bob')).toEqual([vault_id]);
    const { vaults } = await app.call('list_vaults', {});
    expect(vaults[0].shared_with).toEqual([
      { share_with: 'bob', share_type: 'user', access_level: 'read', expires_at: null },
    ]);
    expect((await app.call('list_vaults', {}, as('bob'))).vaults[0].shared_with).toEqual([]);
    await share({ revoke: true });
    expect(await levelOf(vault_id, 'bob')).toBe('none');
    expect(await app.refusal('share_vault', { vault_id, share_with: 'bob', revoke: true })).toMatchObject({
      code: 'not_found',
    });
    await share({ expires_at: new Date(app.clock.now() + 1_000).toISOString() });
    app.clock.advance(999);
    expect(await levelOf(vault_id, 'bob')).toBe('read');
    app.clock.advance(1);
    expect(await levelOf(vault_id, 'bob')).toBe('none');
    expect(await listed('bob')).toEqual([]);
    expect((await app.call('list_vaults', {})).vaults[0].shared_with).toEqual([]);
  });

  test('can be shared on by an administrator, and by nobody below', async () => {
    const vault_id = await newVault();
    await app.call('share_vault', { vault_id, share_with: 'bob', access_level: 'write' });
    const on = { vault_id, share_with: 'eve', access_level: 'read' };
    expect(await app.refusal('share_vault', on, as('bob'))).toMatchObject({ code: 'forbidden' });
    await app.call('share_vault', { vault_id, share_with: 'bob', access_level: 'admin' });
    await app.call('share_vault', on, as('bob'));
    expect(await levelOf(vault_id, 'eve')).toBe('read');
  });

  test('is destroyed only when that is confirmed', async () => {
    const vault_id = await newVault();
    await app.call('share_vault', { vault_id, share_with: 'bob', access_level: 'write' });
    expect(await app.refusal('destroy_vault', { vault_id })).toMatchObject({ code: 'confirmation_required' });
    expect(await app.refusal('destroy_vault', { vault_id, confirm: true }, as('bob'))).toMatchObject({
      code: 'forbidden',
    });
    await app.call('destroy_vault', { vault_id, confirm: true, reason: 'over' });
    expect([await listed('ada'), await listed('bob')]).toEqual([[], []]);
    expect(await app.rows('select vault_id from vault_keys')).toEqual([]);
    expect(await app.rows('select secret_id from vault_secret_versions')).toEqual([]);
    expect(await app.rows('select vault_id from vaults where destroyed_at is not null')).toEqual([{ vault_id }]);
  });
});

describe('teams', () => {
  test('roles decide about a team’s vault, and a removed member is out', async () => {
    const members = { ben: 'admin', cat: 'member', dan: 'readonly' };
    const team_id = await newTeam('ada', members);
    const vault_id = await newVault({ vault_type: 'team', team_id });
    const levels = await Promise.all(['ada', 'ben', 'cat', 'dan', 'eve'].map((user) => levelOf(vault_id, user)));
    expect(levels).toEqual(['admin', 'admin', 'write', 'read', 'none']);
    await app.call('remove_team_member', { team_id, user_id: 'cat' });
    expect(await levelOf(vault_id, 'cat')).toBe('none');
  });

  test('only those who administer vaults there may make one, and a foreign team is not there', async () => {
    const team_id = await newTeam('ada', { cat: 'member' });
    const make = { name: 'x', vault_type: 'team', team_id };
    expect(await app.refusal('create_vault', make, as('cat'))).toMatchObject({ code: 'forbidden' });
    const foreign = await app.refusal('create_vault', make, as('eve'));
    const other = `${team_id.slice(0, -4)}0000`;
    const absent = await app.refusal('create_vault', { ...make, team_id: other }, as('eve'));
    expect(JSON.stringify(foreign).replaceAll(team_id, other)).toBe(JSON.stringify(absent));
    const vault_id = await newVault({}, 'eve');
    const share = { vault_id, share_type: 'team' };
    const hidden = await app.refusal('share_vault', { ...share, share_with: team_id }, as('eve'));
    const missing = await app.refusal('share_vault', { ...share, share_with: other }, as('eve'));
    expect(hidden.code).toBe('not_found');
    expect(JSON.stringify(hidden).replaceAll(team_id, other)).toBe(JSON.stringify(missing));
  });

  test('the id of a team means the team, unless it is said to be a user', async () => {
    const team_id = await newTeam('ada', { cat: 'member' });
    const vault_id = await newVault({});
    expect(await app.call('share_vault', { vault_id, share_with: team_id })).toMatchObject({ share_type: 'team' });
    expect(await levelOf(vault_id, 'cat')).toBe('read');
  });

  test('type and team have to agree', async () => {
    const team_id = await newTeam('ada', {});
    for (const fields of [
      { vault_type: 'team' },
      { vault_type: 'project' },
      { vault_type: 'personal', team_id },
      { vault_type: 'shared', team_id },
      { vault_type: 'personal', project_id: 'p' },
      { vault_type: 'public' },
    ])
      expect(await app.refusal('create_vault', { name: 'x', ...fields })).toMatchObject({ code: 'invalid_input' });
    for (const fields of [
      { vault_type: 'shared' },
      { vault_type: 'project', project_id: 'p' },
      { vault_type: 'project', project_id: 'p', team_id },
    ])
      await app.call('create_vault', { name: 'x', ...fields });
  });
});

test('whatever is granted and revoked, users can do what the best of their grants says, and lists agree', async () => {
  const USERS = ['bob', 'cat', 'dan'];
  const team_id = await newTeam('ada', { bob: 'member', cat: 'readonly' });
  const step = fc.record({
    share_with: fc.constantFrom('team', ...USERS),
    access_level: fc.constantFrom('none', 'read', 'write', 'admin'),
    seconds: fc.option(fc.integer({ min: 1, max: 3 })),
    pause: fc.integer({ min: 0, max: 2 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
      const vault_id = await newVault();
      const model = new Map<string, { level: string; until: number }>();
      for (const { share_with, access_level, seconds, pause } of steps) {
        const whom =
          share_with === 'team' ? { share_with: team_id, share_type: 'team' } : { share_with, share_type: 'user' };
        const until = seconds === null ? Number.POSITIVE_INFINITY : app.clock.now() + seconds * 1_000;
        if (access_level !== 'none') {
          const expires_at = seconds === null ? {} : { expires_at: new Date(until).toISOString() };
          await app.call('share_vault', { vault_id, ...whom, access_level, ...expires_at });
          model.set(share_with, { level: access_level, until });
        } else if (model.delete(share_with)) await app.call('share_vault', { vault_id, ...whom, revoke: true });
        app.clock.advance(pause * 1_000);
      }
      const rank = (name: string, most: number) => {
        const grant = model.get(name);
        return grant && grant.until > app.clock.now() ? Math.min(most, LEVELS.indexOf(grant.level as 'read')) : 0;
      };
      // A team's grant gives a member no more than the member's role does in the team itself.
      const byTeam: Record<string, number> = { bob: 2, cat: 1, dan: 0 };
      for (const user of USERS) {
        const expected = LEVELS[Math.max(rank(user, 3), rank('team', byTeam[user] ?? 0))];
        expect([user, await levelOf(vault_id, user)]).toEqual([user, expected]);
        expect((await listed(user)).includes(vault_id)).toBe(expected !== 'none');
      }
    }),
    { numRuns: 15 },
  );
});

test('a list says nothing of vaults that may not be seen: no short page, no cursor that names one', async () => {
  const team_id = await newTeam('ada', { eve: 'admin' });
  for (let i = 0; i < 3; i++) await newVault({ vault_type: 'team', team_id }, i === 1 ? 'eve' : 'ada');
  await app.call('add_team_member', { team_id, user_id: 'gus', role: 'guest', expires_at: '2099-01-01' }, as('ada'));
  // One of them is eve's work, and the team's all the same.
  await app.call('remove_team_member', { team_id, user_id: 'eve' }, as('ada'));
  for (const user of ['gus', 'eve'])
    expect(await app.call('list_vaults', { limit: 1 }, as(user))).toMatchObject({ vaults: [], next_cursor: null });
  const own = [await newVault({}, 'gus'), await newVault({}, 'gus')];
  const first = await app.call('list_vaults', { limit: 1 }, as('gus'));
  const second = await app.call('list_vaults', { limit: 1, cursor: first.next_cursor }, as('gus'));
  expect([...first.vaults, ...second.vaults].map(({ vault_id }) => vault_id)).toEqual(own.toSorted());
  expect(second.next_cursor).toBeNull();
});

// What the policy promises whatever the facts are: deny by default, more rights never see less, limits only narrow.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Credential,
  type Membership,
  PERMISSIONS,
  type Principal,
  TEAM_CAPABILITIES,
  TEAM_ROLES,
  type TeamRole,
} from '../../kernel/operation.ts';
import {
  ACCESS_LEVELS,
  type CapabilityOverrides,
  capabilitiesOf,
  type Decision,
  type MemoryFacts,
  mayAddMemory,
  mayCall,
  mayChangeMemory,
  mayHandleDataOf,
  mayInTeam,
  maySeeMemory,
  mayUseVault,
  mayWorkIn,
  readableTeams,
  type VaultFacts,
  type VaultGrantFacts,
  vaultLevel,
} from './index.ts';

const NOW_MS = Date.UTC(2026, 10, 22, 12);
const iso = (ms: number) => new Date(ms).toISOString();
const NOW = iso(NOW_MS);

const users = fc.constantFrom('ada', 'bob', 'eve');
const teams = fc.constantFrom('team_a', 'team_b');
const roles = fc.constantFrom(...TEAM_ROLES);
const scopes = fc.subarray([...PERMISSIONS]);
const overrides: fc.Arbitrary<CapabilityOverrides> = fc.dictionary(
  fc.constantFrom(...TEAM_CAPABILITIES),
  fc.boolean(),
) as never;

const memberOf = (team_id: string, role: TeamRole, own: CapabilityOverrides = {}): Membership => ({
  team_id,
  team_name: team_id,
  role,
  capabilities: capabilitiesOf(role, own),
});

const memberships = fc.uniqueArray(
  fc
    .record({ team_id: teams, role: roles, own: overrides })
    .map(({ team_id, role, own }) => memberOf(team_id, role, own)),
  { selector: ({ team_id }) => team_id },
);

const credentials: fc.Arbitrary<Credential> = fc.record(
  { kind: fc.constantFrom('local', 'token'), admin: fc.boolean(), scopes },
  { requiredKeys: ['kind', 'admin'] },
) as never;

const principals: fc.Arbitrary<Principal> = fc.record(
  {
    user_id: users,
    agent_id: fc.constant('a'),
    machine_id: fc.constant('m'),
    teams: memberships,
    credential: credentials,
  },
  { requiredKeys: ['user_id', 'agent_id', 'machine_id'] },
) as never;

const memories: fc.Arbitrary<MemoryFacts> = fc.record({
  scope: fc.constantFrom('solo', 'team', 'shared'),
  user_id: users,
  team_id: fc.option(teams),
});

const moments = fc.option(fc.integer({ min: -3, max: 3 }).map((seconds) => iso(NOW_MS + seconds * 1_000)));
const grants: fc.Arbitrary<VaultGrantFacts> = fc.oneof(
  fc.record({
    grantee_type: fc.constant('user' as const),
    grantee_id: users,
    access_level: fc.constantFrom(...ACCESS_LEVELS),
    expires_at: moments,
  }),
  fc.record({
    grantee_type: fc.constant('team' as const),
    grantee_id: teams,
    access_level: fc.constantFrom(...ACCESS_LEVELS),
    expires_at: moments,
  }),
);
const vaults: fc.Arbitrary<VaultFacts> = fc.record({
  user_id: users,
  team_id: fc.option(teams),
  destroyed_at: fc.option(fc.constant(NOW), { freq: 8 }),
  grants: fc.array(grants, { maxLength: 4 }),
});

const rank = (level: string | undefined) => ACCESS_LEVELS.indexOf(level as never);
/** Denied and unseen, denied, allowed. */
const worth = (decision: Decision) => (decision.allowed ? 2 : decision.visible ? 1 : 0);

const check = <T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => void) =>
  fc.assert(fc.property(arbitrary, holds), { numRuns: 500 });

describe('more rights', () => {
  test('a grant more never takes access away', () => {
    check(fc.tuple(principals, vaults, grants), ([principal, vault, grant]) => {
      const more = { ...vault, grants: [...vault.grants, grant] };
      expect(rank(vaultLevel(principal, more, NOW))).toBeGreaterThanOrEqual(rank(vaultLevel(principal, vault, NOW)));
    });
  });

  test('a higher role never may less, where nobody has overrides', () => {
    check(
      fc.tuple(users, teams, fc.integer({ min: 0, max: 3 }), memories, vaults),
      ([user_id, team_id, at, memory, vault]) => {
        const as = (role: TeamRole): Principal => {
          return { user_id, agent_id: 'a', machine_id: 'm', teams: [memberOf(team_id, role)] };
        };
        // TEAM_ROLES goes down from the owner.
        const [high, low] = [as(TEAM_ROLES[at] ?? 'owner'), as(TEAM_ROLES[at + 1] ?? 'guest')];
        const rules: ((principal: Principal) => Decision)[] = [
          (who) => maySeeMemory(who, memory),
          (who) => mayChangeMemory(who, memory),
          (who) => mayAddMemory(who, memory),
          (who) => mayWorkIn(who, { mode: 'team', context_id: team_id }, NOW),
          ...ACCESS_LEVELS.map((level) => (who: Principal) => mayUseVault(who, vault, level, NOW)),
          ...TEAM_CAPABILITIES.map((capability) => (who: Principal) => mayInTeam(who, team_id, capability)),
        ];
        for (const rule of rules) expect(worth(rule(high))).toBeGreaterThanOrEqual(worth(rule(low)));
      },
    );
  });

  test('a capability more never takes access away, and owners keep all', () => {
    check(fc.tuple(roles, overrides, fc.constantFrom(...TEAM_CAPABILITIES)), ([role, own, capability]) => {
      const before = capabilitiesOf(role, own);
      const after = capabilitiesOf(role, { ...own, [capability]: true });
      expect([...after]).toEqual(expect.arrayContaining([...before]));
      expect(capabilitiesOf('owner', own).size).toBe(TEAM_CAPABILITIES.length);
    });
  });

  test('who reaches more of a vault may do all that lower levels allow', () => {
    check(fc.tuple(principals, vaults), ([principal, vault]) => {
      const values = ACCESS_LEVELS.map((level) => worth(mayUseVault(principal, vault, level, NOW)));
      expect(values).toEqual(values.toSorted((a, b) => b - a));
    });
  });
});

describe('a grant to a team', () => {
  test('gives no member more than the member may do with the team’s own vaults', () => {
    check(
      fc.tuple(teams, roles, overrides, fc.constantFrom(...ACCESS_LEVELS)),
      ([team_id, role, own, access_level]) => {
        const principal: Principal = {
          user_id: 'ada',
          agent_id: 'a',
          machine_id: 'm',
          teams: [memberOf(team_id, role, own)],
        };
        const grant: VaultGrantFacts = { grantee_type: 'team', grantee_id: team_id, access_level, expires_at: null };
        const shared = { user_id: 'eve', team_id: null, destroyed_at: null, grants: [grant] };
        const ofTheTeam = { user_id: 'eve', team_id, destroyed_at: null, grants: [] };
        const level = rank(vaultLevel(principal, shared, NOW));
        expect(level).toBeLessThanOrEqual(rank(vaultLevel(principal, ofTheTeam, NOW)));
        expect(level).toBeLessThanOrEqual(rank(access_level));
      },
    );
  });
});

describe('time', () => {
  test('a grant ends at its very moment', () => {
    check(
      fc.tuple(users, fc.integer({ min: -5_000, max: 5_000 }), fc.constantFrom(...ACCESS_LEVELS)),
      ([user_id, left_ms, access_level]) => {
        const grant: VaultGrantFacts = {
          grantee_type: 'user',
          grantee_id: user_id,
          access_level,
          expires_at: iso(NOW_MS + left_ms),
        };
        const vault = { user_id: 'somebody', team_id: null, destroyed_at: null, grants: [grant] };
        const principal = { user_id, agent_id: 'a', machine_id: 'm' };
        expect(vaultLevel(principal, vault, NOW)).toBe(left_ms > 0 ? access_level : undefined);
      },
    );
  });

  test('what has ended is the same as what was never granted', () => {
    check(fc.tuple(principals, vaults), ([principal, vault]) => {
      const holding = vault.grants.filter(({ expires_at }) => expires_at === null || expires_at > NOW);
      expect(vaultLevel(principal, { ...vault, grants: holding }, NOW)).toBe(vaultLevel(principal, vault, NOW));
    });
  });
});

describe('what no rule allows', () => {
  /** Said once more, from the words of the design. */
  const concerns = (principal: Principal, memory: MemoryFacts) =>
    memory.scope === 'shared' ||
    (memory.scope === 'team' && memory.team_id !== null
      ? readableTeams(principal).includes(memory.team_id)
      : memory.user_id === principal.user_id);

  test('a memory is seen by its owner, its team or everybody, and else by nobody', () => {
    check(fc.tuple(principals, memories), ([principal, memory]) => {
      expect(worth(maySeeMemory(principal, memory))).toBe(concerns(principal, memory) ? 2 : 0);
    });
  });

  test('what may not be seen is not even said to be there, whatever is asked of it', () => {
    check(fc.tuple(principals, memories), ([principal, memory]) => {
      if (!maySeeMemory(principal, memory).allowed) expect(worth(mayChangeMemory(principal, memory))).toBe(0);
    });
    check(fc.tuple(principals, vaults, fc.constantFrom(...ACCESS_LEVELS)), ([principal, vault, level]) => {
      if (vaultLevel(principal, vault, NOW) !== undefined) return;
      expect(worth(mayUseVault(principal, vault, level, NOW))).toBe(0);
      expect(worth(mayWorkIn(principal, { mode: 'vault', context_id: 'vlt_1' }, NOW, vault))).toBe(0);
    });
  });

  test('strangers are told nothing of a team', () => {
    check(fc.tuple(principals, teams, fc.constantFrom(...TEAM_CAPABILITIES)), ([principal, team_id, capability]) => {
      if (principal.teams?.some((team) => team.team_id === team_id)) return;
      expect(worth(mayInTeam(principal, team_id, capability))).toBe(0);
      expect(worth(mayWorkIn(principal, { mode: 'team', context_id: team_id }, NOW))).toBe(0);
      expect(worth(mayAddMemory(principal, { scope: 'team', team_id }))).toBe(0);
    });
  });

  test('a vault without membership, ownership or grant is seen by nobody', () => {
    check(fc.tuple(principals, vaults), ([principal, vault]) => {
      const mine = vault.team_id === null && vault.user_id === principal.user_id;
      const member = principal.teams?.some(({ team_id }) => team_id === vault.team_id) === true;
      const granted = vault.grants.some(
        ({ grantee_id }) =>
          grantee_id === principal.user_id || principal.teams?.some(({ team_id }) => team_id === grantee_id),
      );
      if (!mine && !member && !granted) expect(vaultLevel(principal, vault, NOW)).toBeUndefined();
    });
  });

  test('a destroyed vault is seen by nobody', () => {
    check(fc.tuple(principals, vaults, fc.constantFrom(...ACCESS_LEVELS)), ([principal, vault, level]) => {
      const destroyed = { ...vault, destroyed_at: NOW };
      expect(vaultLevel(principal, destroyed, NOW)).toBeUndefined();
      expect(worth(mayUseVault(principal, destroyed, level, NOW))).toBe(0);
    });
  });
});

describe('credentials', () => {
  test('scopes only narrow', () => {
    check(fc.tuple(credentials, scopes, fc.constantFrom(...PERMISSIONS)), ([credential, narrower, permission]) => {
      const as = (one: Credential): Principal => ({ user_id: 'ada', agent_id: 'a', machine_id: 'm', credential: one });
      const { scopes: _, ...unlimited } = credential;
      const limited = mayCall(as({ ...unlimited, scopes: narrower }), permission);
      expect(limited.allowed).toBe(mayCall(as(unlimited), permission).allowed && narrower.includes(permission));
    });
  });

  test('administrators see no more memories, vaults or teams', () => {
    check(fc.tuple(principals, memories, vaults, teams), ([principal, memory, vault, team_id]) => {
      const { credential: _, ...plain } = principal;
      const admin: Principal = { ...plain, credential: { kind: 'local', admin: true } };
      expect(maySeeMemory(admin, memory)).toEqual(maySeeMemory(plain, memory));
      expect(mayChangeMemory(admin, memory)).toEqual(mayChangeMemory(plain, memory));
      expect(vaultLevel(admin, vault, NOW)).toBe(vaultLevel(plain, vault, NOW));
      for (const capability of TEAM_CAPABILITIES)
        expect(mayInTeam(admin, team_id, capability)).toEqual(mayInTeam(plain, team_id, capability));
    });
  });

  test('data of others is the administrator’s business alone', () => {
    check(fc.tuple(principals, users), ([principal, user_id]) => {
      const allowed = principal.user_id === user_id || principal.credential?.admin === true;
      expect(mayHandleDataOf(principal, user_id).allowed).toBe(allowed);
    });
  });
});

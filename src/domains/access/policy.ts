// The one policy: may this principal do this to that, now? Pure decisions over facts; what no rule allows is denied.
// A denial says whether the thing may at least be seen: what may not be seen is answered as if it did not exist.
import type { Membership, ModeContext, Permission, Principal, TeamCapability } from '../../kernel/operation.ts';

export type Decision =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      /** False: answer `not_found`, in the very words of something that is not there. */
      readonly visible: boolean;
      /** What is missing, for the reader. */
      readonly reason: string;
    };

/** What a rule about a memory looks at. */
export interface MemoryFacts {
  readonly scope: string;
  readonly user_id: string;
  readonly team_id: string | null;
}

export const ACCESS_LEVELS = ['read', 'write', 'admin'] as const;
export type AccessLevel = (typeof ACCESS_LEVELS)[number];

export interface VaultGrantFacts {
  readonly grantee_type: 'user' | 'team';
  readonly grantee_id: string;
  readonly access_level: AccessLevel;
  /** ISO time; null: until it is revoked. */
  readonly expires_at: string | null;
}

export interface VaultFacts {
  readonly user_id: string;
  readonly team_id: string | null;
  readonly destroyed_at: string | null;
  readonly grants: readonly VaultGrantFacts[];
}

const ALLOWED: Decision = { allowed: true };
const INVISIBLE: Decision = { allowed: false, visible: false, reason: '' };
const denied = (reason: string): Decision => ({ allowed: false, visible: true, reason });

/** Whether the credential allows an operation of this permission at all. */
export function mayCall(principal: Principal, permission: Permission): Decision {
  const { credential } = principal;
  if (credential?.scopes && !credential.scopes.includes(permission))
    return denied(`The token's scopes do not include ${permission}.`);
  // What a hub says of itself counts everybody's memories and calls.
  if ((permission === 'system.admin' || permission === 'system.read') && !isAdmin(principal))
    return denied('Only an administrator of this hub may do this.');
  return ALLOWED;
}

/** Administers this hub: makes tokens, reads and erases the data of others. Sees no more memories or secrets for it. */
export function isAdmin(principal: Principal): boolean {
  return principal.credential?.admin === true;
}

export function membershipIn(principal: Principal, team_id: string | null): Membership | undefined {
  return team_id === null ? undefined : principal.teams?.find((membership) => membership.team_id === team_id);
}

/** Teams whose memories the principal may read. */
export function readableTeams(principal: Principal): readonly string[] {
  return (principal.teams ?? []).filter((team) => team.capabilities.has('memory.read')).map((team) => team.team_id);
}

/** Solo: its owner alone. Team: members who may read it. Shared: everybody. The SQL of the same is in memory/filters.ts. */
export function maySeeMemory(principal: Principal, memory: MemoryFacts): Decision {
  if (memory.scope === 'shared') return ALLOWED;
  const own = memory.user_id === principal.user_id;
  if (memory.scope === 'solo' || memory.team_id === null) return own ? ALLOWED : INVISIBLE;
  return membershipIn(principal, memory.team_id)?.capabilities.has('memory.read') ? ALLOWED : INVISIBLE;
}

/** A memory is its writer's to change; a team's also that of those who may moderate it. */
export function mayChangeMemory(principal: Principal, memory: MemoryFacts): Decision {
  const seen = maySeeMemory(principal, memory);
  if (!seen.allowed) return seen;
  const own = memory.user_id === principal.user_id;
  if (memory.scope !== 'team' || memory.team_id === null) return own ? ALLOWED : denied('It belongs to somebody else.');
  const capabilities = membershipIn(principal, memory.team_id)?.capabilities;
  if (capabilities?.has('memory.moderate')) return ALLOWED;
  if (!own) return denied('It belongs to another member of the team.');
  return capabilities?.has('memory.write') ? ALLOWED : denied('Your role in the team allows reading only.');
}

/** Whether a new memory may be put there. */
export function mayAddMemory(principal: Principal, place: Pick<MemoryFacts, 'scope' | 'team_id'>): Decision {
  if (place.scope === 'solo' || place.scope === 'shared') return ALLOWED;
  if (place.scope !== 'team') return INVISIBLE;
  return mayInTeam(principal, place.team_id, 'memory.write');
}

/** Whether a member may do this in the team; others are told that there is no such team. */
export function mayInTeam(principal: Principal, team_id: string | null, capability: TeamCapability): Decision {
  const membership = membershipIn(principal, team_id);
  if (!membership) return INVISIBLE;
  return membership.capabilities.has(capability)
    ? ALLOWED
    : denied(`Your role in the team (${membership.role}) does not allow ${capability}.`);
}

const RANK: Readonly<Record<AccessLevel, number>> = { read: 1, write: 2, admin: 3 };

/** What a member may do with the team's own vaults at most. */
function teamVaultLevels(principal: Principal, team_id: string): readonly AccessLevel[] {
  const capabilities = membershipIn(principal, team_id)?.capabilities;
  return ACCESS_LEVELS.filter((level) => capabilities?.has(`vault.${level}`));
}

/**
 * The highest level the principal has on a vault at this moment (ISO time); undefined where it may not be seen. A destroyed
 * vault is seen by nobody.
 */
export function vaultLevel(principal: Principal, vault: VaultFacts, now: string): AccessLevel | undefined {
  if (vault.destroyed_at !== null) return undefined;
  const levels: AccessLevel[] = [];
  if (vault.team_id !== null) levels.push(...teamVaultLevels(principal, vault.team_id));
  else if (vault.user_id === principal.user_id) levels.push('admin');
  for (const grant of vault.grants) {
    if (grant.expires_at !== null && grant.expires_at <= now) continue;
    if (grant.grantee_type === 'user' && grant.grantee_id === principal.user_id) levels.push(grant.access_level);
    // A team's grant gives no member more than the member may do with the team's own vaults: who only reads there does
    // not write here, and guests need a grant of their own.
    if (grant.grantee_type === 'team')
      levels.push(
        ...teamVaultLevels(principal, grant.grantee_id).filter((level) => RANK[level] <= RANK[grant.access_level]),
      );
  }
  return levels.toSorted((a, b) => RANK[b] - RANK[a])[0];
}

/** Whether the principal may do what needs this level on a vault. */
export function mayUseVault(principal: Principal, vault: VaultFacts, needed: AccessLevel, now: string): Decision {
  const level = vaultLevel(principal, vault, now);
  if (level === undefined) return INVISIBLE;
  return RANK[level] >= RANK[needed]
    ? ALLOWED
    : denied(`You have ${level} access to this vault; this needs ${needed}.`);
}

/** A team's vault is made by those who will administer it; any other is the maker's own. */
export function mayAddVault(principal: Principal, team_id: string | null): Decision {
  return team_id === null ? ALLOWED : mayInTeam(principal, team_id, 'vault.admin');
}

/** A user is any name. A team has to be one's own: whether a foreign one exists must not show. */
export function mayGrantTo(
  principal: Principal,
  grantee: Pick<VaultGrantFacts, 'grantee_type' | 'grantee_id'>,
): Decision {
  return grantee.grantee_type === 'user' || membershipIn(principal, grantee.grantee_id) ? ALLOWED : INVISIBLE;
}

/** One's own data is one's own to take along and to erase; that of others is the administrator's business. */
export function mayHandleDataOf(principal: Principal, user_id: string): Decision {
  if (principal.user_id === user_id || isAdmin(principal)) return ALLOWED;
  return denied('Only the user and administrators of this hub may do this.');
}

/** Whether a session may work in this mode; for a vault its facts have to be given. */
export function mayWorkIn(principal: Principal, mode: ModeContext, now: string, vault?: VaultFacts): Decision {
  if (mode.mode === 'solo') return ALLOWED;
  if (mode.mode === 'team') return membershipIn(principal, mode.context_id) ? ALLOWED : INVISIBLE;
  if (mode.context_id === null) return ALLOWED;
  return vault ? mayUseVault(principal, vault, 'read', now) : INVISIBLE;
}

// Who may change whose membership of a team. Pure, as all of the policy.
import type { Principal, TeamCapability, TeamRole } from '../../kernel/operation.ts';
import { type Decision, mayInTeam, membershipIn } from './policy.ts';

/** A membership as it is, or as it would be. */
export interface MembershipFacts {
  readonly role: TeamRole;
  readonly capabilities: ReadonlySet<TeamCapability>;
}

export interface MembershipChange {
  readonly team_id: string;
  readonly user_id: string;
  /** Undefined: no member now. */
  readonly before: MembershipFacts | undefined;
  /** Undefined: no member afterwards. */
  readonly after: MembershipFacts | undefined;
}

const RANK: Readonly<Record<TeamRole, number>> = { owner: 5, admin: 4, member: 3, readonly: 2, guest: 1 };

/**
 * Whether the principal may make this change. Everybody may leave. Owners may do everything else too; others need
 * `members.manage`, reach no role above their own, and give nothing they do not have: not to themselves either.
 */
export function mayChangeMembership(principal: Principal, change: MembershipChange): Decision {
  const { team_id, user_id, before, after } = change;
  const self = principal.user_id === user_id;
  const own = membershipIn(principal, team_id);
  if (own && self && after === undefined) return { allowed: true };
  const manages = mayInTeam(principal, team_id, 'members.manage');
  if (!own || !manages.allowed || own.role === 'owner') return manages;
  if (self) return denied('Only owners may change a membership of their own.');
  for (const facts of [before, after]) {
    if (facts && RANK[facts.role] > RANK[own.role])
      return denied(`Your role in the team (${own.role}) may not make, change or remove an ${facts.role}.`);
  }
  const gained = [...(after?.capabilities ?? [])].filter((capability) => !before?.capabilities.has(capability));
  const lacking = gained.filter((capability) => !own.capabilities.has(capability));
  if (lacking.length > 0) return denied(`You cannot give ${lacking.join(', ')} in this team: you lack it yourself.`);
  return { allowed: true };
}

function denied(reason: string): Decision {
  return { allowed: false, visible: true, reason };
}

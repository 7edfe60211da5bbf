// What a member may be told about a team.
import type { Principal } from '../../kernel/operation.ts';
import { assertAllowed, type CapabilityOverrides, mayInTeam, membershipIn } from '../access/index.ts';
import { type ActivityPage, listActivity } from './activity.ts';
import type { TeamDeps } from './deps.ts';
import { teamNotFound } from './errors.ts';
import { countMembers, listMembers } from './repository.ts';

export interface DetailsWanted {
  /** ISO time. */
  readonly now: string;
  readonly members: boolean;
  readonly activity: ActivityPage | undefined;
}

/** Errors: `not_found`; `forbidden` for members or activity where the role does not show them. */
export async function getTeam(
  { store }: TeamDeps,
  principal: Principal,
  team_id: string,
  { now, members, activity }: DetailsWanted,
) {
  const membership = membershipIn(principal, team_id);
  if (!membership) throw teamNotFound(team_id);
  const absent = () => teamNotFound(team_id);
  if (members) assertAllowed(mayInTeam(principal, team_id, 'members.read'), absent);
  if (activity) assertAllowed(mayInTeam(principal, team_id, 'activity.read'), absent);
  const team = await store.db
    .selectFrom('teams')
    .select(['team_id', 'name', 'description', 'created_at'])
    .where('team_id', '=', team_id)
    .executeTakeFirst();
  if (!team) throw absent();
  const knows = membership.capabilities.has('members.read');
  const manages = membership.capabilities.has('members.manage');
  return {
    ...team,
    role: membership.role,
    capabilities: [...membership.capabilities],
    member_count: knows ? ((await countMembers(store.db, [team_id], now)).get(team_id) ?? 0) : null,
    ...(members ? { members: await membersOf(store, team_id, now) } : {}),
    ...(members && manages ? { invitations: await openInvitations(store, team_id, now) } : {}),
    ...(activity ? { activity: await listActivity(store, team_id, activity) } : {}),
  };
}

async function membersOf(store: TeamDeps['store'], team_id: string, now: string) {
  const rows = await listMembers(store.db, team_id, now);
  return rows.map(({ user_id, role, expires_at, capabilities, added_at, added_by }) => ({
    user_id,
    role,
    expires_at,
    capabilities: JSON.parse(capabilities) as CapabilityOverrides,
    added_at,
    added_by,
  }));
}

function openInvitations(store: TeamDeps['store'], team_id: string, now: string) {
  return store.db
    .selectFrom('team_invitations')
    .select(['user_id', 'role', 'expires_at'])
    .where('team_id', '=', team_id)
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('created_at')
    .orderBy('user_id')
    .execute();
}

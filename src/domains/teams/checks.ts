// What every change of a team's members is held to, and how its terms are written down.
import { toIso } from '../../kernel/clock.ts';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import { assertAllowed, mayInTeam } from '../access/index.ts';
import type { TeamWrite } from './deps.ts';
import { lastOwner, teamNotFound } from './errors.ts';
import { countMembers, type MemberFields } from './repository.ts';

/** Before anything is said about a member: who may not manage members learns nothing. */
export function assertManages({ principal, team_id }: TeamWrite): void {
  assertAllowed(mayInTeam(principal, team_id, 'members.manage'), () => teamNotFound(team_id));
}

export async function assertRoom({ trx, team_id, now_ms }: TeamWrite): Promise<void> {
  const members = (await countMembers(trx, [team_id], toIso(now_ms))).get(team_id) ?? 0;
  if (members < limits.team_members_max_count) return;
  throw failure(
    'limit_exceeded',
    `The team has ${limits.team_members_max_count} members already.`,
    'Remove one with remove_team_member, or make another team.',
  );
}

/** Throws `conflict` where the team has one owner. */
export async function assertOtherOwner({ trx, team_id, now_ms }: TeamWrite): Promise<void> {
  const owners = (await countMembers(trx, [team_id], toIso(now_ms), 'owner')).get(team_id) ?? 0;
  if (owners < 2) throw lastOwner();
}

/** As it stands in activity and audit. */
export function shown({ role, expires_at, overrides }: MemberFields) {
  const given = Object.entries(overrides).map(([capability, has]) => `${has ? '+' : '-'}${capability}`);
  return { role, expires_at, ...(given.length > 0 ? { capabilities: given.join(' ') } : {}) };
}

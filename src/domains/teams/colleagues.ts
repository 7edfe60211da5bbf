// Who shares a team with a user, as SQL for other domains' lists.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Principal } from '../../kernel/operation.ts';

/**
 * True for rows whose user (a column such as `agents.user_id`) is the principal, or is now a member of a team in which
 * the principal may see the members. `now`: ISO time.
 */
export function ofColleagues(principal: Principal, user_column: string, now: string): RawBuilder<SqlBool> {
  const user = sql.ref(user_column);
  const teams = (principal.teams ?? [])
    .filter(({ capabilities }) => capabilities.has('members.read'))
    .map(({ team_id }) => team_id);
  if (teams.length === 0) return sql<SqlBool>`(${user} = ${principal.user_id})`;
  return sql<SqlBool>`(${user} = ${principal.user_id} or ${user} in (
    select colleagues.user_id from team_members as colleagues
    where colleagues.team_id in (${sql.join(teams)}) and (colleagues.expires_at is null or colleagues.expires_at > ${now})))`;
}

// The rules of work.ts as SQL, for lists and queues: tested against them on random rows.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Principal, TeamCapability } from '../../kernel/operation.ts';

/** Rows of a table with the columns `scope`, `user_id` and `team_id` that `maySeeWork` allows. */
export function visibleWork(principal: Principal, table: string): RawBuilder<SqlBool> {
  return withTeams(principal, table, 'work.read');
}

/** Rows that `mayChangeWork` allows. */
export function changeableWork(principal: Principal, table: string): RawBuilder<SqlBool> {
  return withTeams(principal, table, 'work.read', 'work.write');
}

function withTeams(principal: Principal, table: string, ...needed: readonly TeamCapability[]): RawBuilder<SqlBool> {
  const column = (name: 'scope' | 'user_id' | 'team_id') => sql.ref(`${table}.${name}`);
  const teams = (principal.teams ?? [])
    .filter(({ capabilities }) => needed.every((capability) => capabilities.has(capability)))
    .map(({ team_id }) => team_id);
  const own = sql`(${column('user_id')} = ${principal.user_id} and (${column('scope')} = 'solo' or ${column('team_id')} is null))`;
  const inTeams =
    teams.length === 0
      ? sql``
      : sql` or (${column('scope')} = 'team' and ${column('team_id')} in (${sql.join(teams)}))`;
  return sql<SqlBool>`(${column('scope')} = 'shared' or ${own}${inTeams})`;
}

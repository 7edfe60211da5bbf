// The rules of work.ts as SQL, for lists and queues: tested against them on random rows.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Principal, TeamCapability } from '../../kernel/operation.ts';
import type { WorkFacts } from './work.ts';

/** Rows of a table with the columns `scope`, `user_id` and `team_id` that `maySeeWork` allows. */
export function visibleWork(principal: Principal, table: string): RawBuilder<SqlBool> {
  return withTeams(principal, table, 'work.read');
}

/** Rows that `mayChangeWork` allows. */
export function changeableWork(principal: Principal, table: string): RawBuilder<SqlBool> {
  return withTeams(principal, table, 'work.read', 'work.write');
}

/**
 * Rows that `mayChangeWork` allows, place by place: what is shared, what is one's own, what is each team's. A row of
 * one's own that is shared is in two of them. Written so that each place has an index of its own queue.
 */
export function changeablePlaces(principal: Principal, table: string): RawBuilder<SqlBool>[] {
  const of = columnsOf(table);
  const teams = teamsWith(principal, ['work.read', 'work.write']);
  return [shared(of), own(of, principal), ...teams.map((team_id) => inTeam(of, sql`= ${team_id}`))];
}

/** Rows in the very place of something else: all who see that see these, and nobody else puts any there. */
export function inPlace({ scope, user_id, team_id }: WorkFacts, table: string): RawBuilder<SqlBool> {
  const of = columnsOf(table);
  const whose =
    scope === 'team'
      ? sql` and ${of.team_id} = ${team_id}`
      : scope === 'solo'
        ? sql` and ${of.user_id} = ${user_id}`
        : sql``;
  return sql<SqlBool>`(${of.scope} = ${scope}${whose})`;
}

function withTeams(principal: Principal, table: string, ...needed: readonly TeamCapability[]): RawBuilder<SqlBool> {
  const of = columnsOf(table);
  const teams = teamsWith(principal, needed);
  const theirs = teams.length === 0 ? sql`` : sql` or ${inTeam(of, sql`in (${sql.join(teams)})`)}`;
  return sql<SqlBool>`(${shared(of)} or ${own(of, principal)}${theirs})`;
}

function teamsWith(principal: Principal, needed: readonly TeamCapability[]): string[] {
  return (principal.teams ?? [])
    .filter(({ capabilities }) => needed.every((capability) => capabilities.has(capability)))
    .map(({ team_id }) => team_id);
}

const columnsOf = (table: string) => ({
  scope: sql.ref(`${table}.scope`),
  user_id: sql.ref(`${table}.user_id`),
  team_id: sql.ref(`${table}.team_id`),
});
type Columns = ReturnType<typeof columnsOf>;

const shared = (of: Columns) => sql<SqlBool>`${of.scope} = 'shared'`;

const own = (of: Columns, { user_id }: Principal) =>
  sql<SqlBool>`(${of.user_id} = ${user_id} and (${of.scope} = 'solo' or ${of.team_id} is null))`;

const inTeam = (of: Columns, which: RawBuilder<unknown>) =>
  sql<SqlBool>`(${of.scope} = 'team' and ${of.team_id} ${which})`;

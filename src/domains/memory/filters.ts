// Filters over memories: one plain description, one SQL expression, used by search, lists, bulk deletion and statistics.
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Principal, TeamCapability } from '../../kernel/operation.ts';
import { type MemoryFacts, maySeeMemory, readableTeams } from '../access/index.ts';
import type { Scope } from './schema.ts';
import type { MemoryTables } from './tables.ts';

/** Memories that meet all of what it says. */
export interface ReachPart {
  readonly scope?: Scope;
  readonly user_id?: string;
  readonly team_id?: string;
}

/** Memories of any of these parts; never empty. */
export type Reach = readonly [ReachPart, ...ReachPart[]];

export interface MemoryFilter {
  readonly category?: readonly string[];
  readonly tags_any?: readonly string[];
  readonly tags_all?: readonly string[];
  readonly tags_none?: readonly string[];
  readonly project?: string;
  readonly project_id?: string;
  readonly session_id?: string;
  readonly machine_id?: readonly string[];
  readonly exclude_machines?: readonly string[];
  readonly agent_id?: readonly string[];
  readonly user_id?: string;
  /** Where to look; absent: everywhere the principal may see. */
  readonly reach?: Reach;
  readonly source?: string;
  /** ISO time; compares when it happened, or was stored where that is unknown. */
  readonly since?: string;
  readonly until?: string;
  /** ISO times of storing, for bulk deletion and recent lists. */
  readonly created_from?: string;
  readonly created_to?: string;
  /** Only memories that hold at this ISO time. */
  readonly valid_at?: string;
  readonly include_superseded?: boolean;
  readonly importance_min?: number;
}

type Builder = ExpressionBuilder<MemoryTables, 'memories'>;

/** Rows the principal may see at all: `maySeeMemory` of the policy as SQL. `table`: another name the rows go by. */
export function visibleTo(eb: Builder, principal: Principal, table = 'memories'): Expression<SqlBool> {
  const column = (name: 'scope' | 'user_id' | 'team_id') => sql<string>`${sql.ref(`${table}.${name}`)}`;
  const own = sql<SqlBool>`${column('user_id')} = ${principal.user_id}`;
  const anyOf: Expression<SqlBool>[] = [
    sql<SqlBool>`${column('scope')} = 'shared'`,
    sql<SqlBool>`(${own} and (${column('scope')} = 'solo' or ${column('team_id')} is null))`,
  ];
  const teams = readableTeams(principal);
  if (teams.length > 0)
    anyOf.push(sql<SqlBool>`(${column('scope')} <> 'solo' and ${column('team_id')} in (${sql.join(teams)}))`);
  return eb.or(anyOf);
}

/** The same rule for a row at hand. */
export function isVisibleTo(row: MemoryFacts, principal: Principal): boolean {
  return maySeeMemory(principal, row).allowed;
}

/** Rows the principal may change or delete, and find in the recycle bin: `mayChangeMemory` of the policy as SQL. */
export function changeableBy(eb: Builder, principal: Principal): Expression<SqlBool> {
  const teamsWith = (capability: TeamCapability) =>
    (principal.teams ?? []).filter((team) => team.capabilities.has(capability)).map((team) => team.team_id);
  const own = eb('memories.user_id', '=', principal.user_id);
  const inTeams = (teams: readonly string[]) =>
    teams.length === 0 ? sql<SqlBool>`1 = 0` : eb('memories.team_id', 'in', teams);
  return eb.and([
    visibleTo(eb, principal),
    eb.or([
      eb.and([own, eb.or([eb('memories.scope', '<>', 'team'), eb('memories.team_id', 'is', null)])]),
      eb.and([
        eb('memories.scope', '=', 'team'),
        eb.or([inTeams(teamsWith('memory.moderate')), eb.and([own, inTeams(teamsWith('memory.write'))])]),
      ]),
    ]),
  ]);
}

/** Living memories that pass the filter and that the principal may see. */
export function seen(eb: Builder, filter: MemoryFilter, principal: Principal): Expression<SqlBool> {
  const all = [matching(eb, filter), visibleTo(eb, principal)];
  if (filter.include_superseded === false) all.push(notReplaced(eb, principal));
  return eb.and(all);
}

/** The filter as one expression over living memories, whoever may see them; what replaces what depends on who looks. */
export function matching(eb: Builder, filter: MemoryFilter): Expression<SqlBool> {
  const all: Expression<SqlBool>[] = [eb('memories.deleted_at', 'is', null)];
  if (filter.category?.length) all.push(eb('memories.category', 'in', filter.category));
  if (filter.project !== undefined) all.push(eb('memories.project', '=', filter.project));
  if (filter.project_id !== undefined) all.push(eb('memories.project_id', '=', filter.project_id));
  if (filter.session_id !== undefined) all.push(eb('memories.session_id', '=', filter.session_id));
  if (filter.machine_id?.length) all.push(eb('memories.machine_id', 'in', filter.machine_id));
  if (filter.exclude_machines?.length) all.push(eb('memories.machine_id', 'not in', filter.exclude_machines));
  if (filter.agent_id?.length) all.push(eb('memories.agent_id', 'in', filter.agent_id));
  if (filter.user_id !== undefined) all.push(eb('memories.user_id', '=', filter.user_id));
  if (filter.reach !== undefined) all.push(within(eb, filter.reach));
  if (filter.source !== undefined) all.push(eb('memories.source', '=', filter.source));
  if (filter.importance_min !== undefined) all.push(eb('memories.importance', '>=', filter.importance_min));
  if (filter.created_from !== undefined) all.push(eb('memories.created_at', '>=', filter.created_from));
  if (filter.created_to !== undefined) all.push(eb('memories.created_at', '<', filter.created_to));
  all.push(...tagConditions(eb, filter), ...timeConditions(eb, filter));
  return eb.and(all);
}

function tagConditions(eb: Builder, filter: MemoryFilter): Expression<SqlBool>[] {
  const tagged = (tags: readonly string[]) =>
    eb.selectFrom('memory_tags').select('memory_tags.row_id').where('memory_tags.tag', 'in', tags);
  const conditions: Expression<SqlBool>[] = [];
  if (filter.tags_any?.length) conditions.push(eb('memories.row_id', 'in', tagged(filter.tags_any)));
  for (const tag of filter.tags_all ?? []) conditions.push(eb('memories.row_id', 'in', tagged([tag])));
  if (filter.tags_none?.length) conditions.push(eb('memories.row_id', 'not in', tagged(filter.tags_none)));
  return conditions;
}

function within(eb: Builder, reach: Reach): Expression<SqlBool> {
  return eb.or(
    reach.map((part) =>
      eb.and(
        (['scope', 'user_id', 'team_id'] as const).flatMap((column) => {
          const value = part[column];
          return value === undefined ? [] : [eb(`memories.${column}`, '=', value)];
        }),
      ),
    ),
  );
}

/**
 * A memory counts as replaced for those who see its replacement, while that is there (living, or merged into another):
 * deleting a replacement, or moving it out of sight, brings what it replaced back into searches.
 */
function notReplaced(eb: Builder, principal: Principal): Expression<SqlBool> {
  return sql<SqlBool>`(memories.superseded_by is null or not exists (
    select 1 from memories as replacement
    where replacement.memory_id = memories.superseded_by
      and (replacement.deleted_at is null or replacement.merged_into is not null)
      and ${visibleTo(eb, principal, 'replacement')}))`;
}

function timeConditions(eb: Builder, filter: MemoryFilter): Expression<SqlBool>[] {
  const happened = sql<string>`coalesce(memories.occurred_at, memories.created_at)`;
  const conditions: Expression<SqlBool>[] = [];
  if (filter.since !== undefined) conditions.push(sql<SqlBool>`${happened} >= ${filter.since}`);
  if (filter.until !== undefined) conditions.push(sql<SqlBool>`${happened} < ${filter.until}`);
  if (filter.valid_at !== undefined) {
    conditions.push(eb.or([eb('memories.valid_from', 'is', null), eb('memories.valid_from', '<=', filter.valid_at)]));
    conditions.push(eb.or([eb('memories.valid_until', 'is', null), eb('memories.valid_until', '>', filter.valid_at)]));
  }
  return conditions;
}

// Filters over memories: one plain description, one SQL expression, used by search, lists, bulk deletion and statistics.
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Principal } from '../../kernel/operation.ts';
import type { MemoryTables } from './tables.ts';

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
  readonly scope?: string;
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

/** Rows the principal may see at all: shared ones and their own; team rows follow membership, of which there is none yet. */
export function visibleTo(eb: Builder, principal: Principal): Expression<SqlBool> {
  return eb.or([eb('memories.scope', '=', 'shared'), eb('memories.user_id', '=', principal.user_id)]);
}

/** The same rule for a row at hand. */
export function isVisibleTo(row: { readonly scope: string; readonly user_id: string }, principal: Principal): boolean {
  return row.scope === 'shared' || row.user_id === principal.user_id;
}

/** The filter as one expression over living memories. */
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
  if (filter.scope !== undefined) all.push(eb('memories.scope', '=', filter.scope));
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

/**
 * A memory counts as replaced while its replacement is there (living, or merged into another) and seen by everybody who
 * sees the memory: deleting a replacement, or making it private, brings what it replaced back into searches.
 */
function notReplaced(): Expression<SqlBool> {
  return sql<SqlBool>`(memories.superseded_by is null or not exists (
    select 1 from memories as replacement
    where replacement.memory_id = memories.superseded_by
      and (replacement.deleted_at is null or replacement.merged_into is not null)
      and (replacement.scope = 'shared' or memories.scope <> 'shared')))`;
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
  if (filter.include_superseded === false) conditions.push(notReplaced());
  return conditions;
}

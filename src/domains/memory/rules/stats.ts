// Counting memories for statistics: only what the principal may see is counted.
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Principal } from '../../../kernel/operation.ts';
import { changeableBy, type MemoryFilter, seen as seenBy } from '../filters.ts';
import type { MemoryDatabase, Reader } from '../repository.ts';
import type { MemoryTables } from '../tables.ts';

type Column = 'category' | 'scope' | 'machine_id' | 'agent_id' | 'project' | 'format_version' | 'source';

const seen =
  (filter: MemoryFilter, principal: Principal) =>
  (eb: ExpressionBuilder<MemoryTables, 'memories'>): Expression<SqlBool> =>
    seenBy(eb, filter, principal);

/** Memories by value of a column, most first. */
export async function countBy(
  db: Reader,
  column: Column,
  filter: MemoryFilter,
  principal: Principal,
  limit = 50,
): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('memories')
    .select([sql<string | null>`${sql.ref(`memories.${column}`)}`.as('value'), sql<number>`count(*)`.as('count')])
    .where(seen(filter, principal))
    .groupBy('value')
    .orderBy('count', 'desc')
    .limit(limit)
    .execute();
  return Object.fromEntries(rows.map((row) => [row.value ?? '', row.count]));
}

export interface Totals {
  readonly total: number;
  readonly content_chars: number;
  readonly oldest: string | null;
  readonly newest: string | null;
}

export async function totals(db: Reader, filter: MemoryFilter, principal: Principal): Promise<Totals> {
  return db
    .selectFrom('memories')
    .select([
      sql<number>`count(*)`.as('total'),
      sql<number>`coalesce(sum(length(content)), 0)`.as('content_chars'),
      sql<string | null>`min(created_at)`.as('oldest'),
      sql<string | null>`max(created_at)`.as('newest'),
    ])
    .where(seen(filter, principal))
    .executeTakeFirstOrThrow();
}

export async function topTags(
  db: Reader,
  filter: MemoryFilter,
  principal: Principal,
  limit: number,
): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('memory_tags')
    .innerJoin('memories', 'memories.row_id', 'memory_tags.row_id')
    .select(['memory_tags.tag', sql<number>`count(*)`.as('count')])
    .where((eb) => seen(filter, principal)(eb as never))
    .groupBy('memory_tags.tag')
    .orderBy('count', 'desc')
    .limit(limit)
    .execute();
  return Object.fromEntries(rows.map((row) => [row.tag, row.count]));
}

/** Memories that meet a condition. */
export async function countRows(
  db: Reader,
  where: (eb: ExpressionBuilder<MemoryTables, 'memories'>) => Expression<SqlBool>,
): Promise<number> {
  const row = await db
    .selectFrom('memories')
    .select(sql<number>`count(*)`.as('count'))
    .where(where)
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Memories in the recycle bin that the caller can still recover. */
export async function deletedCount(db: Reader, principal: Principal, now: string): Promise<number> {
  return countRows(db, (eb) =>
    eb.and([eb('purge_at', '>', now), eb('deleted_at', 'is not', null), changeableBy(eb, principal)]),
  );
}

/** Memories that wait for their vector: others' private ones are not counted. */
export async function pendingCount(db: Reader, filter: MemoryFilter, principal: Principal): Promise<number> {
  const row = await db
    .selectFrom('memory_vector_queue')
    .innerJoin('memories', 'memories.row_id', 'memory_vector_queue.row_id')
    .select(sql<number>`count(*)`.as('count'))
    .where((eb) => seen(filter, principal)(eb as never))
    .executeTakeFirstOrThrow();
  return row.count;
}

export interface SourceRow {
  readonly machine_id: string;
  readonly memories: number;
  readonly agents: number;
  readonly categories: string;
  readonly first_at: string;
  readonly last_at: string;
}

/** Machines that wrote memories. */
export function machines(
  { db, dialect }: MemoryDatabase,
  filter: MemoryFilter,
  principal: Principal,
  limit: number,
): Promise<SourceRow[]> {
  return db
    .selectFrom('memories')
    .select([
      'machine_id',
      sql<number>`count(*)`.as('memories'),
      sql<number>`count(distinct agent_id)`.as('agents'),
      dialect.distinctList('category').as('categories'),
      sql<string>`min(created_at)`.as('first_at'),
      sql<string>`max(created_at)`.as('last_at'),
    ])
    .where(seen(filter, principal))
    .groupBy('machine_id')
    .orderBy('memories', 'desc')
    .limit(limit)
    .execute();
}

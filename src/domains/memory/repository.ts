// SQL over memories, nothing else. Every write takes the transaction that records its change.
import { type Expression, type ExpressionBuilder, type Kysely, type SqlBool, sql } from 'kysely';
import type { Principal } from '../../kernel/operation.ts';
import type { VersionVector } from '../../storage/changes.ts';
import type { Database, Trx } from '../../storage/database.ts';
import { StaleRead } from '../../storage/engine.ts';
import { type MemoryFilter, seen, visibleTo } from './filters.ts';
import { type MemoryRow, type NewMemoryRow, snapshotOf } from './record.ts';
import type { MemoryTables } from './tables.ts';

export type MemoryTrx = Trx<MemoryTables>;
export type Reader = Pick<Kysely<MemoryTables>, 'selectFrom'>;
/** The store with this domain's tables. */
export interface MemoryDatabase extends Database<MemoryTables> {
  /** Notes rows whose entry in an index that another program holds has to be renewed; absent where there is none. */
  readonly noteForIndex?: ((trx: MemoryTrx, row_ids: readonly number[]) => Promise<void>) | undefined;
  /** Tells those who keep copies of a row that it is about to change; absent where nobody does. */
  readonly beforeChange?: (trx: MemoryTrx, memory_id: string) => Promise<void>;
}

const ENTITY = 'memory';

/** One row by id, whoever owns it and living or not. Rules decide what may be shown. */
export function findRow(db: Reader, memory_id: string): Promise<MemoryRow | undefined> {
  return db.selectFrom('memories').selectAll().where('memory_id', '=', memory_id).executeTakeFirst();
}

/** A living row the principal may see. */
export function findVisible(db: Reader, memory_id: string, principal: Principal): Promise<MemoryRow | undefined> {
  return db
    .selectFrom('memories')
    .selectAll()
    .where('memory_id', '=', memory_id)
    .where('deleted_at', 'is', null)
    .where((eb) => visibleTo(eb, principal))
    .executeTakeFirst();
}

export function findLivingByIdentity(db: Reader, identity_hash: string): Promise<MemoryRow | undefined> {
  return db
    .selectFrom('memories')
    .selectAll()
    .where('identity_hash', '=', identity_hash)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
}

export function findByExternalId(db: Reader, user_id: string, external_id: string): Promise<MemoryRow | undefined> {
  return db
    .selectFrom('memories')
    .selectAll()
    .where('user_id', '=', user_id)
    .where('external_id', '=', external_id)
    .executeTakeFirst();
}

/** Rows in the order of the ids asked for; ids that do not exist or may not be seen are left out. */
export async function findRows(
  { db, dialect }: MemoryDatabase,
  row_ids: readonly number[],
  principal: Principal,
): Promise<MemoryRow[]> {
  if (row_ids.length === 0) return [];
  const rows = await db
    .selectFrom('memories')
    .selectAll()
    .where(dialect.inList('memories.row_id', row_ids))
    .where('deleted_at', 'is', null)
    .where((eb) => visibleTo(eb, principal))
    .execute();
  const byId = new Map(rows.map((row) => [row.row_id, row]));
  return row_ids.flatMap((id) => byId.get(id) ?? []);
}

/** Ids of rows that pass, `limit` at most. Used to keep filters exact. */
export function matchingRowIds(
  { db, dialect }: MemoryDatabase,
  filter: MemoryFilter,
  principal: Principal,
  limit?: number,
): Promise<number[]> {
  let rows = db
    .selectFrom('memories')
    .select('memories.row_id')
    .where((eb) => seen(eb, filter, principal));
  if (limit !== undefined) rows = rows.limit(limit);
  return dialect.collectIds(db, rows);
}

export interface Page {
  readonly limit: number;
  /** created_at and row_id of the last row of the page before. */
  readonly after?: readonly [string, number];
}

/** Newest first. */
export function listRows(
  db: Reader,
  where: (eb: ExpressionBuilder<MemoryTables, 'memories'>) => Expression<SqlBool>,
  page: Page,
): Promise<MemoryRow[]> {
  let query = db.selectFrom('memories').selectAll().where(where);
  if (page.after) {
    const [created_at, row_id] = page.after;
    query = query.where(sql<SqlBool>`(memories.created_at, memories.row_id) < (${created_at}, ${row_id})`);
  }
  return query.orderBy('created_at', 'desc').orderBy('row_id', 'desc').limit(page.limit).execute();
}

/** Inserts a memory with its tags, text and change. */
export async function insertRow(store: MemoryDatabase, trx: MemoryTrx, row: NewMemoryRow): Promise<number> {
  const versioned = await store.recordChange(trx, {
    entity: ENTITY,
    entity_id: row.memory_id,
    kind: 'put',
    before: {},
  });
  const { row_id } = await trx
    .insertInto('memories')
    .values({ ...row, ...versioned })
    .returning('row_id')
    .executeTakeFirstOrThrow();
  await insertParts(store, trx, row_id, row);
  return row_id;
}

async function insertParts(
  store: MemoryDatabase,
  trx: MemoryTrx,
  row_id: number,
  row: Pick<NewMemoryRow, 'content' | 'context' | 'tags'>,
): Promise<void> {
  const tags = JSON.parse(row.tags) as string[];
  if (tags.length > 0)
    await trx
      .insertInto('memory_tags')
      .values(tags.map((tag) => ({ tag, row_id })))
      .execute();
  await store.text.put(trx, row_id, { body: row.content, extra: [row.context ?? '', ...tags].join(' ') });
}

export interface ChangeNote {
  readonly change: string;
  readonly changed_at: string;
  readonly changed_by: string;
}

/** Changes a row: keeps the version before, bumps the number, records the change, and renews its tags and text. */
export async function updateRow(
  store: MemoryDatabase,
  trx: MemoryTrx,
  row: MemoryRow,
  values: Partial<NewMemoryRow>,
  note: ChangeNote,
): Promise<MemoryRow> {
  const before = JSON.parse(row.version_vector) as VersionVector;
  const deleted_at = values.deleted_at === undefined ? row.deleted_at : values.deleted_at;
  const kind = deleted_at === null ? 'put' : 'delete';
  await store.beforeChange?.(trx, row.memory_id);
  const versioned = await store.recordChange(trx, { entity: ENTITY, entity_id: row.memory_id, kind, before });
  await trx
    .insertInto('memory_versions')
    .values({ memory_id: row.memory_id, version: row.version, snapshot: JSON.stringify(snapshotOf(row)), ...note })
    .execute();
  const next = { ...row, ...values, ...versioned, version: row.version + 1, updated_at: note.changed_at };
  const { row_id, ...columns } = next;
  await trx
    .updateTable('memories')
    .set(columns)
    .where('row_id', '=', row_id)
    .where('version', '=', row.version)
    .executeTakeFirst()
    .then(assertUnchanged);
  await removeParts(store, trx, row_id);
  if (next.deleted_at === null) await insertParts(store, trx, row_id, next);
  await store.noteForIndex?.(trx, [row_id]);
  return next;
}

async function removeParts(store: MemoryDatabase, trx: MemoryTrx, row_id: number): Promise<void> {
  await trx.deleteFrom('memory_tags').where('row_id', '=', row_id).execute();
  await store.text.remove(trx, row_id);
}

/** Destroys a row, its versions, vectors and text; only the change record stays as a tombstone. */
export async function purgeRow(store: MemoryDatabase, trx: MemoryTrx, row: MemoryRow): Promise<void> {
  const before = JSON.parse(row.version_vector) as VersionVector;
  await store.beforeChange?.(trx, row.memory_id);
  await store.recordChange(trx, { entity: ENTITY, entity_id: row.memory_id, kind: 'delete', before });
  await removeParts(store, trx, row.row_id);
  for (const table of ['memory_vectors', 'memory_vector_queue', 'memory_signatures'] as const) {
    await trx.deleteFrom(table).where('row_id', '=', row.row_id).execute();
  }
  await trx.deleteFrom('memory_versions').where('memory_id', '=', row.memory_id).execute();
  await store.noteForIndex?.(trx, [row.row_id]);
  await trx
    .deleteFrom('memories')
    .where('row_id', '=', row.row_id)
    .where('version', '=', row.version)
    .executeTakeFirst()
    .then(assertUnchanged);
}

/** Another process changed or destroyed the row between reading and writing it: the whole write is run again. */
function assertUnchanged(result: { readonly numUpdatedRows?: bigint; readonly numDeletedRows?: bigint }): void {
  if ((result.numUpdatedRows ?? result.numDeletedRows) !== 1n) throw new StaleRead();
}

export function listVersions(
  db: Reader,
  memory_id: string,
): Promise<{ version: number; change: string; changed_at: string; changed_by: string; snapshot: string }[]> {
  return db
    .selectFrom('memory_versions')
    .select(['version', 'change', 'changed_at', 'changed_by', 'snapshot'])
    .where('memory_id', '=', memory_id)
    .orderBy('version', 'desc')
    .execute();
}

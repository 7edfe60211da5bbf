// Deleting and what comes after: recycle bin, recovery, destruction, retention policies.
import { toIso } from '../../../kernel/clock.ts';
import { failure } from '../../../kernel/errors.ts';
import { limits } from '../../../kernel/limits.ts';
import type { Principal } from '../../../kernel/operation.ts';
import { mayChangeMemory } from '../../access/index.ts';
import { memoryNotFound } from '../errors.ts';
import { changeableBy, isVisibleTo, type MemoryFilter, matching } from '../filters.ts';
import type { MemoryRow } from '../record.ts';
import { findLivingByIdentity, findRow, listRows, type MemoryTrx, purgeRow, updateRow } from '../repository.ts';
import { announce, changeableRow, renewVectors } from './change.ts';
import type { Caller, RetentionPolicy, RuleDeps } from './deps.ts';
import { assertMayChange } from './place.ts';
import { countRows } from './stats.ts';
import { noteInTeam } from './team-activity.ts';

const DAY_MS = 86_400_000;
/** Rows destroyed or retired in one commit: keeps the write lock short. */
const SWEEP_BATCH_COUNT = 200;

export interface DeleteOptions {
  readonly hard: boolean;
  readonly reason: string | undefined;
}

/** Deletes a living memory, or destroys one that is in the recycle bin already when `hard` is set. */
export async function deleteMemory(
  deps: RuleDeps,
  memory_id: string,
  options: DeleteOptions,
  caller: Caller,
): Promise<MemoryRow> {
  const row = await deps.store.write(async (trx) => {
    const target = options.hard
      ? await changeableOrDeleted(trx, memory_id, caller)
      : await changeableRow(trx, memory_id, caller);
    return removeOne(deps, trx, target, options, caller);
  });
  deps.vectors.forget([row.row_id]);
  deps.changed(memory_id);
  return row;
}

async function removeOne(
  deps: RuleDeps,
  trx: MemoryTrx,
  row: MemoryRow,
  options: DeleteOptions,
  caller: Caller,
): Promise<MemoryRow> {
  if (options.hard) {
    await destroy(deps, trx, row, caller);
    return row;
  }
  return retire(deps, trx, row, options.reason, caller, null);
}

/** Destroys a row. What it replaced is current again, or replaced by what it was merged into. */
async function destroy(deps: RuleDeps, trx: MemoryTrx, row: MemoryRow, caller: Caller): Promise<void> {
  const replaced = row.supersedes === null ? undefined : await findRow(trx, row.supersedes);
  if (replaced?.superseded_by === row.memory_id) {
    const note = {
      change: 'superseded',
      changed_at: toIso(deps.store.clock.now()),
      changed_by: caller.principal.user_id,
    };
    await updateRow(deps.store, trx, replaced, { superseded_by: row.merged_into }, note);
  }
  await purgeRow(deps.store, trx, row);
  await noteInTeam(deps, trx, row, 'memory.destroyed', caller);
}

/** Moves a row to the recycle bin. */
export async function retire(
  deps: RuleDeps,
  trx: MemoryTrx,
  row: MemoryRow,
  reason: string | undefined,
  caller: Caller,
  merged_into: string | null,
): Promise<MemoryRow> {
  const now_ms = deps.store.clock.now();
  const deleted_at = toIso(now_ms);
  const values = {
    deleted_at,
    deleted_by: caller.principal.user_id,
    delete_reason: reason ?? null,
    purge_at: toIso(now_ms + limits.soft_delete_retention_ms),
    merged_into,
  };
  const note = {
    change: merged_into ? 'merge' : 'delete',
    changed_at: deleted_at,
    changed_by: caller.principal.user_id,
  };
  const next = await updateRow(deps.store, trx, row, values, note);
  for (const table of ['memory_vectors', 'memory_vector_queue', 'memory_signatures'] as const) {
    await trx.deleteFrom(table).where('row_id', '=', row.row_id).execute();
  }
  await noteInTeam(deps, trx, next, 'memory.deleted', caller);
  return next;
}

/** What is in the recycle bin is there for those alone who may take it out again. */
async function changeableOrDeleted(trx: MemoryTrx, memory_id: string, caller: Caller): Promise<MemoryRow> {
  const row = await findRow(trx, memory_id);
  if (!row || (row.deleted_at !== null && !mayChangeMemory(caller.principal, row).allowed))
    throw memoryNotFound(memory_id);
  assertMayChange(caller.principal, row);
  return row;
}

/** Brings a memory back from the recycle bin as it was. Errors: not_found, conflict where the same text lives again. */
export async function recoverMemory(deps: RuleDeps, memory_id: string, caller: Caller): Promise<MemoryRow> {
  const row = await deps.store.write(async (trx) => {
    const found = await findRow(trx, memory_id);
    const due = found?.purge_at != null && found.purge_at <= toIso(deps.store.clock.now());
    if (!found || found.deleted_at === null || due || !mayChangeMemory(caller.principal, found).allowed)
      throw notInBin(memory_id);
    const twin = await findLivingByIdentity(trx, found.identity_hash);
    if (twin) throw storedAgain(twin, caller);
    const note = { change: 'recover', changed_at: toIso(deps.store.clock.now()), changed_by: caller.principal.user_id };
    const values = { deleted_at: null, deleted_by: null, delete_reason: null, purge_at: null, merged_into: null };
    const restored = await updateRow(deps.store, trx, found, values, note);
    await renewVectors(deps, trx, restored);
    await noteInTeam(deps, trx, restored, 'memory.recovered', caller);
    return restored;
  });
  announce(deps, row);
  return row;
}

function storedAgain(twin: MemoryRow, caller: Caller) {
  if (!isVisibleTo(twin, caller.principal))
    return failure('conflict', 'It cannot come back where it was.', 'Store its text anew.');
  return failure(
    'conflict',
    `The same text was stored again as ${twin.memory_id}.`,
    'Use that memory, or delete it first.',
    { details: { memory_id: twin.memory_id } },
  );
}

function notInBin(memory_id: string) {
  return failure(
    'not_found',
    `Memory ${memory_id} is not in the recycle bin.`,
    'list_deleted_memories shows what can be recovered; after 30 days it is destroyed.',
    { details: { memory_id } },
  );
}

export interface BulkReport {
  readonly count: number;
  /** The first of them, newest first. */
  readonly sample: readonly MemoryRow[];
}

const takenBy = (filter: MemoryFilter, caller: Caller) => (eb: Parameters<typeof matching>[0]) =>
  eb.and([matching(eb, filter), changeableBy(eb, caller.principal)]);

/** What a bulk deletion would take: only memories the caller may change. */
export async function previewBulk(
  deps: RuleDeps,
  filter: MemoryFilter,
  sample_count: number,
  caller: Caller,
): Promise<BulkReport> {
  const total = await countRows(deps.store.db, takenBy(filter, caller));
  const sample = await listRows(deps.store.db, takenBy(filter, caller), { limit: sample_count });
  return { count: Math.min(total, limits.bulk_max_items), sample };
}

/**
 * Deletes what passes the filter, newest first and at most `bulk_max_items`, in short commits so that others write
 * meanwhile. A cancelled call keeps what it has deleted so far deleted.
 */
export async function bulkDelete(
  deps: RuleDeps,
  filter: MemoryFilter,
  options: DeleteOptions & { readonly sample_count: number; readonly signal: AbortSignal },
  caller: Caller,
): Promise<BulkReport> {
  const sample: MemoryRow[] = [];
  let count = 0;
  for (;;) {
    options.signal.throwIfAborted();
    const limit = Math.min(SWEEP_BATCH_COUNT, limits.bulk_max_items - count);
    const rows = await deps.store.write(async (trx) => {
      const found = await listRows(trx, takenBy(filter, caller), { limit });
      for (const row of found) await removeOne(deps, trx, row, options, caller);
      return found;
    });
    announceGone(deps, rows);
    sample.push(...rows.slice(0, Math.max(0, options.sample_count - sample.length)));
    count += rows.length;
    if (rows.length < limit || count === limits.bulk_max_items) return { count, sample };
  }
}

function announceGone(deps: RuleDeps, rows: readonly MemoryRow[]): void {
  deps.vectors.forget(rows.map((row) => row.row_id));
  for (const row of rows) deps.changed(row.memory_id);
}

export interface CleanupReport {
  /** Destroyed because their 30 days in the recycle bin were over. */
  readonly purged: number;
  /** Moved to the recycle bin by a retention policy. */
  readonly retired: number;
  readonly retired_by_policy: readonly { readonly policy: RetentionPolicy; readonly count: number }[];
}

/**
 * Destroys what has been in the recycle bin for 30 days and applies retention policies: to the caller's own memories,
 * or to everybody's, as the schedule does. An answer never counts memories of others.
 */
export async function cleanUp(deps: RuleDeps, caller: Caller, whose: 'own' | 'all'): Promise<CleanupReport> {
  const owner = whose === 'own' ? caller.principal : undefined;
  const retired_by_policy: { policy: RetentionPolicy; count: number }[] = [];
  for (const policy of deps.retention)
    retired_by_policy.push({ policy, count: await applyPolicy(deps, policy, owner, caller) });
  const purged = await purgeExpired(deps, owner, caller);
  return { purged, retired: retired_by_policy.reduce((sum, entry) => sum + entry.count, 0), retired_by_policy };
}

async function purgeExpired(deps: RuleDeps, owner: Principal | undefined, caller: Caller): Promise<number> {
  let purged = 0;
  for (;;) {
    const rows = await deps.store.write(async (trx) => {
      let due = trx
        .selectFrom('memories')
        .selectAll()
        .where('deleted_at', 'is not', null)
        .where('purge_at', '<=', toIso(deps.store.clock.now()));
      if (owner !== undefined) due = due.where('user_id', '=', owner.user_id).where((eb) => changeableBy(eb, owner));
      const expired = await due.limit(SWEEP_BATCH_COUNT).execute();
      for (const row of expired) await destroy(deps, trx, row, caller);
      return expired;
    });
    purged += rows.length;
    if (rows.length < SWEEP_BATCH_COUNT) return purged;
  }
}

async function applyPolicy(
  deps: RuleDeps,
  policy: RetentionPolicy,
  owner: Principal | undefined,
  caller: Caller,
): Promise<number> {
  const filter: MemoryFilter = {
    ...(owner === undefined ? {} : { user_id: owner.user_id }),
    created_to: toIso(deps.store.clock.now() - policy.max_age_days * DAY_MS),
    ...(policy.category === undefined ? {} : { category: [policy.category] }),
    ...(policy.tag === undefined ? {} : { tags_any: [policy.tag.toLowerCase()] }),
  };
  let count = 0;
  for (;;) {
    const rows = await deps.store.write(async (trx) => {
      const old = await listRows(
        trx,
        (eb) => (owner ? eb.and([matching(eb, filter), changeableBy(eb, owner)]) : matching(eb, filter)),
        { limit: SWEEP_BATCH_COUNT },
      );
      for (const row of old)
        await retire(deps, trx, row, `retention policy: ${policy.max_age_days} days`, caller, null);
      return old;
    });
    announceGone(deps, rows);
    count += rows.length;
    if (rows.length < SWEEP_BATCH_COUNT) return count;
  }
}

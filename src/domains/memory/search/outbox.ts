// SQL of the outbox: rows whose entry in the vector index that another program holds has to be renewed.
//
// A change notes its row in the same transaction. A process claims noted rows, reads their present state, brings it to
// the index and settles the claim. What holds whatever the order and whoever dies:
//   - A row stays noted until a process that read its state after the last change has had the index's answer: a change
//     sets `attempts` to 0, and settling removes only rows that are as they were claimed.
//   - While a claim lasts nobody else writes the row to the index, so two states of it are not under way at once.
//   - A claimer that was so slow that its claim ended notes the row again: its older state may have arrived last.
import { sql } from 'kysely';
import type { MemoryDatabase, MemoryTrx } from '../repository.ts';

export interface Claim {
  readonly row_id: number;
  readonly attempts: number;
  readonly claimed_until: number;
}

/** Rows noted with one statement: SQLite takes 32,766 parameters, PostgreSQL 65,535. */
const NOTED_PER_STATEMENT = 5_000;

/** Notes rows in the transaction that changes them. A claim on one of them stays, and finds the row changed. */
export async function noteChanged(trx: MemoryTrx, row_ids: readonly number[]): Promise<void> {
  // In one order everywhere, so that two transactions wait for each other instead of blocking each other.
  const ids = [...row_ids].sort((a, b) => a - b);
  for (let start = 0; start < ids.length; start += NOTED_PER_STATEMENT) {
    await trx
      .insertInto('vector_outbox')
      .values(
        ids.slice(start, start + NOTED_PER_STATEMENT).map((row_id) => ({ row_id, attempts: 0, claimed_until: 0 })),
      )
      .onConflict((conflict) => conflict.column('row_id').doUpdateSet({ attempts: 0 }))
      .execute();
  }
}

/** Claims rows nobody works on, lowest id first. Rows another process is claiming at this moment are passed over. */
export function claimChanges(store: MemoryDatabase, limit: number, until_ms: number): Promise<Claim[]> {
  return store.write(async (trx) => {
    const waiting = trx
      .selectFrom('vector_outbox')
      .select(['row_id', 'attempts'])
      .where('claimed_until', '<', store.clock.now())
      .orderBy('row_id')
      .limit(limit);
    const rows = await store.dialect.unclaimed(waiting).execute();
    if (rows.length === 0) return [];
    await trx
      .updateTable('vector_outbox')
      .set({ claimed_until: until_ms, attempts: sql<number>`vector_outbox.attempts + 1` })
      .where(store.dialect.inList('row_id', idsOf(rows)))
      .execute();
    return rows.map(({ row_id, attempts }) => ({ row_id, attempts: attempts + 1, claimed_until: until_ms }));
  });
}

/**
 * Ends claims after the index answered: rows that are as they were claimed are done. Rows that changed meanwhile, and
 * those whose claim somebody else took over, wait again.
 */
export function settleChanges(store: MemoryDatabase, claims: readonly Claim[]): Promise<void> {
  return store.write(async (trx) => {
    const { own, changed, lost } = await compareClaims(store, trx, claims);
    await trx.deleteFrom('vector_outbox').where(store.dialect.inList('row_id', own)).execute();
    await release(store, trx, changed, 0);
    await noteChanged(trx, lost);
  });
}

/** Leaves claimed rows for later: nobody tries them before `until_ms` of their number of attempts. */
export function postponeChanges(
  store: MemoryDatabase,
  claims: readonly Claim[],
  until_ms: (attempts: number) => number,
): Promise<void> {
  return store.write(async (trx) => {
    const { own, changed, lost } = await compareClaims(store, trx, claims);
    const kept = new Set([...own, ...changed]);
    for (const [attempts, group] of Map.groupBy(claims, (claim) => claim.attempts)) {
      const ids = idsOf(group).filter((row_id) => kept.has(row_id));
      await release(store, trx, ids, until_ms(attempts));
    }
    await noteChanged(trx, lost);
  });
}

/** Gives claimed rows back as if they had not been claimed: whoever comes next may take them at once. */
export function releaseChanges(store: MemoryDatabase, claims: readonly Claim[]): Promise<void> {
  return store.write(async (trx) => {
    const { own, changed, lost } = await compareClaims(store, trx, claims);
    await trx
      .updateTable('vector_outbox')
      .set({ claimed_until: 0, attempts: sql<number>`vector_outbox.attempts - 1` })
      .where(store.dialect.inList('row_id', own))
      .execute();
    await release(store, trx, changed, 0);
    await noteChanged(trx, lost);
  });
}

/** Changes the index has not been told of. */
export async function pendingChanges(store: MemoryDatabase): Promise<number> {
  const row = await store.db
    .selectFrom('vector_outbox')
    .select(sql<number>`count(*)`.as('depth'))
    .executeTakeFirstOrThrow();
  return Number(row.depth);
}

/** Those of these rows that are noted. */
export async function notedAmong(store: MemoryDatabase, row_ids: readonly number[]): Promise<Set<number>> {
  const rows = await store.db
    .selectFrom('vector_outbox')
    .select('row_id')
    .where(store.dialect.inList('row_id', row_ids))
    .execute();
  return new Set(idsOf(rows));
}

async function compareClaims(store: MemoryDatabase, trx: MemoryTrx, claims: readonly Claim[]) {
  const rows = trx
    .selectFrom('vector_outbox')
    .selectAll()
    .where(store.dialect.inList('row_id', idsOf(claims)))
    .orderBy('row_id');
  const now = new Map((await store.dialect.forChange(rows).execute()).map((row) => [row.row_id, row]));
  const kinds = Map.groupBy(claims, ({ row_id, attempts, claimed_until }) => {
    const row = now.get(row_id);
    if (row?.claimed_until !== claimed_until) return 'lost';
    return row.attempts === attempts ? 'own' : 'changed';
  });
  const ids = (kind: 'own' | 'changed' | 'lost') => idsOf(kinds.get(kind) ?? []);
  return { own: ids('own'), changed: ids('changed'), lost: ids('lost') };
}

async function release(
  store: MemoryDatabase,
  trx: MemoryTrx,
  row_ids: readonly number[],
  until_ms: number,
): Promise<void> {
  if (row_ids.length === 0) return;
  await trx
    .updateTable('vector_outbox')
    .set({ claimed_until: until_ms })
    .where(store.dialect.inList('row_id', row_ids))
    .execute();
}

function idsOf(rows: readonly { readonly row_id: number }[]): number[] {
  return rows.map((row) => row.row_id);
}

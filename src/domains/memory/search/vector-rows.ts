// SQL over vectors and the queue of memories that wait for theirs.
import { type RawBuilder, sql } from 'kysely';
import type { MemoryDatabase, MemoryTrx } from '../repository.ts';

export interface QueuedText {
  readonly row_id: number;
  readonly content: string;
  readonly context: string | null;
  /** Clock of the row when its text was read: a vector of an older text is not saved. */
  readonly clock: string;
}

export interface StoredChunk {
  readonly vector_seq: number;
  readonly row_id: number;
  readonly chunk: number;
  readonly vector: Uint8Array;
}

export interface NewChunk {
  readonly vector: Uint8Array;
  readonly start_char: number;
  readonly end_char: number;
  readonly tokens: Uint8Array | null;
}

/** Texts of queued rows among these ids. */
export function queuedTexts(store: MemoryDatabase, row_ids: readonly number[]): Promise<QueuedText[]> {
  return store.db
    .selectFrom('memory_vector_queue')
    .innerJoin('memories', 'memories.row_id', 'memory_vector_queue.row_id')
    .select(['memories.row_id', 'memories.content', 'memories.context', 'memories.clock'])
    .where(store.dialect.inList('memory_vector_queue.row_id', row_ids))
    .execute();
}

/** Takes over queue rows that nobody works on: their process ended, or gave them back. */
export function claimAbandoned(
  store: MemoryDatabase,
  limit: number,
  until_ms: number,
): Promise<{ row_id: number; attempts: number }[]> {
  return store.write(async (trx) => {
    const waiting = trx
      .selectFrom('memory_vector_queue')
      .select(['row_id', 'attempts'])
      .where('claimed_until', '<', store.clock.now())
      .orderBy('row_id')
      .limit(limit);
    const rows = await store.dialect.unclaimed(waiting).execute();
    const ids = rows.map((row) => row.row_id);
    await trx
      .updateTable('memory_vector_queue')
      .set({ claimed_until: until_ms })
      .where(store.dialect.inList('row_id', ids))
      .execute();
    return rows;
  });
}

export async function hasAbandoned(store: MemoryDatabase): Promise<boolean> {
  const row = await store.db
    .selectFrom('memory_vector_queue')
    .select('row_id')
    .where('claimed_until', '<', store.clock.now())
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Gives claimed rows back, so that the next process need not wait for the claim to end. */
export function releaseClaims(store: MemoryDatabase, row_ids: readonly number[]): Promise<void> {
  return store.write(async (trx) => {
    await trx
      .updateTable('memory_vector_queue')
      .set({ claimed_until: 0 })
      .where(store.dialect.inList('row_id', row_ids))
      .execute();
  });
}

/** Counts a failed attempt and leaves the rows claimed until the next one. */
export function postpone(store: MemoryDatabase, row_ids: readonly number[], until_ms: number): Promise<void> {
  return store.write(async (trx) => {
    await trx
      .updateTable('memory_vector_queue')
      .set({ attempts: sql<number>`memory_vector_queue.attempts + 1`, claimed_until: until_ms })
      .where(store.dialect.inList('row_id', row_ids))
      .execute();
  });
}

/**
 * Saves the vectors of rows whose text is still the one that was embedded and that nobody else finished.
 * Returns the rows that changed meanwhile: they still wait.
 */
export function saveVectors(
  store: MemoryDatabase,
  model_id: string,
  done: readonly { readonly text: QueuedText; readonly chunks: readonly NewChunk[] }[],
): Promise<number[]> {
  return store.write(async (trx) => {
    const changed: number[] = [];
    const saved: number[] = [];
    // Followers read vectors by their number, so a smaller one must not appear after a larger one.
    await store.dialect.serialise(trx, 'vectors');
    for (const { text, chunks } of done) {
      const row = trx.selectFrom('memories').select('clock').where('row_id', '=', text.row_id);
      const current = await store.dialect.forChange(row).executeTakeFirst();
      if (current && current.clock !== text.clock) changed.push(text.row_id);
      if (current?.clock !== text.clock) continue;
      const queued = await trx.deleteFrom('memory_vector_queue').where('row_id', '=', text.row_id).executeTakeFirst();
      if (queued.numDeletedRows === 0n) continue;
      await insertChunks(trx, text.row_id, model_id, chunks);
      saved.push(text.row_id);
    }
    await store.noteForIndex?.(trx, saved);
    return changed;
  });
}

async function insertChunks(
  trx: MemoryTrx,
  row_id: number,
  model_id: string,
  chunks: readonly NewChunk[],
): Promise<void> {
  await trx.deleteFrom('memory_vectors').where('row_id', '=', row_id).execute();
  for (const [chunk, { vector, start_char, end_char, tokens }] of chunks.entries()) {
    await trx
      .insertInto('memory_vectors')
      .values({ row_id, chunk, model_id, start_char, end_char, vector, tokens })
      .execute();
  }
}

/** Vectors that arrived after `after_seq`, in order. A row's chunks are neighbours: they were written in one commit. */
export function vectorsAfter(
  store: MemoryDatabase,
  model_id: string,
  after_seq: number,
  limit: number,
): Promise<StoredChunk[]> {
  return store.db
    .selectFrom('memory_vectors')
    .select(['vector_seq', 'row_id', 'chunk', 'vector'])
    .where('vector_seq', '>', after_seq)
    .where('model_id', '=', model_id)
    .orderBy('vector_seq')
    .limit(limit)
    .execute();
}

export async function queueDepth(store: MemoryDatabase): Promise<number> {
  const row = await store.db
    .selectFrom('memory_vector_queue')
    .select(sql<number>`count(*)`.as('depth'))
    .executeTakeFirstOrThrow();
  return row.depth;
}

/** Memories looked at in one commit: half a second, far from any time-out, and others write in between. */
const QUEUED_PAGE_COUNT = 20_000;

/** Queues every living memory, so that all vectors are made again. Returns how many were not queued yet. */
export function queueAll(store: MemoryDatabase): Promise<number> {
  return queueWhere(store, sql<boolean>`true`);
}

/** Queues every living memory that has no vector of this model. Returns how many. */
export function queueMissing(store: MemoryDatabase, model_id: string): Promise<number> {
  return queueWhere(
    store,
    sql<boolean>`not exists (
      select 1 from memory_vectors v where v.row_id = memories.row_id and v.model_id = ${model_id})`,
  );
}

async function queueWhere(store: MemoryDatabase, condition: RawBuilder<boolean>): Promise<number> {
  let queued = 0;
  for (let after = 0; ; ) {
    const page = await sql<{ last: number | null }>`
      select max(row_id) as last from (
        select row_id from memories where row_id > ${after} order by row_id limit ${QUEUED_PAGE_COUNT}) as page`.execute(
      store.db,
    );
    const last = page.rows[0]?.last ?? null;
    if (last === null) return queued;
    const from = after;
    queued += await store.write(async (trx) => {
      const result = await sql`
        insert into memory_vector_queue (row_id, attempts, claimed_until)
        select row_id, 0, 0 from memories
        where row_id > ${from} and row_id <= ${last} and deleted_at is null and ${condition}
        on conflict (row_id) do nothing`.execute(trx);
      return Number(result.numAffectedRows ?? 0);
    });
    after = last;
  }
}

/**
 * True where the oldest or the newest living memory has no vector of this model and waits for none: the model was
 * changed, or turned on. Looking at the two ends is enough, because a change of model concerns all.
 */
export async function lacksVectors(store: MemoryDatabase, model_id: string): Promise<boolean> {
  for (const direction of ['asc', 'desc'] as const) {
    const row = await store.db
      .selectFrom('memories')
      .leftJoin('memory_vectors', (join) =>
        join.onRef('memory_vectors.row_id', '=', 'memories.row_id').on('memory_vectors.model_id', '=', model_id),
      )
      .leftJoin('memory_vector_queue', 'memory_vector_queue.row_id', 'memories.row_id')
      .select(['memory_vectors.vector_seq', 'memory_vector_queue.attempts'])
      .where('memories.deleted_at', 'is', null)
      .orderBy('memories.row_id', direction)
      .limit(1)
      .executeTakeFirst();
    if (row && row.vector_seq === null && row.attempts === null) return true;
  }
  return false;
}

export async function readFit(store: MemoryDatabase, model_id: string): Promise<Uint8Array | undefined> {
  const row = await store.db
    .selectFrom('vector_state')
    .select('state')
    .where('model_id', '=', model_id)
    .executeTakeFirst();
  return row?.state;
}

/** Records the stored fit was made from; it tells one fit from another. */
export async function fittedRows(store: MemoryDatabase, model_id: string): Promise<number | undefined> {
  const row = await store.db
    .selectFrom('vector_state')
    .select('row_count')
    .where('model_id', '=', model_id)
    .executeTakeFirst();
  return row?.row_count;
}

export async function saveFit(
  store: MemoryDatabase,
  model_id: string,
  state: Uint8Array,
  row_count: number,
): Promise<void> {
  await store.write(async (trx) => {
    await trx
      .insertInto('vector_state')
      .values({ model_id, state, row_count })
      .onConflict((conflict) => conflict.column('model_id').doUpdateSet({ state, row_count }))
      .execute();
  });
}

/** How many memories have a vector of this model. */
export async function countRowsWithVector(store: MemoryDatabase, model_id: string): Promise<number> {
  const row = await store.db
    .selectFrom('memory_vectors')
    .select(sql<number>`count(*)`.as('count'))
    .where('model_id', '=', model_id)
    .where('chunk', '=', 0)
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Those of these memories that have no vector of this model: they were deleted, or wait for a new one. */
export async function withoutVector(
  store: MemoryDatabase,
  model_id: string,
  row_ids: readonly number[],
): Promise<number[]> {
  const rows = await store.db
    .selectFrom('memory_vectors')
    .select('row_id')
    .where(store.dialect.inList('row_id', row_ids))
    .where('model_id', '=', model_id)
    .where('chunk', '=', 0)
    .execute();
  const there = new Set(rows.map((row) => row.row_id));
  return row_ids.filter((row_id) => !there.has(row_id));
}

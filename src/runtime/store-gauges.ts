// Sizes and depths for the metrics, read from the store when it is scraped.
import { sql } from 'kysely';
import type { MemoryDomain } from '../domains/memory/index.ts';
import type { Database } from '../storage/database.ts';
import type { Gauges } from './metrics.ts';

export function readGauges(store: Database, memory: MemoryDomain): () => Promise<Gauges> {
  return async () => {
    // Counted apart, each has a partial index that answers without reading the rows.
    const counts = await sql<{ living: number; deleted: number; sequence: number }>`
      select (select count(*) from memories where deleted_at is null) as living,
             (select count(*) from memories where deleted_at is not null) as deleted,
             (select coalesce(max(seq), 0) from changes) as sequence`.execute(store.db);
    const row = counts.rows[0] ?? { living: 0, deleted: 0, sequence: 0 };
    return {
      memories: row.living,
      memories_deleted: row.deleted,
      change_sequence: row.sequence,
      store_bytes: await store.engine.size(),
      vectors_indexed: memory.vectors.size(),
      vector_index_bytes: memory.vectors.bytes(),
      vector_queue_depth: await memory.queueDepth(),
    };
  };
}

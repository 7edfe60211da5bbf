// SQL of what a vector index that another program holds has to know of the rows, and how many there are.
import { sql } from 'kysely';
import { decodeVector } from '../../../storage/vectors/codec.ts';
import type { Sample } from '../../../storage/vectors/fit.ts';
import { FIT_SAMPLE_MAX } from '../../../storage/vectors/fitting.ts';
import type { IndexedMemory } from '../../../storage/vectors/servers/port.ts';
import { unitVector } from '../../../storage/vectors/servers/unit-vector.ts';
import type { MemoryDatabase } from '../repository.ts';

export interface Model {
  readonly id: string;
  readonly dimensions: number;
}

/** Blocks of neighbouring vectors that a sample is made of: their places are spread evenly. */
const SAMPLE_BLOCKS = 256;

/** The present state of those rows that are living and have vectors of this model: all of it from one moment. */
export async function readIndexed(
  store: MemoryDatabase,
  model: Model,
  row_ids: readonly number[],
): Promise<IndexedMemory[]> {
  const rows = await store.db
    .selectFrom('memories')
    .innerJoin('memory_vectors', 'memory_vectors.row_id', 'memories.row_id')
    .select(['memories.row_id', 'memories.clock', 'memories.tags', 'memory_vectors.vector'])
    .select(['user_id', 'scope', 'category', 'project', 'project_id', 'session_id', 'machine_id', 'agent_id', 'source'])
    .where(store.dialect.inList('memories.row_id', row_ids))
    .where('memories.deleted_at', 'is', null)
    .where('memory_vectors.model_id', '=', model.id)
    .orderBy('memories.row_id')
    .orderBy('memory_vectors.chunk')
    .execute();
  return [...Map.groupBy(rows, (row) => row.row_id).values()].flatMap((chunks): IndexedMemory[] => {
    const [first] = chunks;
    if (!first) return [];
    const { row_id, clock, tags, vector: _, ...payload } = first;
    const vectors = chunks.map(({ vector }) => unitVector(vector, model.dimensions));
    return [{ row_id, revision: clock, vectors, payload: { ...payload, tags: JSON.parse(tags) as string[] } }];
  });
}

export interface ExpectedRow {
  readonly row_id: number;
  readonly memory_id: string;
  readonly revision: string;
  /** Vectors of the model; 0 while they are still to be made. */
  readonly chunks: number;
}

/** A page of the living rows, by rising row id. */
export async function expectedRows(
  store: MemoryDatabase,
  model_id: string,
  after_row_id: number,
  limit: number,
): Promise<ExpectedRow[]> {
  const page = store.db
    .selectFrom('memories')
    .select(['row_id', 'memory_id', 'clock'])
    .where('row_id', '>', after_row_id)
    .where('deleted_at', 'is', null)
    .orderBy('row_id')
    .limit(limit);
  const rows = await store.db
    .selectFrom(page.as('page'))
    .leftJoin('memory_vectors', (join) =>
      join.onRef('memory_vectors.row_id', '=', 'page.row_id').on('memory_vectors.model_id', '=', model_id),
    )
    .select(['page.row_id', 'page.memory_id', 'page.clock as revision'])
    .select(sql<number>`count(memory_vectors.vector_seq)`.as('chunks'))
    .groupBy(['page.row_id', 'page.memory_id', 'page.clock'])
    .orderBy('page.row_id')
    .execute();
  return rows.map((row) => ({ ...row, chunks: Number(row.chunks) }));
}

export async function livingRows(store: MemoryDatabase): Promise<number> {
  const row = await store.db
    .selectFrom('memories')
    .select(sql<number>`count(*)`.as('count'))
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Records with vectors of this model, and the vectors. Reads the whole table: not for every search. */
export async function countVectors(
  store: MemoryDatabase,
  model_id: string,
): Promise<{ readonly rows: number; readonly chunks: number }> {
  const row = await store.db
    .selectFrom('memory_vectors')
    .select([sql<number>`count(*)`.as('chunks'), sql<number>`count(case when chunk = 0 then 1 end)`.as('rows')])
    .where('model_id', '=', model_id)
    .executeTakeFirstOrThrow();
  return { rows: Number(row.rows), chunks: Number(row.chunks) };
}

export async function hasVectors(store: MemoryDatabase, model_id: string): Promise<boolean> {
  const row = await store.db
    .selectFrom('memory_vectors')
    .select('vector_seq')
    .where('model_id', '=', model_id)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Vectors for a fit: blocks of neighbours whose places are evenly spread over all, all of them where they are few. */
export async function sampleVectors(store: MemoryDatabase, model: Model, fitted_rows: number): Promise<Sample> {
  const ends = await store.db
    .selectFrom('memory_vectors')
    .select([sql<number | null>`min(vector_seq)`.as('first'), sql<number | null>`max(vector_seq)`.as('last')])
    .executeTakeFirst();
  const first = Number(ends?.first ?? 0);
  const step = Math.max((Number(ends?.last ?? 0) + 1 - first) / SAMPLE_BLOCKS, 1);
  const vectors: Float32Array[] = [];
  let next = first;
  for (let block = 0; block < SAMPLE_BLOCKS && vectors.length < FIT_SAMPLE_MAX; block++) {
    const place = Math.max(next, Math.floor(first + block * step));
    // A block that reaches into the next one takes its place: then all vectors are read, one after the other.
    const share = Math.ceil((FIT_SAMPLE_MAX - vectors.length) / (SAMPLE_BLOCKS - block));
    const rows = await store.db
      .selectFrom('memory_vectors')
      .select(['vector_seq', 'vector'])
      .where('vector_seq', '>=', place)
      .where('model_id', '=', model.id)
      .orderBy('vector_seq')
      .limit(share)
      .execute();
    if (rows.length === 0) break;
    for (const { vector } of rows) vectors.push(decodeVector(vector));
    next = (rows.at(-1)?.vector_seq ?? place) + 1;
  }
  const values = new Float32Array(vectors.length * model.dimensions);
  for (const [i, vector] of vectors.entries()) values.set(vector, i * model.dimensions);
  return { dimensions: model.dimensions, values, fitted_rows };
}

// Exact scores from the rows: what an index that another program holds only names is compared with the stored vectors.
import { readEncoded } from '../../../storage/vectors/codec.ts';
import type { VectorHit } from '../../../storage/vectors/port.ts';
import type { ScoringQuery } from '../../../storage/vectors/scan.ts';
import type { MemoryDatabase } from '../repository.ts';
import type { Model } from './indexed-rows.ts';

/** Rows read between two turns of the event loop: under 10 ms. */
const SLICE_COUNT = 1_000;

/** The best chunk of each of these rows by `scoring`, with its cosine to `query`, by row id. Rows without a vector are left out. */
export async function exactScores(
  store: MemoryDatabase,
  model: Model,
  row_ids: readonly number[],
  query: Float32Array,
  scoring: ScoringQuery,
): Promise<Map<number, VectorHit>> {
  const best = new Map<number, VectorHit>();
  for (let start = 0; start < row_ids.length; start += SLICE_COUNT) {
    const chunks = await store.db
      .selectFrom('memory_vectors')
      .select(['row_id', 'chunk', 'vector'])
      .where(store.dialect.inList('row_id', row_ids.slice(start, start + SLICE_COUNT)))
      .where('model_id', '=', model.id)
      .execute();
    for (const { row_id, chunk, vector } of chunks) {
      const { scale, codes } = readEncoded(vector, model.dimensions);
      const score = dot(scoring.vector, codes) * scale - scoring.offset;
      if (score <= (best.get(row_id)?.score ?? Number.NEGATIVE_INFINITY)) continue;
      const cosine = scoring.vector === query ? score : dot(query, codes) * scale;
      best.set(row_id, { row_id, chunk, score, cosine });
    }
    if (start + SLICE_COUNT < row_ids.length) await new Promise((resolve) => setImmediate(resolve));
  }
  return best;
}

/** The best of them, best first; of equals the older first. */
export function bestFirst(scores: ReadonlyMap<number, VectorHit>, limit: number): VectorHit[] {
  return [...scores.values()].sort((a, b) => b.score - a.score || a.row_id - b.row_id).slice(0, limit);
}

function dot(vector: Float32Array, codes: Int8Array): number {
  let sum = 0;
  for (let i = 0; i < codes.length; i++) sum += (vector[i] as number) * (codes[i] as number);
  return sum;
}

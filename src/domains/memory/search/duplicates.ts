// Duplicates among the memories a caller may see, by the cosine of their first chunks.
import type { OperationContext } from '../../../kernel/operation.ts';
import { readEncoded } from '../../../storage/vectors/codec.ts';
import type { MemoryFilter } from '../filters.ts';
import type { MemoryRow } from '../record.ts';
import { findRows, type MemoryDatabase, matchingRowIds } from '../repository.ts';
import { nearPairs, type VectorRow } from './near-pairs.ts';

/** The newest so many are compared: bounds memory, and time where a low threshold compares many pairs. */
const examinedMax = (threshold: number): number => (threshold >= 0.88 ? 50_000 : 8_000);
const READ_COUNT = 2_000;

export interface DuplicatePair {
  readonly similarity: number;
  readonly first: MemoryRow;
  readonly second: MemoryRow;
}

export interface Duplicates {
  readonly pairs: readonly DuplicatePair[];
  readonly examined: number;
  /** Memories that pass the filter and were not compared: without a vector yet, or beyond the newest so many. */
  readonly left_out: number;
}

/** Pairs at or above `threshold`, most similar first. Cancelled by the context's signal. */
export async function findDuplicates(
  store: MemoryDatabase,
  model: { readonly id: string; readonly dimensions: number },
  filter: MemoryFilter,
  options: { readonly threshold: number; readonly limit: number },
  ctx: OperationContext,
): Promise<Duplicates> {
  const all = (await matchingRowIds(store, filter, ctx.principal)).sort((a, b) => a - b);
  const ids = all.slice(-examinedMax(options.threshold));
  const rows = await readVectors(store, model, ids, ctx);
  let reported = 0;
  const pairs = await nearPairs(rows, options.threshold, async (bands_done) => {
    if (bands_done > reported) ctx.reportProgress({ done: bands_done, message: 'comparing' });
    reported = bands_done;
    await new Promise((resolve) => setImmediate(resolve));
    ctx.signal.throwIfAborted();
  });
  const best = pairs.slice(0, options.limit);
  const found = await findRows(store, [...new Set(best.flatMap((pair) => [pair.first, pair.second]))], ctx.principal);
  const byId = new Map(found.map((row) => [row.row_id, row]));
  const shown = best.flatMap((pair) => {
    const [first, second] = [byId.get(pair.first), byId.get(pair.second)];
    return first && second ? [{ similarity: Math.round(pair.similarity * 10_000) / 10_000, first, second }] : [];
  });
  return { pairs: shown, examined: rows.length, left_out: all.length - rows.length };
}

async function readVectors(
  store: MemoryDatabase,
  model: { readonly id: string; readonly dimensions: number },
  ids: readonly number[],
  ctx: OperationContext,
): Promise<VectorRow[]> {
  const rows: VectorRow[] = [];
  for (let start = 0; start < ids.length; start += READ_COUNT) {
    ctx.signal.throwIfAborted();
    const slice = await store.db
      .selectFrom('memory_vectors')
      .select(['row_id', 'vector'])
      .where('model_id', '=', model.id)
      .where('chunk', '=', 0)
      .where(store.dialect.inList('row_id', ids.slice(start, start + READ_COUNT)))
      .execute();
    for (const { row_id, vector } of slice) rows.push({ row_id, codes: readEncoded(vector, model.dimensions).codes });
    await new Promise((resolve) => setImmediate(resolve));
  }
  return rows.sort((a, b) => a.row_id - b.row_id);
}

// What a collection has of each memory, by rising row id, from a server that answers in no order.
import { MISSING, type OrMissing, type StoredRecord } from './chroma-api.ts';
import { readHead } from './chroma-records.ts';
import { type Where, whereHeads } from './chroma-where.ts';
import type { IndexedRevision } from './port.ts';

type Get = (where: Where, limit?: number) => Promise<OrMissing<StoredRecord[]>>;

/** Windows over stretches with few memories grow by this factor. */
const GROWTH = 4;

/**
 * A page of revisions after a row id. It reads windows of row ids, each whole: a window as wide as the page cannot hold
 * more than the page takes. Over gaps the window grows, and shrinks again where it then holds too much, so that an
 * answer has at most one record more than the page. Gaps cost as many requests as their logarithm.
 */
export const readHeads = async (get: Get, after: number, limit: number): Promise<OrMissing<IndexedRevision[]>> => {
  const found: IndexedRevision[] = [];
  let low = after;
  let width = limit;
  while (found.length < limit && low < Number.MAX_SAFE_INTEGER) {
    const high = Math.min(low + width, Number.MAX_SAFE_INTEGER);
    const records = await get(whereHeads(low, high), limit + 1);
    if (records === MISSING) return MISSING;
    if (records.length > limit && width > limit) {
      width = Math.max(limit, Math.floor(width / 2));
      continue;
    }
    const heads = records.flatMap(({ metadata }) => readHead(metadata) ?? []);
    found.push(...heads.sort((a, b) => a.row_id - b.row_id));
    low = high;
    if (records.length === 0) {
      const later = await get(whereHeads(low), 1);
      if (later === MISSING) return MISSING;
      if (later.length === 0) break;
    }
    if (records.length <= limit / GROWTH) width *= GROWTH;
  }
  return found.slice(0, limit);
};

// Rows that an index in another program names as near, until enough of them may be found.
import type { ServedSearchOptions } from '../../../storage/vectors/search.ts';
import type { NearOptions, VectorServer } from '../../../storage/vectors/servers/port.ts';
import type { Circuit } from './served-circuit.ts';
import type { Emptiness } from './served-empty.ts';

/** The server is asked for more chunks than rows are wanted: long texts have several, and its scores are not exact. */
const ASKED_MORE = 100;
const ASKED_PER_HIT = 2;
/** Where too few of what it named may be found it is asked again for four times as many, up to here. */
const ASKED_GROWTH = 4;
const ASKED_MAX = 4_000;
/** Where that was too few, a set of up to this many rows is compared whole: about half a second. */
const SCANNED_ROWS_MAX = 50_000;

export type Candidates = (vector: Float32Array, options: ServedSearchOptions) => Promise<readonly number[]>;

/** At least as many rows as are wanted where there are, or all of a set. Rejects where the server does not answer, or has nothing. */
export function createCandidates(
  server: Pick<VectorServer, 'nearest'>,
  circuit: Circuit,
  emptiness: Emptiness,
): Candidates {
  async function named(vector: Float32Array, near: NearOptions): Promise<{ ids: number[]; full: boolean }> {
    const chunks = await circuit.ask((signal) => server.nearest(vector, { ...near, signal }), near.signal);
    if (chunks.length > 0) emptiness.filled();
    return { ids: [...new Set(chunks.map((chunk) => chunk.row_id))], full: chunks.length >= near.limit };
  }

  return async (vector, { limit, allowed, filter, signal }) => {
    const wanted = Math.min(limit, allowed?.size ?? limit);
    for (let asked = Math.max(limit + ASKED_MORE, ASKED_PER_HIT * limit); ; asked *= ASKED_GROWTH) {
      const { ids, full } = await named(vector, { limit: Math.min(asked, ASKED_MAX), filter, signal });
      const found = allowed ? ids.filter((row_id) => allowed.has(row_id)) : ids;
      if (found.length >= wanted) return found;
      if (full && asked < ASKED_MAX) continue;
      // What may be found lies elsewhere than what is near: the set is small enough, or what was found has to do.
      if (allowed && allowed.size <= SCANNED_ROWS_MAX) return [...allowed];
      if (ids.length === 0) await emptiness.expectEntries();
      return found;
    }
  };
}

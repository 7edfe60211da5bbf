// All pairs of vectors with a high cosine, without comparing every pair: locality-sensitive hashing over sign bits
// (Charikar 2002), then the Hamming distance, then the exact cosine.

/**
 * Sign bits a band. Two vectors of cosine .9 agree on a bit with probability .86, so on one of 32 bands of 12 bits with
 * .997. Lower thresholds need shorter bands (cosine .7: one of 48 bands of 8 bits with .99), which compare more pairs.
 */
const bitsPerBand = (threshold: number): number => (threshold >= 0.88 ? 12 : 8);
/** A bucket larger than this holds vectors that agree on common bits, not on meaning; other bands find their pairs. */
const BUCKET_MAX_COUNT = 400;

export interface VectorRow {
  readonly row_id: number;
  /** Signed codes; only directions count. */
  readonly codes: Int8Array;
}

export interface NearPair {
  readonly first: number;
  readonly second: number;
  readonly similarity: number;
}

/** Pairs compared between two pauses: about 10 ms. */
const PAIRS_PER_STEP_COUNT = 20_000;

/**
 * Calls `pause` after each band, and within one where it has many pairs, with the number of bands done: the event loop
 * breathes there, and a caller cancels by throwing from it.
 */
export async function nearPairs(
  rows: readonly VectorRow[],
  threshold: number,
  pause: (bands_done: number) => Promise<void>,
): Promise<NearPair[]> {
  const dimensions = rows[0]?.codes.length ?? 0;
  const norms = rows.map(({ codes }) => Math.sqrt(dot(codes, codes)) || 1);
  const width = bitsPerBand(threshold);
  const seen = new Set<number>();
  const pairs: NearPair[] = [];
  let compared = 0;
  for (let start = 0, bands = 0; start < dimensions; start += width) {
    for (const bucket of buckets(rows, start, Math.min(start + width, dimensions))) {
      for (const [i, j] of pairsOf(bucket)) {
        const [a, b] = [rows[i], rows[j]];
        if (!a || !b) continue;
        if (++compared % PAIRS_PER_STEP_COUNT === 0) await pause(bands);
        const similarity = dot(a.codes, b.codes) / ((norms[i] ?? 1) * (norms[j] ?? 1));
        const key = i * rows.length + j;
        if (similarity < threshold || seen.has(key)) continue;
        seen.add(key);
        pairs.push({ first: a.row_id, second: b.row_id, similarity: Math.min(1, similarity) });
      }
    }
    await pause(++bands);
  }
  return pairs.sort((a, b) => b.similarity - a.similarity || a.first - b.first || a.second - b.second);
}

function buckets(rows: readonly VectorRow[], from: number, to: number): Iterable<readonly number[]> {
  const byBits = new Map<number, number[]>();
  for (const [index, { codes }] of rows.entries()) {
    let bits = 0;
    for (let i = from; i < to; i++) bits = bits * 2 + ((codes[i] ?? 0) < 0 ? 1 : 0);
    const bucket = byBits.get(bits);
    if (bucket) bucket.push(index);
    else byBits.set(bits, [index]);
  }
  return [...byBits.values()].filter((bucket) => bucket.length > 1);
}

function* pairsOf(bucket: readonly number[]): Generator<readonly [number, number]> {
  const count = Math.min(bucket.length, BUCKET_MAX_COUNT);
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) yield [bucket[i] ?? 0, bucket[j] ?? 0];
  }
}

function dot(a: Int8Array, b: Int8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

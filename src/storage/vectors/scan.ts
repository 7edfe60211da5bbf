// Scoring loops of the in-memory index. The coarse scan reads one bit a dimension with the query at full precision
// (asymmetric distance: Gordo et al., "Asymmetric Distances for Binary Embeddings", CVPR 2011): 48 table look-ups a vector.
import { SEGMENT_SLOTS, type Slots } from './slots.ts';

/** A query ready for scoring: `offset` is subtracted from each dot product. */
export type ScoringQuery = { readonly vector: Float32Array; readonly offset: number };

/** Table entries are whole numbers: adding them is faster than adding floats, and loses nothing a rescore would miss. */
const TABLE_RANGE = 1 << 22;

/** For each byte of signs and each of its 256 values: what these eight dimensions add to the score, scaled. */
export const signTables = (query: Float32Array, signBytes: number): Int32Array => {
  const largest = query.reduce((sum, weight) => sum + Math.abs(weight), 0) || 1;
  const tables = new Int32Array(signBytes * 256);
  for (let byte = 0; byte < signBytes; byte++) {
    for (let value = 0; value < 256; value++) {
      let sum = 0;
      for (let bit = 0; bit < 8; bit++) {
        const weight = query[byte * 8 + bit] ?? 0;
        sum += (value >>> bit) & 1 ? weight : -weight;
      }
      tables[byte * 256 + value] = Math.round((sum / largest) * TABLE_RANGE);
    }
  }
  return tables;
};

/** Coarse scores of all slots, written to `out`; four bytes of signs are read at once. */
export const scanSigns = (slots: Slots, tables: Int32Array, out: Int32Array): void => {
  const { signWords, used } = slots;
  slots.segments.forEach((segment, index) => {
    const first = index * SEGMENT_SLOTS;
    const count = Math.min(SEGMENT_SLOTS, used - first);
    const { signs } = segment;
    for (let i = 0, at = 0; i < count; i++) {
      let even = 0;
      let odd = 0;
      for (let word = 0, base = 0; word < signWords; word++, at++, base += 1024) {
        const bits = signs[at] as number;
        even =
          (even + (tables[base + (bits & 255)] as number) + (tables[base + 512 + ((bits >>> 16) & 255)] as number)) | 0;
        odd =
          (odd +
            (tables[base + 256 + ((bits >>> 8) & 255)] as number) +
            (tables[base + 768 + (bits >>> 24)] as number)) |
          0;
      }
      out[first + i] = even + odd;
    }
  });
};

/** The exact score of one slot: the query's float32 against the slot's codes. */
export const exactScore = (slots: Slots, slot: number, query: ScoringQuery): number => {
  const { vector, offset } = query;
  const segment = slots.segmentOf(slot);
  const at = slot % SEGMENT_SLOTS;
  const { codes } = segment;
  const dimensions = vector.length;
  const base = at * dimensions;
  let sum = 0;
  for (let i = 0; i < dimensions; i++) sum += (vector[i] as number) * (codes[base + i] as number);
  return sum * (segment.scales[at] ?? 0) - offset;
};

const BINS = 2048;

/** At least `count` positions with the highest scores, in no order: a histogram finds where to cut. */
export const highest = (scores: Int32Array, count: number): number[] => {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number;
    if (score < low) low = score;
    if (score > high) high = score;
  }
  const perUnit = (BINS - 1) / (high - low || 1);
  const bins = new Int32Array(BINS);
  for (let i = 0; i < scores.length; i++) {
    const bin = (((scores[i] as number) - low) * perUnit) | 0;
    bins[bin] = (bins[bin] as number) + 1;
  }
  let cut = BINS - 1;
  for (let kept = bins[cut] ?? 0; cut > 0 && kept < count; kept += bins[cut] ?? 0) cut--;
  const chosen: number[] = [];
  for (let i = 0; i < scores.length; i++) if (((((scores[i] as number) - low) * perUnit) | 0) >= cut) chosen.push(i);
  return chosen;
};

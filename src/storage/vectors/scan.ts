// Scoring loops of the in-memory index. The coarse scan reads one bit a dimension with the query at full precision
// (asymmetric distance: Gordo et al., "Asymmetric Distances for Binary Embeddings", CVPR 2011): 48 table look-ups a vector.
import { SEGMENT_SLOTS, type Slots } from './slots.ts';

/** A query ready for scoring: `offset` is subtracted from each dot product. */
export type ScoringQuery = { readonly vector: Float32Array; readonly offset: number };

/** For each byte of signs and each of its 256 values: what these eight dimensions add to the score. */
export const signTables = (query: Float32Array, signBytes: number): Float32Array => {
  const tables = new Float32Array(signBytes * 256);
  for (let byte = 0; byte < signBytes; byte++) {
    for (let value = 0; value < 256; value++) {
      let sum = 0;
      for (let bit = 0; bit < 8; bit++) {
        const weight = query[byte * 8 + bit] ?? 0;
        sum += (value >>> bit) & 1 ? weight : -weight;
      }
      tables[byte * 256 + value] = sum;
    }
  }
  return tables;
};

/** Coarse scores of all slots, written to `out`. */
export const scanSigns = (slots: Slots, tables: Float32Array, out: Float32Array): void => {
  const { signBytes, used } = slots;
  slots.segments.forEach((segment, index) => {
    const first = index * SEGMENT_SLOTS;
    const count = Math.min(SEGMENT_SLOTS, used - first);
    const { signs } = segment;
    for (let i = 0, at = 0; i < count; i++) {
      let sum = 0;
      for (let byte = 0, base = 0; byte < signBytes; byte++, at++, base += 256) {
        sum += tables[base + (signs[at] as number)] as number;
      }
      out[first + i] = sum;
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

/** At least `count` slots with the highest of `scores`, in no order: a histogram finds where to cut. */
export const highest = (scores: Float32Array, count: number): number[] => {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const score of scores) {
    if (score < low) low = score;
    if (score > high) high = score;
  }
  const width = (high - low) / BINS || 1;
  const bins = new Int32Array(BINS + 1);
  for (const score of scores) {
    const bin = ((score - low) / width) | 0;
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  let cut = BINS;
  for (let kept = bins[cut] ?? 0; cut > 0 && kept < count; kept += bins[cut] ?? 0) cut--;
  const chosen: number[] = [];
  for (let i = 0; i < scores.length; i++) if (((((scores[i] ?? 0) - low) / width) | 0) >= cut) chosen.push(i);
  return chosen;
};

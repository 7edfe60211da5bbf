// The vector index in memory: a coarse scan over sign bits, then exact scores of the best. 100,000 vectors of 384
// dimensions take 46 MB and a few milliseconds a search; docs/adr/0003-vector-search.md has the measurements.
import type { Sample } from './fit.ts';
import { createFitting, FIT_SAMPLE_MAX } from './fitting.ts';
import type { VectorHit, VectorIndex } from './port.ts';
import { exactScore, highest, type ScoringQuery, scanSigns, signTables } from './scan.ts';
import { createSlots, SEGMENT_SLOTS, type Slots } from './slots.ts';

/** Up to this many slots of a filter are all scored exactly: about 4 ms. */
const EXACT_ALLOWED_MAX = 8_000;
/** Up to this many slots in all, the coarse scan would save nothing. */
const EXACT_SLOTS_MAX = 3_000;
/** The coarse scan keeps this many slots, or this many per hit asked for, for exact scoring. */
const RESCORED_MIN = 2_000;
const RESCORED_PER_HIT = 8;
/** An allowed set of this share of the records is treated as nearly all of them. */
const LARGE_SHARE = 0.4;

export type MemoryIndex = VectorIndex & {
  /** True when the collection has grown so much since the last fit that a new one is worth its half second. */
  fitIsDue(): boolean;
  /** Fits the half-whitening to the present collection, in a worker thread, and uses it from then on. */
  fit(options?: { signal?: AbortSignal }): Promise<void>;
  /** The present fit as bytes, to be stored beside the vectors; undefined before the first one. */
  exportFit(): Uint8Array | undefined;
  /** Uses a stored fit. Throws `storage_corrupt` when the bytes are not one. */
  importFit(bytes: Uint8Array): void;
};

type SlotScore = { readonly slot: number; readonly row_id: number; readonly score: number };

/** Positions of the `count` highest scores and of those equal to the last of them, highest first. */
const bestFirst = (scores: Float64Array, count: number): Uint32Array => {
  const positions = Uint32Array.from(scores.keys());
  // Sorting numbers costs a tenth of sorting positions by a comparison, so the cut is found first.
  const cut = count < scores.length ? scores.toSorted()[scores.length - count] : undefined;
  const kept = cut === undefined ? positions : positions.filter((i) => (scores[i] ?? 0) >= cut);
  return kept.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
};

/** Best chunk of each record, best record first. */
const bestPerRow = (slots: Slots, chosen: readonly number[], query: ScoringQuery, limit: number): SlotScore[] => {
  const scores = Float64Array.from(chosen, (slot) => exactScore(slots, slot, query));
  const take = (depth: number): SlotScore[] => {
    const seen = new Set<number>();
    const best: SlotScore[] = [];
    for (const index of bestFirst(scores, depth)) {
      if (best.length >= limit) break;
      const slot = chosen[index] ?? 0;
      const row_id = slots.rowOf(slot);
      if (seen.has(row_id)) continue;
      seen.add(row_id);
      best.push({ slot, row_id, score: scores[index] ?? 0 });
    }
    return best;
  };
  // Long texts have many chunks: where they crowd the first ones, all are looked at.
  const best = take(2 * limit);
  return best.length >= limit || scores.length <= 2 * limit ? best : take(scores.length);
};

/** Vectors for a fit, evenly spread over all slots. */
const sampleOf = (slots: Slots, dimensions: number): Sample => {
  const step = Math.max(1, slots.used / FIT_SAMPLE_MAX);
  const count = Math.min(slots.used, FIT_SAMPLE_MAX);
  const values = new Float32Array(count * dimensions);
  for (let i = 0; i < count; i++) {
    const slot = Math.floor(i * step);
    const segment = slots.segmentOf(slot);
    const at = slot % SEGMENT_SLOTS;
    const scale = segment.scales[at] ?? 0;
    for (let k = 0; k < dimensions; k++) values[i * dimensions + k] = (segment.codes[at * dimensions + k] ?? 0) * scale;
  }
  return { dimensions, values, fitted_rows: slots.rows };
};

const slotsOfAll = (slots: Slots, rowIds: Iterable<number>): number[] => {
  const found: number[] = [];
  for (const rowId of rowIds) for (const slot of slots.slotsOf(rowId)) found.push(slot);
  return found;
};

/** An empty index for vectors of this many dimensions. */
export const createMemoryIndex = (dimensions: number): MemoryIndex => {
  const slots = createSlots(dimensions);
  const fitting = createFitting(dimensions);
  let coarse = new Int32Array(0);

  const ranked = (
    chosen: readonly number[],
    query: Float32Array,
    scoring: ScoringQuery,
    limit: number,
  ): VectorHit[] => {
    const best = bestPerRow(slots, chosen, scoring, limit);
    const plain = { vector: query, offset: 0 };
    return best.map(({ slot, row_id, score }) => {
      const chunk = slots.segmentOf(slot).chunks[slot % SEGMENT_SLOTS] ?? 0;
      return { row_id, chunk, score, cosine: scoring.vector === query ? score : exactScore(slots, slot, plain) };
    });
  };
  const candidates = (query: ScoringQuery, limit: number, allowed: ReadonlySet<number> | undefined): number[] => {
    if (allowed && allowed.size <= EXACT_ALLOWED_MAX) return slotsOfAll(slots, allowed);
    if (slots.used <= EXACT_SLOTS_MAX) {
      const all = Array.from({ length: slots.used }, (_, slot) => slot);
      return allowed ? all.filter((slot) => allowed.has(slots.rowOf(slot))) : all;
    }
    if (coarse.length < slots.used) coarse = new Int32Array(slots.segments.length * SEGMENT_SLOTS);
    const scores = coarse.subarray(0, slots.used);
    scanSigns(slots, signTables(query.vector, 4 * slots.signWords), scores);
    const count = Math.max(RESCORED_MIN, RESCORED_PER_HIT * limit);
    if (!allowed) return highest(scores, count);
    // Most are allowed: it costs less to take more than needed and leave out the rest than to look all of them up.
    const share = allowed.size / slots.rows;
    const kept =
      share < LARGE_SHARE ? [] : highest(scores, count / share).filter((slot) => allowed.has(slots.rowOf(slot)));
    if (kept.length >= count / 2) return kept;
    const own = slotsOfAll(slots, allowed);
    return highest(
      Int32Array.from(own, (slot) => scores[slot] ?? 0),
      count,
    ).map((i) => own[i] ?? 0);
  };

  return {
    dimensions,
    get size() {
      return slots.rows;
    },
    get bytes() {
      return slots.bytes + fitting.bytes + coarse.byteLength;
    },
    upsert(rowId, vectors) {
      slots.remove(rowId);
      vectors.forEach((vector, chunk) => {
        slots.add(rowId, chunk, vector);
      });
    },
    add: slots.add,
    remove: slots.remove,
    has: slots.has,
    rowIds: slots.rowIds,
    search(query, { limit, allowed, metric = 'whitened' }) {
      if (slots.used === 0 || limit <= 0) return [];
      const scoring = fitting.prepare(query, metric);
      return ranked(candidates(scoring, limit, allowed), query, scoring, limit);
    },
    scores(query, rowIds, metric = 'whitened') {
      const scoring = fitting.prepare(query, metric);
      return Array.from(rowIds, (rowId) => ranked(slots.slotsOf(rowId), query, scoring, 1)).flat();
    },
    fitIsDue: () => fitting.isDue(slots.rows),
    fit: ({ signal } = {}) => fitting.fit(slots.rows, () => sampleOf(slots, dimensions), signal),
    exportFit: fitting.export,
    importFit: fitting.import,
  };
};

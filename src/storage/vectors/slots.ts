// Storage of the in-memory index: equal slots in segments, so that growing copies nothing and memory stays compact.
// A slot holds one chunk: its codes (a byte a dimension), their signs (a bit a dimension), scale, record and chunk.
import { readEncoded } from './codec.ts';

const SEGMENT_BITS = 12;
export const SEGMENT_SLOTS = 1 << SEGMENT_BITS;
const SEGMENT_MASK = SEGMENT_SLOTS - 1;
const NONE = -1;

export type Segment = {
  readonly codes: Int8Array;
  readonly signs: Uint32Array;
  readonly scales: Float32Array;
  readonly rows: Float64Array;
  readonly chunks: Uint16Array;
  /** Next slot of the same record, or -1. */
  readonly next: Int32Array;
};

export type Slots = ReturnType<typeof createSlots>;

const newSegment = (dimensions: number, signWords: number): Segment => ({
  codes: new Int8Array(SEGMENT_SLOTS * dimensions),
  signs: new Uint32Array(SEGMENT_SLOTS * signWords),
  scales: new Float32Array(SEGMENT_SLOTS),
  rows: new Float64Array(SEGMENT_SLOTS),
  chunks: new Uint16Array(SEGMENT_SLOTS),
  next: new Int32Array(SEGMENT_SLOTS).fill(NONE),
});

const segmentBytes = (segment: Segment): number =>
  Object.values(segment).reduce((sum, part) => sum + part.byteLength, 0);

/** Writes the signs of `codes` as bits, dimension 0 in the lowest bit of the first word; absent dimensions count as negative. */
const writeSigns = (codes: Int8Array, out: Uint32Array, at: number): void => {
  for (let word = 0; word * 32 < codes.length; word++) {
    let bits = 0;
    for (let bit = 0; bit < 32; bit++) if ((codes[word * 32 + bit] ?? -1) >= 0) bits |= 1 << bit;
    out[at + word] = bits;
  }
};

export const createSlots = (dimensions: number) => {
  const signWords = Math.ceil(dimensions / 32);
  const segments: Segment[] = [];
  /** First slot of each record. */
  const heads = new Map<number, number>();
  let used = 0;

  const segmentOf = (slot: number): Segment => segments[slot >>> SEGMENT_BITS] as Segment;
  const nextOf = (slot: number): number => segmentOf(slot).next[slot & SEGMENT_MASK] ?? NONE;
  const rowOf = (slot: number): number => segmentOf(slot).rows[slot & SEGMENT_MASK] ?? NONE;

  const slotsOf = (rowId: number): number[] => {
    const found: number[] = [];
    for (let slot = heads.get(rowId) ?? NONE; slot !== NONE; slot = nextOf(slot)) found.push(slot);
    return found;
  };

  const write = (slot: number, rowId: number, chunk: number, scale: number, codes: Int8Array): void => {
    const segment = segmentOf(slot);
    const at = slot & SEGMENT_MASK;
    segment.codes.set(codes, at * dimensions);
    writeSigns(codes, segment.signs, at * signWords);
    segment.scales[at] = scale;
    segment.rows[at] = rowId;
    segment.chunks[at] = chunk;
  };
  const link = (slot: number, rowId: number): void => {
    segmentOf(slot).next[slot & SEGMENT_MASK] = heads.get(rowId) ?? NONE;
    heads.set(rowId, slot);
  };

  /** Puts the content of the last slot into a freed one, so that used slots stay without gaps. */
  const moveLastInto = (freed: number): void => {
    const last = --used;
    if (last === freed) return;
    const segment = segmentOf(last);
    const at = last & SEGMENT_MASK;
    const rowId = segment.rows[at] ?? NONE;
    const codes = segment.codes.subarray(at * dimensions, (at + 1) * dimensions);
    write(freed, rowId, segment.chunks[at] ?? 0, segment.scales[at] ?? 0, codes);
    const rest = slotsOf(rowId).filter((slot) => slot !== last);
    heads.delete(rowId);
    for (const slot of [...rest, freed]) link(slot, rowId);
  };

  return {
    segments,
    signWords,
    slotsOf,
    rowOf,
    segmentOf,
    get used() {
      return used;
    },
    get rows() {
      return heads.size;
    },
    get bytes() {
      return segments.reduce((sum, segment) => sum + segmentBytes(segment), 0);
    },
    has: (rowId: number): boolean => heads.has(rowId),
    rowIds: (): number[] => [...heads.keys()],
    add(rowId: number, chunk: number, vector: Uint8Array): void {
      const { scale, codes } = readEncoded(vector, dimensions);
      if (used === segments.length * SEGMENT_SLOTS) segments.push(newSegment(dimensions, signWords));
      const slot = used++;
      write(slot, rowId, chunk, scale, codes);
      link(slot, rowId);
    },
    remove(rowId: number): void {
      // Highest first: a slot that is filled from the end is then never one of this record's own.
      const own = slotsOf(rowId).sort((a, b) => b - a);
      heads.delete(rowId);
      for (const slot of own) moveLastInto(slot);
    },
  };
};

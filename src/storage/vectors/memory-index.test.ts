import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeVector } from './codec.ts';
import { createMemoryIndex } from './memory-index.ts';
import { importWhitening } from './whitening.ts';

const DIMENSIONS = 32;

/** A small deterministic generator, so that a failure can be repeated. */
const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};
const unit = (next: () => number, dimensions = DIMENSIONS): Float32Array => {
  const vector = Float32Array.from({ length: dimensions }, () => next() - 0.5);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
};
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe('memory index', () => {
  it('behaves as a plain map of records to vectors under any sequence of changes', () => {
    const command = fc.record({
      row: fc.integer({ min: 1, max: 12 }),
      chunks: fc.integer({ min: 0, max: 3 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        const index = createMemoryIndex(DIMENSIONS);
        const model = new Map<number, Float32Array[]>();
        for (const { row, chunks, seed } of commands) {
          const next = random(seed);
          const vectors = Array.from({ length: chunks }, () => unit(next));
          if (chunks === 0) index.remove(row);
          else index.upsert(row, vectors.map(encodeVector));
          if (chunks === 0) model.delete(row);
          else model.set(row, vectors);
        }
        expect(index.size).toBe(model.size);
        const query = unit(random(7));
        const expected = [...model]
          .map(([row, vectors]) => ({ row, score: Math.max(...vectors.map((vector) => dot(query, vector))) }))
          .sort((a, b) => b.score - a.score);
        const hits = index.search(query, { limit: 100, metric: 'cosine' });
        expect(new Set(hits.map((hit) => hit.row_id))).toEqual(new Set(model.keys()));
        hits.forEach((hit, i) => {
          expect(hit.score).toBeCloseTo(expected[i]!.score, 1);
        });
      }),
      { numRuns: 200 },
    );
  });

  it('finds the true nearest among many through the coarse scan', () => {
    const index = createMemoryIndex(DIMENSIONS);
    const next = random(1);
    const vectors = Array.from({ length: 20_000 }, () => unit(next));
    vectors.forEach((vector, i) => {
      index.add(i + 1, 0, encodeVector(vector));
    });
    for (let q = 0; q < 10; q++) {
      const query = unit(next);
      const exact = vectors
        .map((vector, i) => ({ row: i + 1, score: dot(query, vector) }))
        .sort((a, b) => b.score - a.score);
      const found = new Set(index.search(query, { limit: 10, metric: 'cosine' }).map((hit) => hit.row_id));
      expect(exact.slice(0, 10).filter((each) => found.has(each.row)).length).toBeGreaterThanOrEqual(9);
    }
  });

  it('never loses a record that a filter allows', () => {
    const index = createMemoryIndex(DIMENSIONS);
    const next = random(2);
    const vectors = Array.from({ length: 12_000 }, () => unit(next));
    vectors.forEach((vector, i) => {
      index.add(i + 1, 0, encodeVector(vector));
    });
    const query = unit(next);
    const worst = vectors
      .map((vector, i) => ({ row: i + 1, score: dot(query, vector) }))
      .sort((a, b) => a.score - b.score);
    const allowed = new Set(worst.slice(0, 30).map((each) => each.row));
    expect(new Set(index.search(query, { limit: 30, allowed }).map((hit) => hit.row_id))).toEqual(allowed);
    const most = new Set(worst.slice(0, 11_000).map((each) => each.row));
    const top = index.search(query, { limit: 5, allowed: most, metric: 'cosine' });
    expect(top[0]!.score).toBeCloseTo(worst[10_999]!.score, 2);
    expect(top.every((hit) => most.has(hit.row_id))).toBe(true);
  });

  it('fits its whitening off the main thread and keeps it as bytes', async () => {
    const index = createMemoryIndex(DIMENSIONS);
    expect(index.fitIsDue()).toBe(false);
    const next = random(3);
    // One direction is shared by all and says nothing; the rest tells records apart.
    const vectors = Array.from({ length: 200 }, () => {
      const vector = unit(next);
      vector[0] = 3 + 2 * next();
      return vector.map((value) => value / Math.hypot(...vector));
    });
    vectors.forEach((vector, i) => {
      index.add(i + 1, 0, encodeVector(vector));
    });
    expect(index.fitIsDue()).toBe(true);
    await index.fit();
    expect(index.fitIsDue()).toBe(false);
    const bytes = index.exportFit()!;
    const again = createMemoryIndex(DIMENSIONS);
    vectors.forEach((vector, i) => {
      again.add(i + 1, 0, encodeVector(vector));
    });
    // As a driver gives them: a view into a larger piece of memory, not aligned to anything.
    again.importFit(Buffer.concat([Buffer.alloc(3), bytes]).subarray(3));
    const query = vectors[42]!;
    expect(again.search(query, { limit: 5 })).toEqual(index.search(query, { limit: 5 }));
    expect(again.search(query, { limit: 1 })[0]!.row_id).toBe(43);
    const spread = (metric: 'cosine' | 'whitened') => {
      const [first, second] = again.search(query, { limit: 2, metric });
      return second!.score / first!.score;
    };
    expect(spread('whitened')).toBeLessThan(spread('cosine'));
  });

  it('refuses bytes that are not a fit, and vectors of another length', () => {
    expect(() => importWhitening(new Uint8Array(7))).toThrowError(expect.objectContaining({ code: 'storage_corrupt' }));
    expect(() => createMemoryIndex(8).add(1, 0, new Uint8Array(3))).toThrowError(
      expect.objectContaining({ code: 'storage_corrupt' }),
    );
  });

  it('stops waiting for a fit when told to', async () => {
    const index = createMemoryIndex(8);
    for (let i = 1; i <= 60; i++) index.add(i, 0, encodeVector(unit(random(i), 8)));
    await expect(index.fit({ signal: AbortSignal.abort() })).rejects.toThrow();
  });
});

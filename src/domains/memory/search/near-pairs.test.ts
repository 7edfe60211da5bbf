import { expect, test } from 'vitest';
import { nearPairs, type VectorRow } from './near-pairs.ts';

/** A small generator, so that the test always sees the same vectors. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

test('finds what comparing all pairs finds', async () => {
  const random = generator(7);
  const rows: VectorRow[] = Array.from({ length: 300 }, (_, row_id) => ({
    row_id,
    codes: Int8Array.from({ length: 384 }, () => Math.round(random() * 200)),
  }));
  for (let i = 0; i < 40; i++) {
    const twin = rows[i]!.codes.map((code) => Math.max(-127, Math.min(127, code + Math.round(random() * 60))));
    rows.push({ row_id: 1000 + i, codes: twin });
  }
  const cosine = (a: Int8Array, b: Int8Array) => {
    const product = (x: Int8Array, y: Int8Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
    return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
  };
  const expected = rows.flatMap((a, i) =>
    rows
      .slice(i + 1)
      .filter((b) => cosine(a.codes, b.codes) >= 0.9)
      .map((b) => [a.row_id, b.row_id]),
  );
  const found = await nearPairs(rows, 0.9, async () => {});
  expect(expected.length).toBeGreaterThanOrEqual(40);
  expect(found.map((pair) => [pair.first, pair.second]).sort()).toEqual(expected.sort());
});

test('a caller stops it by throwing from the pause', async () => {
  const rows = [{ row_id: 1, codes: new Int8Array(384).fill(1) }];
  await expect(nearPairs(rows, 0.9, () => Promise.reject(new Error('enough')))).rejects.toThrow('enough');
});

test('many alike rows are compared in steps, so that the process goes on meanwhile', async () => {
  const rows = Array.from({ length: 400 }, (_, row_id) => ({ row_id, codes: new Int8Array(24).fill(1) }));
  const bands: number[] = [];
  const pairs = await nearPairs(rows, 0.9, async (done) => void bands.push(done));
  expect(pairs).toHaveLength((400 * 399) / 2);
  expect(bands.filter((done) => done === 0).length).toBeGreaterThanOrEqual(3);
  expect(bands.at(-1)).toBe(2);
});

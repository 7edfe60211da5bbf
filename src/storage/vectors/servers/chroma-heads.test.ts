import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readHeads } from './chroma-heads.ts';
import type { Where } from './chroma-where.ts';

const bounds = (where: Where): { low: number; high: number } => {
  const parts = (Array.isArray(where.$and) ? where.$and : [where]) as { head: { $gt?: number; $lte?: number } }[];
  return {
    low: Math.max(...parts.map(({ head }) => head.$gt ?? Number.NEGATIVE_INFINITY)),
    high: Math.min(...parts.map(({ head }) => head.$lte ?? Number.POSITIVE_INFINITY)),
  };
};

/** A server that has these rows and answers in the order they are given. */
const serverWith = (rows: readonly number[]) => {
  const seen = { requests: 0, records: 0 };
  const get = async (where: Where, limit = Number.POSITIVE_INFINITY) => {
    const { low, high } = bounds(where);
    const found = rows.filter((row) => row > low && row <= high).slice(0, limit);
    seen.requests++;
    seen.records += found.length;
    return found.map((row) => ({ id: `${row}:0`, metadata: { head: row, revision: `r${row}`, chunks: 1 } }));
  };
  return { get, seen };
};

describe('readHeads', () => {
  it('gives every row once, in order and in full pages, whatever the gaps and the order of the answers', async () => {
    const row = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 2 ** 45 }));
    const rows = fc.uniqueArray(row, { maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 20 }), async (given, limit) => {
        const { get } = serverWith(given);
        const read: number[] = [];
        for (let after = 0; ; ) {
          const page = await readHeads(get, after, limit);
          if (typeof page === 'symbol') throw new Error('missing');
          read.push(...page.map(({ row_id }) => row_id));
          if (page.length < limit) break;
          after = read.at(-1) ?? 0;
        }
        expect(read).toEqual([...given].sort((a, b) => a - b));
      }),
    );
  });

  it('asks once for a page of rows without gaps', async () => {
    const { get, seen } = serverWith(Array.from({ length: 1_000 }, (_, i) => 1_000 - i));
    await readHeads(get, 0, 100);
    expect(seen).toEqual({ requests: 1, records: 100 });
  });

  it('crosses a gap of many millions in few requests', async () => {
    const { get, seen } = serverWith([3, 900_000_000]);
    const page = await readHeads(get, 0, 100);
    expect(typeof page === 'symbol' ? [] : page.map(({ row_id }) => row_id)).toEqual([3, 900_000_000]);
    expect(seen.requests).toBeLessThan(40);
  });

  it('passes over records that are not ours', async () => {
    const foreign = async (where: Where) =>
      bounds(where).low < 5
        ? [
            { id: 'x', metadata: { head: 5, revision: 7 } },
            { id: 'y', metadata: null },
          ]
        : [];
    expect(await readHeads(foreign, 0, 1)).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { type CandidateFacts, type FindDeps, findRanked } from './index.ts';

/** Row 1 matches by words, row 2 by meaning, row 3 follows row 2 in its session. */
const facts = new Map<number, CandidateFacts>([
  [1, { content: 'one' }],
  [2, { content: 'two', session_id: 's', sequence: 1 }],
  [3, { content: 'three', session_id: 's', sequence: 2 }],
]);
const pick = (rows: readonly number[]) =>
  new Map(rows.flatMap((row) => (facts.has(row) ? [[row, facts.get(row)!] as const] : [])));
const near = (row_id: number, score: number) => ({ row_id, chunk: 0, score, cosine: score });

const make = (extra: Partial<FindDeps> = {}): FindDeps => ({
  text: {
    search: async () => [
      { row_id: 1, score: 7 },
      { row_id: 9, score: 3 },
    ],
    rarity: async () => new Map(),
  },
  vectors: {
    search: async () => [near(2, 0.9)],
    scores: async (_query, rows) => Array.from(rows, (row) => near(row, 0.1)),
  },
  facts: async (rows) => pick(rows),
  factsInRanges: async () => pick([2, 3]),
  tokens: async () => new Map(),
  ...extra,
});
const query = { vector: new Float32Array(4) };

describe('findRanked', () => {
  it('joins words, meaning and what stands beside them; rows that may not be seen stay out', async () => {
    const hits = await findRanked(make(), { question: 'q', query, limit: 10 });
    expect(new Set(hits.map((hit) => hit.row_id))).toEqual(new Set([1, 2, 3]));
    expect(hits.find((hit) => hit.row_id === 3)!.parts.neighbours).toBeGreaterThan(0);
  });
  it('keeps neighbours outside the filter out', async () => {
    const hits = await findRanked(make(), { question: 'q', query, limit: 10, allowed: new Set([1, 2]) });
    expect(new Set(hits.map((hit) => hit.row_id))).toEqual(new Set([1, 2]));
  });
  it('searches by words alone without a vector', async () => {
    const vectors: FindDeps['vectors'] = { search: () => expect.unreachable(), scores: () => expect.unreachable() };
    const hits = await findRanked(make({ vectors }), { question: 'q', query: undefined, limit: 10 });
    expect(hits.map((hit) => hit.row_id)).toEqual([1]);
  });
  it('stops when told to', async () => {
    await expect(
      findRanked(make(), { question: 'q', query, limit: 10, signal: AbortSignal.abort() }),
    ).rejects.toThrow();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packTokens } from '../../../storage/embedding/token-vectors.ts';
import { type CandidateFacts, poolRows, RANKING, rank, sequenceRanges, tokenRows } from './index.ts';

const text = (...scores: number[]) => scores.map((score, i) => ({ row_id: i + 1, score }));
const vector = (...scores: number[]) => scores.map((score, i) => ({ row_id: i + 1, chunk: 0, score, cosine: score }));
const order = (hits: readonly { row_id: number }[]) => hits.map((hit) => hit.row_id);
const none = new Map<number, CandidateFacts>();

const identity = { dimensions: 2, source_dimensions: 2, rows: Float32Array.from([1, 0, 0, 1]) };
const tokens = (...rows: [number, number][]) =>
  packTokens(
    identity,
    Float32Array.from(rows.flat()),
    rows.map((_, i) => i),
  );

describe('rank', () => {
  it('prefers what both searches find to what one finds', () => {
    const hits = rank({ text: text(10, 0, 8), vector: vector(0, 1, 0.8), candidates: none, limit: 3 });
    expect(order(hits)).toEqual([3, 2, 1]);
  });

  it('keeps a weak match by meaning: no threshold hides it', () => {
    const hits = rank({
      text: [],
      vector: [{ row_id: 5, chunk: 2, score: 0.05, cosine: 0.05 }],
      candidates: none,
      limit: 3,
    });
    expect(hits).toMatchObject([{ row_id: 5, chunk: 2 }]);
  });

  it('ranks by words alone where there are no vectors yet, and does not bury a memory that has none', () => {
    expect(order(rank({ text: text(1, 3, 2), vector: [], candidates: none, limit: 3 }))).toEqual([2, 3, 1]);
    const hits = rank({
      text: text(10, 2),
      vector: [
        { row_id: 2, chunk: 0, score: 0.9, cosine: 0.9 },
        { row_id: 3, chunk: 0, score: 0.8, cosine: 0.8 },
      ],
      candidates: none,
      limit: 3,
    });
    expect(order(hits)[0]).toBe(1);
  });

  it('lifts the turn between two good turns', () => {
    const candidates = new Map<number, CandidateFacts>(
      [1, 2, 3, 4].map((row) => [row, { session_id: row === 4 ? 'other' : 's', sequence: row }]),
    );
    const hits = rank({ text: text(10, 4, 9, 5), vector: vector(1, 0.4, 0.9, 0.5), candidates, limit: 4 });
    expect(order(hits).indexOf(2)).toBeLessThan(order(hits).indexOf(4));
    const alone = rank({ text: text(10, 4, 9, 5), vector: vector(1, 0.4, 0.9, 0.5), candidates: none, limit: 4 });
    expect(order(alone).indexOf(2)).toBeGreaterThan(order(alone).indexOf(4));
  });

  it('keeps a good note before turns that only stand beside each other', () => {
    const turns = [2, 3, 4].map((row): [number, CandidateFacts] => [row, { session_id: 's', sequence: row }]);
    const candidates = new Map<number, CandidateFacts>([[1, {}], ...turns]);
    const hits = rank({ text: text(10, 5, 6, 5), vector: vector(1, 0.5, 0.6, 0.5), candidates, limit: 4 });
    expect(order(hits).slice(0, 2)).toEqual([1, 3]);
  });

  it('lets matching tokens reorder short texts', () => {
    const candidates = new Map<number, CandidateFacts>([
      [1, { tokens: tokens([1, 0.1]) }],
      [2, { tokens: tokens([0, 1], [1, 0]) }],
      [3, { tokens: tokens([0.5, -1]) }],
    ]);
    const input = { text: text(10, 9.5, 1), vector: vector(1, 0.95, 0.1), candidates, limit: 3 };
    expect(order(rank(input))).toEqual([1, 2, 3]);
    const query_tokens = { words: ['a', 'b'], vectors: tokens([0, 1], [1, 0]) };
    expect(order(rank({ ...input, query_tokens }))).toEqual([2, 1, 3]);
    const rarity = new Map([
      ['a', 0.001],
      ['b', 5],
    ]);
    expect(order(rank({ ...input, query_tokens, rarity }))[0]).toBe(1);
  });

  it('folds the same text told twice behind the better one', () => {
    const content = 'Restart the kube-proxy daemonset after changing the config map';
    const candidates = new Map<number, CandidateFacts>([
      [1, { content }],
      [2, { content: `${content.toLowerCase()}!` }],
      [3, { content: 'Restart the coredns deployment after changing the config map' }],
    ]);
    const hits = rank({ text: text(9, 10, 5), vector: [], candidates, limit: 2 });
    expect(hits.map(({ row_id, folded }) => [row_id, folded])).toEqual([
      [2, [1]],
      [3, []],
    ]);
  });

  it('orders equals by importance, then the newer first, and never lifts a worse match', () => {
    const candidates = new Map<number, CandidateFacts>([
      [1, { importance: 0.9 }],
      [2, {}],
      [3, {}],
      [4, { importance: 1 }],
    ]);
    expect(order(rank({ text: text(5, 5, 5, 4.8), vector: [], candidates, limit: 4 }))).toEqual([1, 3, 2, 4]);
  });

  it('gives scores from 0 to 1 whose parts add up, for any evidence', () => {
    const evidence = fc.array(
      fc.record({
        row_id: fc.integer({ min: 1, max: 30 }),
        chunk: fc.nat(3),
        score: fc.double({ min: -5, max: 50, noNaN: true }),
        cosine: fc.double({ min: -1, max: 1, noNaN: true }),
      }),
      { maxLength: 40 },
    );
    const facts = fc.record({
      session_id: fc.constantFrom('a', 'b', null),
      sequence: fc.option(fc.nat(12)),
      importance: fc.double({ min: -1, max: 2, noNaN: true }),
      content: fc.constantFrom('x', 'a b c d e f g', undefined),
      tokens: fc.option(fc.uint8Array({ maxLength: 9 })),
    });
    fc.assert(
      fc.property(
        evidence,
        evidence,
        fc.array(facts, { minLength: 30, maxLength: 30 }),
        fc.nat(20),
        (words, meaning, all, limit) => {
          const candidates = new Map(all.map((each, i) => [i + 1, each]));
          const hits = rank({ text: words, vector: meaning, candidates, limit });
          expect(hits.length).toBeLessThanOrEqual(limit);
          for (const { score, parts } of hits) {
            expect(score).toBeGreaterThanOrEqual(0);
            expect(score).toBeLessThanOrEqual(1);
            expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(score, 9);
          }
          expect(hits.map((hit) => hit.score)).toEqual(hits.map((hit) => hit.score).sort((a, b) => b - a));
          const shown = hits.flatMap((hit) => [hit.row_id, ...hit.folded]);
          expect(new Set(shown).size).toBe(shown.length);
        },
      ),
    );
  });
});

describe('plan', () => {
  const lists = { text: text(5, 4), vector: [{ row_id: 3, chunk: 0, score: 1, cosine: 1 }] };
  it('asks for the rows of both lists', () => {
    expect(poolRows(lists)).toEqual([1, 2, 3]);
  });
  it('asks for the turns around the best, joining what overlaps', () => {
    const reach = RANKING.neighbour_steps_max;
    const candidates = new Map<number, CandidateFacts>([
      [1, { session_id: 's', sequence: 10 }],
      [2, { session_id: 's', sequence: 12 }],
      [3, { session_id: 't', sequence: 1 }],
    ]);
    expect(sequenceRanges(lists, candidates)).toEqual(
      expect.arrayContaining([
        { session_id: 's', from: 10 - reach, to: 12 + reach },
        { session_id: 't', from: 1 - reach, to: 1 + reach },
      ]),
    );
    expect(sequenceRanges(lists, none)).toEqual([]);
  });
  it('asks for token vectors of the best only', () => {
    const many = { text: Array.from({ length: 300 }, (_, i) => ({ row_id: i, score: 300 - i })), vector: [] };
    expect(tokenRows(many)).toEqual(Array.from({ length: RANKING.maxsim_pool_max }, (_, i) => i));
  });
});

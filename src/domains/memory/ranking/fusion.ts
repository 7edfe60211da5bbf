// Brings scores of words and of meaning onto one scale and adds them. Scores rather than ranks: how far the best is
// ahead is the strongest evidence there is, and rank fusion over deep lists throws it away (below BM25 alone).
import type { RankingConstants } from './constants.ts';
import type { RankInput, VectorEvidence } from './types.ts';

/** A candidate's two fused parts, each already weighted. */
export type Fused = { readonly bm25: number; readonly vector: number };

const highest = (scores: Iterable<number>): number => {
  let best = 0;
  for (const score of scores) if (score > best) best = score;
  return best;
};

/**
 * Nearness of each record, 0..1 of the nearest. The fitted score is better where texts are alike (a conversation), the
 * plain cosine where they are not (notes on everything); a mixture is as good as the better one on either.
 */
const nearness = (vector: readonly VectorEvidence[], cosine_share: number): Map<number, number> => {
  const bestFitted = highest(vector.map((hit) => hit.score)) || 1;
  const bestPlain = highest(vector.map((hit) => hit.cosine)) || 1;
  const near = new Map<number, number>();
  for (const { row_id, score, cosine } of vector) {
    const value =
      ((1 - cosine_share) * Math.max(0, score)) / bestFitted + (cosine_share * Math.max(0, cosine)) / bestPlain;
    near.set(row_id, Math.max(value, near.get(row_id) ?? 0));
  }
  return near;
};

/**
 * Fuses both lists: each score is divided by the best of its kind, nothing is cut off by a threshold. Zero of a
 * vector score is the collection's mean (or a right angle), zero of a text score no word in common.
 */
export const fuse = (input: Pick<RankInput, 'text' | 'vector'>, constants: RankingConstants): Map<number, Fused> => {
  const words = new Map(input.text.map(({ row_id, score }) => [row_id, score]));
  const meaning = nearness(input.vector, constants.cosine_share);
  const bestWords = highest(words.values());
  const bestMeaning = highest(meaning.values());
  const share = bestMeaning > 0 ? constants.vector_share : 0;
  const fused = new Map<number, Fused>();
  for (const row_id of new Set([...words.keys(), ...meaning.keys()])) {
    const byWords = bestWords > 0 ? Math.max(0, words.get(row_id) ?? 0) / bestWords : 0;
    const near = meaning.get(row_id);
    const byMeaning = near === undefined ? byWords * constants.missing_vector_share : near / (bestMeaning || 1);
    fused.set(row_id, { bm25: (1 - share) * byWords, vector: share * byMeaning });
  }
  return fused;
};

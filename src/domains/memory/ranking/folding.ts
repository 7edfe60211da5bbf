// Folds near-identical texts: the best of them is shown, the others stand behind it.
import type { RankingConstants } from './constants.ts';
import type { CandidateFacts, RankedHit } from './types.ts';

type Words = { readonly distinct: ReadonlySet<string>; readonly all: string };

const wordsOf = (content: string): Words => {
  const words = content.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return { distinct: new Set(words), all: words.join(' ') };
};

/** Share of all distinct words that both texts have (Jaccard), without counting where sizes already rule it out. */
const isSame = (a: Words, b: Words, constants: RankingConstants): boolean => {
  if (a.all === b.all) return true;
  const [small, large] = a.distinct.size <= b.distinct.size ? [a.distinct, b.distinct] : [b.distinct, a.distinct];
  if (small.size < constants.fold_words_min || small.size < constants.fold_similarity_min * large.size) return false;
  let common = 0;
  for (const word of small) if (large.has(word)) common++;
  return common >= constants.fold_similarity_min * (small.size + large.size - common);
};

/** The first `limit` distinct hits, in order. A record folds only into a better one of the same sequence or of none. */
export const foldDuplicates = (
  hits: readonly RankedHit[],
  candidates: ReadonlyMap<number, CandidateFacts>,
  limit: number,
  constants: RankingConstants,
): RankedHit[] => {
  const kept: { hit: RankedHit; words: Words | undefined; folded: number[] }[] = [];
  for (const hit of hits) {
    const content = candidates.get(hit.row_id)?.content;
    const words = content === undefined ? undefined : wordsOf(content);
    const twin = words && kept.find((other) => other.words && isSame(words, other.words, constants));
    if (twin) twin.folded.push(hit.row_id);
    else if (kept.length < limit) kept.push({ hit, words, folded: [] });
    else break;
  }
  return kept.map(({ hit, folded }) => (folded.length > 0 ? { ...hit, folded } : hit));
};

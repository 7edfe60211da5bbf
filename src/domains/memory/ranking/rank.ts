// From evidence to an order: fusion, late interaction over the best, what a sequence lends, then folding. Pure and
// synchronous: everything it needs is in its input, and plan.ts says what that has to be.
import { readTokens } from '../../../storage/embedding/token-vectors.ts';
import { RANKING, type RankingConstants } from './constants.ts';
import { foldDuplicates } from './folding.ts';
import { type Fused, fuse } from './fusion.ts';
import { maxSim, prepareInteraction } from './late-interaction.ts';
import { sequenceEvidence } from './sequence.ts';
import type { RankedHit, RankInput, ScoreParts } from './types.ts';

type Scored = { readonly row_id: number; readonly bm25: number; readonly vector: number; readonly maxsim: number };

const NEUTRAL_IMPORTANCE = 0.5;

const sum = (fused: Fused): number => fused.bm25 + fused.vector;

/** Candidates by fused score, best first; of equals the newer (higher row) first. */
export const byFusedScore = (fused: ReadonlyMap<number, Fused>): [number, Fused][] =>
  [...fused].sort((a, b) => sum(b[1]) - sum(a[1]) || b[0] - a[0]);

/** How far late interaction is trusted: fully where the whole pool is one-liners, less the more and the longer texts there are. */
const shareOf = (counts: readonly number[], pool_count: number, constants: RankingConstants): number => {
  if (counts.length < 2) return 0;
  const mean = counts.reduce((all, count) => all + count, 0) / counts.length;
  const covered = (counts.length / pool_count) ** constants.maxsim_coverage_exponent;
  const share = constants.maxsim_share * covered * Math.min(1, constants.maxsim_short_tokens / mean) ** 2;
  return share < constants.maxsim_share_min ? 0 : share;
};

/** Late interaction with those of the pool that have token vectors, and how far to trust it; nothing where that is not far. */
const interactionsOf = (
  pool: readonly [number, Fused][],
  input: RankInput,
  constants: RankingConstants,
): { share: number; similarities: ReadonlyMap<number, number> } => {
  const nothing = { share: 0, similarities: new Map<number, number>() };
  const interaction = input.query_tokens && prepareInteraction(input.query_tokens, input.rarity ?? new Map());
  if (!interaction) return nothing;
  const packed = pool.flatMap(([row_id]): [number, Uint8Array][] => {
    const tokens = input.candidates.get(row_id)?.tokens;
    return tokens ? [[row_id, tokens]] : [];
  });
  const counts = packed.flatMap(([, tokens]) => readTokens(tokens)?.count ?? []);
  const share = shareOf(counts, pool.length, constants);
  if (share === 0) return nothing;
  const similarities = new Map<number, number>();
  for (const [row_id, tokens] of packed) {
    const similarity = maxSim(interaction, tokens);
    if (similarity !== undefined) similarities.set(row_id, similarity);
  }
  return { share, similarities };
};

/** Mixes late interaction into the fused scores; a text without token vectors keeps the place its fused score gives it. */
const withInteraction = (
  order: readonly [number, Fused][],
  input: RankInput,
  constants: RankingConstants,
): Scored[] => {
  const pool = order.slice(0, constants.maxsim_pool_max);
  const { share: trusted, similarities } = interactionsOf(pool, input, constants);
  const values = [...similarities.values()];
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  const share = values.length > 1 && range > 0 ? trusted : 0;
  const best = pool[0] ? sum(pool[0][1]) : 0;
  const inPool = new Set(pool.map(([row_id]) => row_id));
  return order.map(([row_id, fused]) => {
    if (share === 0) return { row_id, bm25: fused.bm25, vector: fused.vector, maxsim: 0 };
    const value = similarities.get(row_id);
    const own = inPool.has(row_id) ? sum(fused) : 0;
    const maxsim = share * (value === undefined ? own : (best * (value - low)) / range);
    return { row_id, bm25: (1 - share) * fused.bm25, vector: (1 - share) * fused.vector, maxsim };
  });
};

const bestChunks = (input: RankInput): Map<number, number> => {
  const best = new Map<number, { chunk: number; score: number }>();
  for (const { row_id, chunk, score } of input.vector) {
    if (score > (best.get(row_id)?.score ?? Number.NEGATIVE_INFINITY)) best.set(row_id, { chunk, score });
  }
  return new Map([...best].map(([row_id, { chunk }]) => [row_id, chunk]));
};

const total = (parts: ScoreParts): number => Object.values(parts).reduce((all: number, part: number) => all + part, 0);

/** Scales parts so that no score can exceed 1: the most that two parts and a whole sequence of bests could add up to. */
const scaleOf = (constants: RankingConstants): number => {
  let most = 1 + constants.session_share + constants.importance_share;
  for (let step = 1; step <= constants.neighbour_steps_max; step++) {
    most += constants.neighbour_decay ** step * (1 + constants.neighbour_after_share);
  }
  return 1 / most;
};

const scaled = (parts: ScoreParts, scale: number): ScoreParts => ({
  bm25: parts.bm25 * scale,
  vector: parts.vector * scale,
  maxsim: parts.maxsim * scale,
  neighbours: parts.neighbours * scale,
  session: parts.session * scale,
  importance: parts.importance * scale,
});

/** Ranks the candidates. Records that are in neither list nor in `candidates` do not appear. */
export const rank = (input: RankInput, constants: RankingConstants = RANKING): RankedHit[] => {
  const scored = withInteraction(byFusedScore(fuse(input, constants)), input, constants);
  const own = new Map(scored.map(({ row_id, bm25, vector, maxsim }) => [row_id, bm25 + vector + maxsim]));
  const lent = sequenceEvidence(own, input.candidates, constants);
  const inSequence = lent.size > 0;
  // Where no candidate stands in a sequence nothing was lent, and scores use the whole range.
  const scale = inSequence ? scaleOf(constants) : 1 / (1 + constants.importance_share);
  const chunks = bestChunks(input);
  const hits = scored.map(({ row_id, bm25, vector, maxsim }): RankedHit => {
    const { neighbours = 0, session = 0 } = lent.get(row_id) ?? {};
    const stated = input.candidates.get(row_id)?.importance ?? NEUTRAL_IMPORTANCE;
    const importance = constants.importance_share * Math.min(1, Math.max(0, stated)) * (own.get(row_id) ?? 0);
    const parts = scaled({ bm25, vector, maxsim, neighbours, session, importance }, scale);
    return { row_id, score: Math.min(1, total(parts)), chunk: chunks.get(row_id) ?? 0, parts, folded: [] };
  });
  hits.sort((a, b) => b.score - a.score || b.row_id - a.row_id);
  return foldDuplicates(hits, input.candidates, input.limit, constants);
};

// What has to be fetched before ranking: the ranking itself reads nothing. Call in this order:
//   1. poolRows      rows of both searches: fetch their facts, and vector scores for those found by words only
//   2. sequenceRanges  turns around the best: fetch those rows that may be found, their facts and vector scores
//   3. tokenRows     rows whose token vectors are worth reading
import { RANKING, type RankingConstants } from './constants.ts';
import { fuse } from './fusion.ts';
import { byFusedScore } from './rank.ts';
import type { CandidateFacts, RankInput, SequenceRange } from './types.ts';

type Lists = Pick<RankInput, 'text' | 'vector'>;

/** All rows of both lists. */
export const poolRows = ({ text, vector }: Lists): number[] => [
  ...new Set([...text.map((hit) => hit.row_id), ...vector.map((hit) => hit.row_id)]),
];

/** Ranges of sessions whose turns can lend or gain evidence, overlapping ones joined. Empty where nothing is a sequence. */
export const sequenceRanges = (
  lists: Lists,
  candidates: ReadonlyMap<number, CandidateFacts>,
  constants: RankingConstants = RANKING,
): SequenceRange[] => {
  const reach = constants.neighbour_steps_max;
  const positions = new Map<string, number[]>();
  for (const [row_id] of byFusedScore(fuse(lists, constants)).slice(0, constants.sequence_seeds_max)) {
    const { session_id, sequence } = candidates.get(row_id) ?? {};
    if (session_id == null || sequence == null) continue;
    positions.set(session_id, [...(positions.get(session_id) ?? []), sequence]);
  }
  const ranges: SequenceRange[] = [];
  for (const [session_id, found] of positions) {
    let open: { from: number; to: number } | undefined;
    for (const at of found.sort((a, b) => a - b)) {
      if (open && at - reach <= open.to + 1) open.to = at + reach;
      else {
        if (open) ranges.push({ session_id, ...open });
        open = { from: at - reach, to: at + reach };
      }
    }
    if (open) ranges.push({ session_id, ...open });
  }
  return ranges;
};

/** Rows whose token vectors decide: the best by fused score. */
export const tokenRows = (lists: Lists, constants: RankingConstants = RANKING): number[] =>
  byFusedScore(fuse(lists, constants))
    .slice(0, constants.maxsim_pool_max)
    .map(([row_id]) => row_id);

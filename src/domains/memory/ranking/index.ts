// The ranking, as the rest of the memory domain may use it.
export { RANKING, type RankingConstants } from './constants.ts';
export { type FindDeps, type FindRequest, findRanked } from './find.ts';
export { foldDuplicates } from './folding.ts';
export { poolRows, sequenceRanges, tokenRows } from './plan.ts';
export { rank } from './rank.ts';
export type {
  CandidateFacts,
  QueryTokens,
  RankedHit,
  RankInput,
  ScoreParts,
  SequenceRange,
  TextEvidence,
  VectorEvidence,
} from './types.ts';

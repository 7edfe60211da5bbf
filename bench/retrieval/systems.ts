// The rankings that are compared. All run the product's findRanked; they differ in which signals are switched on.
import { RANKING, type RankingConstants } from '../../src/domains/memory/ranking/index.ts';
import type { VectorMetric } from '../../src/storage/vectors/port.ts';

export type System = {
  readonly name: string;
  readonly constants: RankingConstants;
  readonly metric: VectorMetric;
  /** False: the question is not embedded. */
  readonly semantic: boolean;
  /** Which parts of a memory's bytes it reads. */
  readonly reads: readonly ('text_index' | 'vectors' | 'tokens')[];
};

const noMaxsim = { maxsim_share: 0, maxsim_pool_max: 0 };
const noSequence = { neighbour_decay: 0, session_share: 0, sequence_seeds_max: 0 };
const fusionOnly: RankingConstants = { ...RANKING, ...noMaxsim, ...noSequence };
const vectorsOnly: RankingConstants = { ...fusionOnly, vector_share: 1, text_pool_max: 0 };
const both = ['text_index', 'vectors'] as const;

export const SYSTEMS: readonly System[] = [
  { name: 'BM25', constants: fusionOnly, metric: 'cosine', semantic: false, reads: ['text_index'] },
  { name: 'vectors', constants: vectorsOnly, metric: 'cosine', semantic: true, reads: ['vectors'] },
  { name: 'vectors, half-whitened', constants: vectorsOnly, metric: 'whitened', semantic: true, reads: ['vectors'] },
  { name: 'fusion, plain vectors', constants: fusionOnly, metric: 'cosine', semantic: true, reads: both },
  { name: 'fusion', constants: fusionOnly, metric: 'whitened', semantic: true, reads: both },
  {
    name: 'fusion + sequence',
    constants: { ...RANKING, ...noMaxsim },
    metric: 'whitened',
    semantic: true,
    reads: both,
  },
  {
    name: 'fusion + late interaction',
    constants: { ...RANKING, ...noSequence },
    metric: 'whitened',
    semantic: true,
    reads: [...both, 'tokens'],
  },
  { name: 'default (all of them)', constants: RANKING, metric: 'whitened', semantic: true, reads: [...both, 'tokens'] },
];

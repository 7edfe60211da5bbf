// Every tuned number of the ranking, each with its reason. Measured with `npm run bench:retrieval` on three sets at
// once (notes, a project's decisions, long conversations); a value was kept only where its neighbours do nearly as
// well, so that other collections fare alike. docs/adr/0004-ranking.md has the tables.

export type RankingConstants = {
  /** How many candidates each of the two searches gives. Deeper lists changed no answer's first ten. */
  readonly text_pool_max: number;
  readonly vector_pool_max: number;
  /** Share of the vectors in the fused score; .4 to .6 differ by less than a point on every set. */
  readonly vector_share: number;
  /** Share of the plain cosine in nearness, the rest being the score fitted to the collection. */
  readonly cosine_share: number;
  /** A memory whose vector is not there yet counts as this near, relative to how well its words match. */
  readonly missing_vector_share: number;
  /** Late interaction reorders this many; 100 brought nothing more. */
  readonly maxsim_pool_max: number;
  /** Share of late interaction where all of the pool is one-liners. */
  readonly maxsim_share: number;
  /** Texts of up to this many telling tokens are one-liners; above, the share falls with the square of the mean length. */
  readonly maxsim_short_tokens: number;
  /** The share falls with this power of the part of the pool that has token vectors: like compares with like. */
  readonly maxsim_coverage_exponent: number;
  /** A smaller share changes few places and would cost up to 5 ms on longer texts: none then. */
  readonly maxsim_share_min: number;
  /** What one step along a sequence leaves of a neighbour's score; two steps leave its square. */
  readonly neighbour_decay: number;
  readonly neighbour_steps_max: number;
  /** A turn lends more to the one after it (question, then answer) than to the one before. */
  readonly neighbour_after_share: number;
  /** Share of a session's best score that every memory of the session gets. */
  readonly session_share: number;
  /**
   * What a memory that stands alone is its own neighbour with, in stores where notes and conversations lie together.
   * ops-notes beside 81 imported turns, nDCG@10: without it and its own session .734, with 0 .765, .3 .768, .6 .770
   * (.770 without the turns); the more, the harder for a turn to stand beside a note.
   */
  readonly alone_neighbour_share: number;
  /** Only memories around this many best candidates are fetched: evidence below them decides nothing. */
  readonly sequence_seeds_max: number;
  /** Importance moves a score by at most half of this: enough to order equals, never to lift a worse match. */
  readonly importance_share: number;
  /** Texts that share this much of their words are one text twice. */
  readonly fold_similarity_min: number;
  /** Shorter texts ("Thanks!") are folded only when they are equal. */
  readonly fold_words_min: number;
};

export const RANKING: RankingConstants = {
  text_pool_max: 200,
  vector_pool_max: 200,
  vector_share: 0.55,
  cosine_share: 0.5,
  missing_vector_share: 0.8,
  maxsim_pool_max: 50,
  maxsim_share: 0.5,
  maxsim_short_tokens: 20,
  maxsim_coverage_exponent: 2,
  maxsim_share_min: 0.1,
  neighbour_decay: 0.3,
  neighbour_steps_max: 3,
  neighbour_after_share: 0.7,
  session_share: 0.5,
  alone_neighbour_share: 0.3,
  sequence_seeds_max: 80,
  importance_share: 0.01,
  fold_similarity_min: 0.92,
  fold_words_min: 6,
};

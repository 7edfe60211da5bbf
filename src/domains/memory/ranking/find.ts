// One search from question to ranked hits: asks both indexes, fetches what the plan names, ranks. The only place that
// knows the order of these steps; where rows come from is the caller's business.
import type { EmbeddedQuery } from '../../../storage/embedding/port.ts';
import type { TextIndex } from '../../../storage/text/port.ts';
import type { VectorSearch } from '../../../storage/vectors/search.ts';
import { RANKING, type RankingConstants } from './constants.ts';
import { poolRows, sequenceRanges, tokenRows } from './plan.ts';
import { rank } from './rank.ts';
import type { CandidateFacts, RankedHit, SequenceRange, VectorEvidence } from './types.ts';

export type FindDeps = {
  readonly text: Pick<TextIndex, 'search' | 'rarity'>;
  readonly vectors: VectorSearch;
  /** Session, sequence, importance and content of these rows; token vectors are not needed here. */
  facts(rowIds: readonly number[]): Promise<ReadonlyMap<number, CandidateFacts>>;
  /** The same of all rows in these parts of sessions that the caller may see. */
  factsInRanges(ranges: readonly SequenceRange[]): Promise<ReadonlyMap<number, CandidateFacts>>;
  /** Packed token vectors of these rows (of their only chunk), where there are any. */
  tokens(rowIds: readonly number[]): Promise<ReadonlyMap<number, Uint8Array>>;
};

export type FindRequest = {
  readonly question: string;
  /** Undefined: search by words alone. While a promise is pending, the words are searched already. */
  readonly query: EmbeddedQuery | undefined | Promise<EmbeddedQuery | undefined>;
  readonly limit: number;
  /** Only these rows may be found. Absent: all rows of the store. */
  readonly allowed?: ReadonlySet<number> | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** The best hits, best first. */
export const findRanked = async (
  deps: FindDeps,
  request: FindRequest,
  constants: RankingConstants = RANKING,
): Promise<RankedHit[]> => {
  const { question, allowed, limit, signal } = request;
  const depth = (pool: number): number => Math.max(pool, 2 * limit);
  const words = deps.text.search(question, { limit: depth(constants.text_pool_max), allowed });
  // Whichever of the two fails first, the other's failure is no accident of its own.
  words.catch(() => undefined);
  const query = await request.query;
  const near = query
    ? await deps.vectors.search(query.vector, { limit: depth(constants.vector_pool_max), allowed })
    : [];
  const text = await words;
  const candidates = new Map<number, CandidateFacts>();
  let vector: VectorEvidence[] = near;

  /** Adds rows with their facts, and with vector scores where the search by meaning has not given one. */
  const admit = async (rows: ReadonlyMap<number, CandidateFacts>): Promise<void> => {
    for (const [row_id, facts] of rows)
      if (!candidates.has(row_id) && (!allowed || allowed.has(row_id))) candidates.set(row_id, facts);
    const scored = new Set(vector.map((hit) => hit.row_id));
    const missing = [...rows.keys()].filter((row_id) => candidates.has(row_id) && !scored.has(row_id));
    if (query && missing.length > 0) vector = [...vector, ...(await deps.vectors.scores(query.vector, missing))];
  };

  await admit(await deps.facts(poolRows({ text, vector })));
  signal?.throwIfAborted();
  const known = {
    text: text.filter((hit) => candidates.has(hit.row_id)),
    vector: vector.filter((hit) => candidates.has(hit.row_id)),
  };
  vector = known.vector;
  const ranges = sequenceRanges(known, candidates, constants);
  if (ranges.length > 0) await admit(await deps.factsInRanges(ranges));
  const rarity = query?.tokens ? await deps.text.rarity(query.tokens.words) : undefined;
  const lists = { text: known.text, vector };
  if (query?.tokens) {
    for (const [row_id, tokens] of await deps.tokens(tokenRows(lists, constants))) {
      candidates.set(row_id, { ...candidates.get(row_id), tokens });
    }
  }
  signal?.throwIfAborted();
  return rank({ ...lists, candidates, query_tokens: query?.tokens, rarity, limit }, constants);
};

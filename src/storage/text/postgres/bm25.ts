// BM25 as FTS5 computes it (k1 1.2, b .75), from what a tsvector holds.
// Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, section 3.
import { type RawBuilder, sql } from 'kysely';

const K1 = 1.2;
const B = 0.75;
/** Context and tags describe a record but are not its text: a match there counts this much of one in the body. */
const EXTRA_WEIGHT = 0.6;
/** As in FTS5: a word that more than half of all records have still counts for a trace. */
const IDF_MIN = 1e-6;

/** How many records there are, and how many words the mean one has. */
export type Totals = { readonly records: number; readonly mean_length: number };

export const idf = (records: number, { records: total }: Totals): number =>
  Math.max(IDF_MIN, Math.log((Math.max(0, total - records) + 0.5) / (records + 0.5)));

/** What `frequency` occurrences in a record of `length` words are worth, before the rarity of the word. */
export const saturated = (frequency: number, length: number, { mean_length }: Totals): number =>
  (frequency * (K1 + 1)) / (frequency + K1 * (1 - B + (B * length) / mean_length));

/** Weights of positions, from D (description) to A (body). */
const POSITION_WEIGHTS = sql.lit(`{${EXTRA_WEIGHT},0,0,1}`);

/**
 * SQL: occurrences of `query` (one lexeme, or lexemes side by side) in `m.words`, those in the description weighed.
 * Cover density (Clarke, Cormack and Tudhope, "Relevance Ranking for One to Three Term Queries", 1999) adds up, over all
 * extents of the text that satisfy the query, their mean weight over one plus the words between: an extent of one
 * lexeme, or of a phrase, has no words between, so that each occurrence adds its weight. `ts_rank` would damp them.
 */
export const frequencySql = (query: RawBuilder<unknown>): RawBuilder<number> =>
  sql`ts_rank_cd(${POSITION_WEIGHTS}::float4[], m.words, ${query})::float8`;

/** SQL of `saturated`, for a record `m`. */
export const saturatedSql = (frequency: RawBuilder<unknown>, { mean_length }: Totals): RawBuilder<number> =>
  sql`${frequency} * ${sql.lit(K1 + 1)}
    / (${frequency} + ${sql.lit(K1 * (1 - B))} + ${sql.lit(K1 * B)} / ${mean_length}::float8 * (m.body_length + m.extra_length))`;

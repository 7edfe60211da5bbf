// How a question is put to FTS5 so that its cost stays bounded: scoring a record costs ten times what finding it does,
// and a common word finds a quarter of the store. Rare words therefore choose the candidates, and all words score them.
import type { AllowedJson, Fts5Statements } from './fts5-statements.ts';
import type { TextHit, TextSearchOptions } from './port.ts';
import { matchExpression, pairExpression, type QueryTerms } from './tokens.ts';

/** Records scored to choose candidates: about 4 ms. Below twice this many everything is scored at once. */
const SCORED_RECORDS_MAX = 6_000;
const CANDIDATES_PER_HIT = 2;
/** Records looked at to score the candidates: about 3 ms. Words so common that they go beyond it hardly tell texts apart. */
const VISITED_RECORDS_MAX = 15_000;
/**
 * Words that stand side by side in question and text count this much of a word more. After the sequential dependence
 * model (Metzler and Croft, "A Markov Random Field Model for Term Dependencies", SIGIR 2005).
 */
const PAIR_WEIGHT = 0.4;

/** A pair of two words that are each in more records than this is not looked for: reading both lists takes milliseconds. */
const PAIR_RECORDS_MAX = 6_000;

/** Words of a question that remain, and in how many of the records that may be found each occurs. */
export type CountedTerms = QueryTerms & { readonly records: ReadonlyMap<string, number> };

const rarestFirst = ({ words, records }: CountedTerms): string[] =>
  [...words].sort((a, b) => (records.get(a) ?? 0) - (records.get(b) ?? 0));

/** The rarest words that together occur in at most so many records. */
const rarestWithin = (terms: CountedTerms, budget: number): string[] => {
  let total = 0;
  return rarestFirst(terms).filter((word) => {
    total += terms.records.get(word) ?? 0;
    return total <= budget;
  });
};

/** The rarest words that together occur in few enough records; at least one. */
const choosing = (terms: CountedTerms): { words: string[]; affordable: boolean } => {
  const { records } = terms;
  const rarest = rarestFirst(terms);
  const chosen = rarestWithin(terms, SCORED_RECORDS_MAX);
  const found = chosen.some((word) => (records.get(word) ?? 0) > 0);
  return found
    ? { words: chosen, affordable: true }
    : { words: rarest.filter((word) => (records.get(word) ?? 0) > 0).slice(0, 1), affordable: false };
};

/** Adds what pairs of words bring to the scores of these rows. */
const withPairs = (sql: Fts5Statements, hits: TextHit[], { words, records }: CountedTerms): TextHit[] => {
  const expression = pairExpression(
    words.filter((word) => (records.get(word) ?? 0) > 0),
    (word) => (records.get(word) ?? 0) <= PAIR_RECORDS_MAX,
  );
  if (expression === undefined || hits.length < 2) return hits;
  const rows = JSON.stringify(hits.map((hit) => hit.row_id));
  const pairs = new Map(sql.best(expression, hits.length, rows).map(({ row_id, score }) => [row_id, score]));
  const scored = hits.map(({ row_id, score }) => ({ row_id, score: score + PAIR_WEIGHT * (pairs.get(row_id) ?? 0) }));
  return scored.sort((a, b) => b.score - a.score || a.row_id - b.row_id);
};

/** The best rows for the terms; where every word is common, the best of the newest rows that have the least common. */
export const bestRows = (sql: Fts5Statements, terms: CountedTerms, limit: number, allowed: AllowedJson): TextHit[] => {
  const expression = matchExpression(terms);
  if (expression === undefined) return [];
  const total = terms.words.reduce((sum, word) => sum + (terms.records.get(word) ?? 0), 0);
  if (total <= 2 * SCORED_RECORDS_MAX) return withPairs(sql, sql.best(expression, limit, allowed), terms);
  const { words, affordable } = choosing(terms);
  const few = matchExpression({ words, phrases: [] });
  if (few === undefined) return [];
  const rows = affordable
    ? sql.best(few, CANDIDATES_PER_HIT * limit, allowed).map((hit) => hit.row_id)
    : sql.newest(few, SCORED_RECORDS_MAX, allowed);
  const scoring = new Set([...words, ...rarestWithin(terms, VISITED_RECORDS_MAX)]);
  const telling = matchExpression({ words: [...scoring], phrases: terms.phrases }) ?? expression;
  return withPairs(sql, sql.best(telling, limit, JSON.stringify(rows)), terms);
};

/** The best rows of a large allowed set: asks for more than needed and leaves out what is not allowed. */
export const bestRowsAmong = (
  sql: Fts5Statements,
  terms: CountedTerms,
  options: TextSearchOptions & { readonly allowed: ReadonlySet<number> },
  total: number,
): TextHit[] => {
  const { limit, allowed } = options;
  for (let fetch = Math.ceil(limit * Math.max(1, total / allowed.size) * 1.5); ; fetch *= 4) {
    const rows = bestRows(sql, terms, fetch, undefined);
    const kept = rows.filter((row) => allowed.has(row.row_id));
    if (kept.length >= limit || rows.length < fetch) return kept.slice(0, limit);
  }
};

// How a question is put to PostgreSQL so that its cost stays bounded: scoring a record means reading it, and a common
// word is in a quarter of the store. Rare words therefore choose the candidates, and all words score them.
import type { Kysely } from 'kysely';
import type { TextHit } from '../port.ts';
import { idf, saturated, type Totals } from './bm25.ts';
import { bestCandidates, type Candidate, newestRows, type Source, type WeighedWord } from './statements.ts';
import type { Statistics } from './statistics.ts';
import type { Phrase, Term, Terms } from './terms.ts';

/** Occurrences looked at to choose candidates: about 6 ms. Below twice this many everything is scored at once. */
const SCORED_RECORDS_MAX = 3_000;
/** Candidates that the words alone choose, before phrases and further words decide. */
const CANDIDATES_PER_HIT = 2;
const CANDIDATES_MIN = 500;
/** With fewer hits than this (and than asked for) records with common words alone are looked for as well. */
const FEW_HITS_MAX = 20;
/** Where every word is common, the best of so many records are found ... */
const NEWEST_RECORDS_MAX = 2_000;
/** ... among so many of the newest. */
const NEWEST_VISITED_MAX = 20_000;

export type SearchDeps = { readonly db: Kysely<unknown>; readonly statistics: Statistics };

const rarestFirst = (terms: readonly Term[]): Term[] => [...terms].sort((a, b) => a.records - b.records);
const sum = (terms: readonly Term[]): number => terms.reduce((total, term) => total + term.records, 0);

/** The rarest terms that together occur in at most so many records. */
const rarestWithin = (terms: readonly Term[], budget: number): Term[] => {
  let total = 0;
  return rarestFirst(terms).filter((term) => {
    total += term.records;
    return total <= budget;
  });
};

/** The newest rows that may be found, of those that hold the term: where it is too common to look at all. */
const newestWith = async (
  { db, statistics }: SearchDeps,
  term: Term,
  allowed: readonly number[] | undefined,
): Promise<Source> => {
  if (allowed !== undefined)
    return { kind: 'rows', rows: [...allowed].sort((a, b) => b - a).slice(0, SCORED_RECORDS_MAX) };
  const after = Math.max(0, statistics.lastRow() - NEWEST_VISITED_MAX);
  return { kind: 'rows', rows: await newestRows(db, term.query, after, NEWEST_RECORDS_MAX) };
};

type Plan = { readonly choosing: readonly Term[]; readonly source: Source };

/** From where and by which words the candidates are chosen; undefined where every word is too common. */
const planned = (terms: readonly Term[], allowed: readonly number[] | undefined): Plan | undefined => {
  const byIndex: Source = { kind: 'index', allowed };
  if (sum(terms) <= 2 * SCORED_RECORDS_MAX) return { choosing: terms, source: byIndex };
  if (allowed !== undefined && allowed.length <= SCORED_RECORDS_MAX)
    return { choosing: terms, source: { kind: 'rows', rows: allowed } };
  const rare = rarestWithin(terms, SCORED_RECORDS_MAX);
  return rare.length > 0 ? { choosing: rare, source: byIndex } : undefined;
};

type Choice = Pick<Terms, 'telling' | 'phrases'> & {
  readonly limit: number;
  readonly allowed: readonly number[] | undefined;
};

/** Rows that the rarest words choose, scored by all of them; if too few have those, the newest of others beside them. */
const candidatesOf = async (deps: SearchDeps, choice: Choice, totals: Totals): Promise<Candidate[]> => {
  const { telling, phrases, limit, allowed } = choice;
  const weighed = (term: Term): WeighedWord => ({ query: term.query, weight: term.times * idf(term.records, totals) });
  const names = phrases.some((phrase) => phrase.share === 1);
  const fetch = async ({ choosing, source }: Plan): Promise<Candidate[]> => {
    const scoring = telling.filter((term) => !choosing.includes(term)).map(weighed);
    // Neighbours in the question change places among the hits; names and further words may bring others up.
    const more = scoring.length > 0 || names;
    return bestCandidates(
      deps.db,
      {
        choosing: choosing.map(weighed),
        scoring,
        source,
        limit: more ? Math.max(CANDIDATES_MIN, CANDIDATES_PER_HIT * limit) : limit,
        phrases: phrases.map((phrase) => phrase.query),
      },
      totals,
    );
  };
  const plan = planned(telling, allowed);
  const found = plan === undefined ? [] : await fetch(plan);
  const [common] = rarestFirst(telling.filter((term) => plan?.choosing.includes(term) !== true));
  if (found.length >= Math.min(limit, FEW_HITS_MAX) || common === undefined) return found;
  const known = new Set(found.map((candidate) => candidate.row_id));
  const newest = await fetch({ choosing: telling, source: await newestWith(deps, common, allowed) });
  return [...found, ...newest.filter((candidate) => !known.has(candidate.row_id))];
};

/** Adds what names and pairs of words bring to the scores, and puts the best first. */
const withPhrases = async (
  { statistics }: SearchDeps,
  candidates: readonly Candidate[],
  phrases: readonly Phrase[],
  totals: Totals,
): Promise<TextHit[]> => {
  const occurring = candidates.flatMap(({ row_id, length, phrases: found }) =>
    phrases.flatMap((phrase, index) => {
      const frequency = found?.[index] ?? 0;
      return frequency > 0 ? [{ row_id, phrase, value: saturated(frequency, length, totals) }] : [];
    }),
  );
  const counted = new Set(occurring.filter(({ phrase }) => phrase.countable).map(({ phrase }) => phrase.query));
  const records = await statistics.records([...counted]);
  // Of the others it is known at least in how many candidates they are.
  for (const { phrase } of occurring)
    if (!counted.has(phrase.query)) records.set(phrase.query, (records.get(phrase.query) ?? 0) + 1);
  const scores = new Map(candidates.map(({ row_id, score }) => [row_id, score]));
  for (const { row_id, phrase, value } of occurring) {
    const more = phrase.share * idf(records.get(phrase.query) ?? 0, totals) * value;
    scores.set(row_id, (scores.get(row_id) ?? 0) + more);
  }
  return [...scores]
    .map(([row_id, score]) => ({ row_id, score }))
    .sort((a, b) => b.score - a.score || a.row_id - b.row_id);
};

/** The best rows for the terms; where every word is common, the best of the newest rows that have the least common. */
export const bestRows = async (
  deps: SearchDeps,
  { telling, common, phrases }: Terms,
  limit: number,
  allowed: readonly number[] | undefined,
): Promise<TextHit[]> => {
  if (telling.length === 0) return [];
  const totals = await deps.statistics.totals();
  const candidates = await candidatesOf(deps, { telling, phrases, limit, allowed }, totals);
  if (candidates.length === 0 && common.length > 0)
    return bestRows(deps, { telling: common, common: [], phrases }, limit, allowed);
  return (await withPhrases(deps, candidates, phrases, totals)).slice(0, limit);
};

/** The best rows of a large allowed set: asks for more than needed and leaves out what is not allowed. */
export const bestRowsAmong = async (
  deps: SearchDeps,
  terms: Terms,
  limit: number,
  allowed: ReadonlySet<number>,
): Promise<TextHit[]> => {
  const { records } = await deps.statistics.totals();
  for (let fetch = Math.ceil(limit * Math.max(1, records / allowed.size) * 1.5); ; fetch *= 4) {
    const rows = await bestRows(deps, terms, fetch, undefined);
    const kept = rows.filter((row) => allowed.has(row.row_id));
    if (kept.length >= limit || rows.length < fetch) return kept.slice(0, limit);
  }
};

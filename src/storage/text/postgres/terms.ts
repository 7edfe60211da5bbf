// From the words of a question to lexemes that tell records apart: typos corrected, common words left out.
import type { QueryTerms } from '../tokens.ts';
import { lexemeOf, phraseQuery } from './lexemes.ts';
import type { Statistics } from './statistics.ts';
import type { WordList } from './word-list.ts';

/** A lexeme of the question, in how many records it occurs, and how many of the asked words it stands for. */
export type Term = {
  readonly lexeme: string;
  readonly query: string;
  readonly records: number;
  readonly times: number;
};
/** Lexemes side by side, a name or neighbours in the question. */
export type Phrase = {
  readonly query: string;
  /** How much of a word it counts. */
  readonly share: number;
  /** Whether one of its lexemes is rare enough to count the records of the phrase: that reads all that hold each. */
  readonly countable: boolean;
};

/** `common`: words left out because they tell nothing apart. */
export type Terms = {
  readonly telling: readonly Term[];
  readonly common: readonly Term[];
  readonly phrases: readonly Phrase[];
};

/** Records that may be found: how many there are, and how to count in them; absent: the whole store. */
export type Pool = {
  readonly size: number;
  readonly count: ((queries: readonly string[]) => Promise<Map<string, number>>) | undefined;
};

/**
 * A word in more than this share of the records that may be found separates nothing there, however rare it is in
 * the store as a whole: a speaker's name inside his own conversation.
 */
const COMMON_WORD_SHARE = 0.25;
/** Below this many records shares mean nothing and every word counts. */
const COMMON_WORD_RECORDS_MIN = 50;
const CORRECTIONS_PER_WORD = 3;
/**
 * Words that stand side by side in question and text count this much of a word more. After the sequential dependence
 * model (Metzler and Croft, "A Markov Random Field Model for Term Dependencies", SIGIR 2005).
 */
const PAIR_WEIGHT = 0.4;
const PAIRS_MAX = 12;
/** A phrase whose words are each in more records than this is not counted. */
const COUNTABLE_RECORDS_MAX = 6_000;

const countLexemes = async (statistics: Statistics, times: ReadonlyMap<string, number>): Promise<Term[]> => {
  const records = await statistics.records([...times.keys()].map((lexeme) => phraseQuery([lexeme])));
  return [...times].map(([lexeme, count]) => {
    const query = phraseQuery([lexeme]);
    return { lexeme, query, records: records.get(query) ?? 0, times: count };
  });
};

const phrase = (lexemes: readonly string[], share: number, terms: ReadonlyMap<string, Term>): Phrase => ({
  query: phraseQuery(lexemes),
  share,
  countable: lexemes.some(
    (lexeme) => (terms.get(lexeme)?.records ?? Number.POSITIVE_INFINITY) <= COUNTABLE_RECORDS_MAX,
  ),
});

/** Neighbours among the telling words of a question; two common ones tell too little to be looked for. */
const pairsOf = (lexemes: readonly string[], telling: ReadonlyMap<string, Term>): Phrase[] =>
  lexemes
    .filter((lexeme) => telling.has(lexeme))
    .slice(0, PAIRS_MAX + 1)
    .flatMap((lexeme, index, all) => {
      const before = all[index - 1];
      return before === undefined ? [] : [phrase([before, lexeme], PAIR_WEIGHT, telling)];
    })
    .filter((pair) => pair.countable);

const namesOf = (phrases: QueryTerms['phrases'], terms: ReadonlyMap<string, Term>): Phrase[] =>
  phrases
    .map((parts) => parts.map(lexemeOf).filter((lexeme) => lexeme !== ''))
    .filter((lexemes) => lexemes.length > 1)
    .map((lexemes) => phrase(lexemes, 1, terms));

/** Splits terms by whether they are common among the records that may be found. None left: all tell. */
const separated = async (terms: readonly Term[], pool: Pool): Promise<Pick<Terms, 'telling' | 'common'>> => {
  const found = terms.filter((term) => term.records > 0);
  if (pool.size < COMMON_WORD_RECORDS_MIN) return { telling: found, common: [] };
  const common_min = Math.max(1, Math.floor(pool.size * COMMON_WORD_SHARE)) + 1;
  const doubtful = found.filter((term) => term.records >= common_min);
  const counts = doubtful.length > 0 ? await pool.count?.(doubtful.map((term) => term.query)) : undefined;
  const isCommon = (term: Term): boolean => (counts?.get(term.query) ?? term.records) >= common_min;
  const common = doubtful.filter(isCommon);
  const telling = found.filter((term) => !common.includes(term));
  return telling.length > 0 ? { telling, common } : { telling: found, common: [] };
};

/** The terms of a question. Words that occur nowhere are joined by the nearest that do. */
export const tellingTerms = async (
  deps: { readonly statistics: Statistics; readonly list: WordList },
  asked: QueryTerms,
  pool: Pool,
): Promise<Terms> => {
  const words = asked.words.map((word) => ({ word, lexeme: lexemeOf(word) })).filter(({ lexeme }) => lexeme !== '');
  const times = new Map<string, number>();
  for (const { lexeme } of words) times.set(lexeme, (times.get(lexeme) ?? 0) + 1);
  const terms = await countLexemes(deps.statistics, times);
  const absent = new Set(terms.filter((term) => term.records === 0).map((term) => term.lexeme));
  const misspelt = words.filter(({ lexeme }) => absent.has(lexeme)).map(({ word }) => word);
  const meant = misspelt.length === 0 ? [] : await deps.list.nearest(misspelt, CORRECTIONS_PER_WORD);
  const added = new Map(meant.filter((lexeme) => !times.has(lexeme)).map((lexeme) => [lexeme, 1]));
  if (added.size > 0) terms.push(...(await countLexemes(deps.statistics, added)));
  const { telling, common } = await separated(terms, pool);
  const byLexeme = (list: readonly Term[]) => new Map(list.map((term) => [term.lexeme, term]));
  const inOrder = [...words.map(({ lexeme }) => lexeme), ...added.keys()];
  return {
    telling,
    common,
    phrases: [...namesOf(asked.phrases, byLexeme(terms)), ...pairsOf(inOrder, byLexeme(telling))],
  };
};

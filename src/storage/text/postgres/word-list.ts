// Keeps the vocabulary of the index on PostgreSQL in memory for typo correction. The server has no list of all words,
// so they are gathered from windows of rows, newest first, and later from the rows that came since.
import { type Kysely, sql } from 'kysely';
import { createVocabulary, type Vocabulary } from '../vocabulary.ts';

/** Rows whose words are read in one step: about 20 ms on the server. */
const WINDOW_ROWS = 1_000;
/** Words of older records are not corrected to: reading more takes minutes, and hardly adds words. */
const VOCABULARY_ROWS_MAX = 200_000;
/** So many rows are read during the search that needs them, more in the background. */
const AT_ONCE_ROWS_MAX = 2_000;
/** Transactions commit out of order: so many rows before the last one seen are looked at again. */
const OVERLAP_ROWS = 200;

export type WordList = {
  /** For each word the lexemes nearest to it, all in one list. */
  nearest(words: readonly string[], limit: number): Promise<string[]>;
  /** Tells of words that this process has just indexed. */
  note(lexemes: Iterable<string>): void;
  /** Reads the words of the index anew, in small steps. */
  load(): Promise<void>;
};

type Word = { readonly word: string; readonly ndoc: number };

export const createWordList = (db: Kysely<unknown>): WordList => {
  let vocabulary: Vocabulary | undefined;
  /** The last row whose words are in the vocabulary. */
  let coveredTo = 0;
  let loading: Promise<void> | undefined;
  let following: Promise<void> | undefined;
  /** Words indexed by this process while it reads. */
  let notedMeanwhile: Set<string> | undefined;

  const lastRow = async (): Promise<number> => {
    const { rows } = await sql<{ last: number }>`
      select coalesce(max(row_id), 0)::float8 as last from memory_texts`.execute(db);
    return rows[0]?.last ?? 0;
  };
  const readWindow = async (after: number, to: number): Promise<readonly Word[]> => {
    // ts_stat takes a statement as text; the numbers in it are this program's own.
    const window = `select words from memory_texts where row_id > ${Math.floor(after)} and row_id <= ${Math.floor(to)}`;
    const { rows } = await sql<Word>`select word, ndoc from ts_stat(${window})`.execute(db);
    return rows;
  };

  const gather = async (from: number, to: number): Promise<Map<string, number>> => {
    const documents = new Map<string, number>();
    for (let end = to; end > from; end -= WINDOW_ROWS) {
      for (const { word, ndoc } of await readWindow(Math.max(from, end - WINDOW_ROWS), end)) {
        documents.set(word, (documents.get(word) ?? 0) + ndoc);
      }
    }
    return documents;
  };
  const loadAll = async (): Promise<void> => {
    const to = await lastRow();
    const noted = new Set<string>();
    notedMeanwhile = noted;
    const documents = await gather(Math.max(0, to - VOCABULARY_ROWS_MAX), to);
    const next = createVocabulary();
    for (const [word, count] of documents) next.add(word, count);
    for (const word of noted) next.add(word);
    vocabulary = next;
    coveredTo = to;
  };
  const load = (): Promise<void> => {
    loading ??= loadAll().finally(() => {
      loading = undefined;
      notedMeanwhile = undefined;
    });
    return loading;
  };
  const addNew = async (known: Vocabulary, to: number): Promise<void> => {
    const from = Math.max(0, coveredTo - OVERLAP_ROWS, to - VOCABULARY_ROWS_MAX);
    for (const [word, count] of await gather(from, to)) known.add(word, count);
    coveredTo = Math.max(coveredTo, to);
  };
  const follow = (known: Vocabulary, to: number): Promise<void> => {
    following ??= addNew(known, to).finally(() => {
      following = undefined;
    });
    return following;
  };

  const renew = async (): Promise<void> => {
    const to = await lastRow();
    if (vocabulary !== undefined && to <= coveredTo) return;
    const read = vocabulary === undefined ? load() : follow(vocabulary, to);
    if (to - coveredTo <= AT_ONCE_ROWS_MAX) return read;
    // A failed background read leaves the old list in use; the next unknown word tries again.
    void read.catch(() => undefined);
  };

  return {
    async nearest(words, limit) {
      await renew();
      return words.flatMap((word) => vocabulary?.nearest(word, limit) ?? []);
    },
    note(lexemes) {
      for (const lexeme of lexemes) {
        vocabulary?.add(lexeme);
        notedMeanwhile?.add(lexeme);
      }
    },
    load,
  };
};

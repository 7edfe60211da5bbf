// Full-text search over SQLite's FTS5: BM25 (k1 1.2, b .75, both fixed in FTS5) on Porter stems.
import type { DatabaseSync } from 'node:sqlite';
import { storageError } from '../sqlite/errors.ts';
import { bestRows, bestRowsAmong, type CountedTerms } from './fts5-search.ts';
import { type AllowedJson, type Fts5Statements, prepareFts5 } from './fts5-statements.ts';
import { wordsOf } from './names.ts';
import type { TextIndex } from './port.ts';
import { indexText, type QueryTerms, queryTerms } from './tokens.ts';
import { createWordList, type WordList } from './word-list.ts';

/** Statements that create the index; run once, inside a migration. Contentless: the text itself stays in its table. */
export const textIndexDdl: readonly string[] = [
  `create virtual table memory_fts using fts5(body, extra, content='', contentless_delete=1, tokenize='porter unicode61 remove_diacritics 2')`,
  `create virtual table memory_fts_words using fts5vocab('memory_fts', 'row')`,
];

/**
 * A word in more than this share of the records that may be found separates nothing there, however rare it is in
 * the store as a whole: a speaker's name inside his own conversation. FTS5 knows only the rarity in the whole store.
 */
const COMMON_WORD_SHARE = 0.25;
/** Below this many records shares mean nothing and every word counts. */
const COMMON_WORD_RECORDS_MIN = 50;
/** Up to this many allowed records the filter runs inside SQLite; above it, on the ranked rows. */
const FILTER_IN_SQL_MAX = 20_000;
const CORRECTIONS_PER_WORD = 3;
/** Words in more records than this are all alike common; counting on would only take time. */
const RARITY_RECORDS_MAX = 4_000;

/** As in BM25, kept above zero. */
const inverseFrequency = (records: number, total: number): number =>
  Math.log(1 + (Math.max(0, total - records) + 0.5) / (records + 0.5));

/**
 * Spellings that Porter's stemmer turns into an indexed stem. Stemming a stem gives it back, except after -y:
 * `deploy` becomes `deploi`, while the index holds `deploy` for `deployment`.
 */
const spellings = (stem: string): string[] => (stem.endsWith('y') ? [stem, `${stem}ment`] : [stem]);

/** Likely meant words for those that occur nowhere in the store. */
const corrections = (missing: readonly string[], list: WordList): string[] =>
  missing.flatMap((word) => list.nearest(word, CORRECTIONS_PER_WORD).flatMap(spellings));

type Pool = { readonly size: number; readonly allowed: AllowedJson };

/** The words that tell records of the pool apart, typos corrected, each with its count. All of them if none does. */
const tellingTerms = (sql: Fts5Statements, list: WordList, terms: QueryTerms, pool: Pool): CountedTerms => {
  const cap = Math.max(1, Math.floor(pool.size * COMMON_WORD_SHARE)) + 1;
  const records = sql.countRecords(terms.words, cap, pool.allowed);
  const absent = terms.words.filter((word) => records.get(word) === 0);
  const elsewhere =
    pool.allowed === undefined || absent.length === 0 ? records : sql.countRecords(absent, 1, undefined);
  const added = corrections(
    absent.filter((word) => elsewhere.get(word) === 0),
    list,
  ).filter((word) => !records.has(word));
  for (const [word, count] of added.length > 0 ? sql.countRecords(added, cap, pool.allowed) : [])
    records.set(word, count);
  const words = [...terms.words, ...added];
  if (pool.size < COMMON_WORD_RECORDS_MIN) return { ...terms, words, records };
  const rare = words.filter((word) => (records.get(word) ?? 0) < cap);
  const found = rare.some((word) => (records.get(word) ?? 0) > 0);
  return { ...terms, words: found ? rare : words, records };
};

/** Damaged pages of the index are met here first, and must not pass for a fault of the program. */
const withReadableErrors = (index: TextIndex, file: string): TextIndex => {
  const guarded =
    <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      try {
        return await call(...args);
      } catch (error) {
        throw storageError(error, file);
      }
    };
  return {
    put: guarded(index.put),
    remove: guarded(index.remove),
    search: guarded(index.search),
    rarity: guarded(index.rarity),
    count: guarded(index.count),
    warm: index.warm,
  };
};

/**
 * The text index over an open database in which `textIndexDdl` has been run. Words that occur nowhere are taken
 * for typos and joined by their nearest neighbours. All the work is synchronous; docs/adr/0003-vector-search.md has its times. `reader`
 * is a second connection for searches, which then see no write before its commit.
 */
export const createFts5Index = (db: DatabaseSync, reader: DatabaseSync = db): TextIndex =>
  withReadableErrors(createIndex(db, reader), db.location() ?? 'in memory');

const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

const createIndex = (db: DatabaseSync, reader: DatabaseSync): TextIndex => {
  const writing = once(() => prepareFts5(db));
  const ready = reader === db ? writing : once(() => prepareFts5(reader));
  const list = createWordList(reader);

  return {
    // The caller's transaction is on the connection that writes, which is the only one of its kind.
    async put(_trx, rowId, text) {
      writing().put(rowId, indexText(text.body), text.extra === undefined ? '' : indexText(text.extra));
      list.note(rowId, text);
    },
    remove: async (_trx, rowId) => writing().remove(rowId),
    async search(question, { limit, allowed }) {
      const asked = queryTerms(question);
      if (asked.words.length === 0 || allowed?.size === 0 || limit <= 0) return [];
      const sql = ready();
      const total = sql.lastRow();
      const inSql = allowed !== undefined && allowed.size <= FILTER_IN_SQL_MAX;
      const pool: Pool = {
        size: inSql ? allowed.size : total,
        allowed: inSql ? JSON.stringify([...allowed]) : undefined,
      };
      const terms = tellingTerms(sql, list, asked, pool);
      return allowed === undefined || inSql
        ? bestRows(sql, terms, limit, pool.allowed)
        : bestRowsAmong(sql, terms, { limit, allowed }, total);
    },
    async rarity(words) {
      const sql = ready();
      const asked = [...new Set(words)].filter((word) => wordsOf(word).length > 0);
      const total = sql.lastRow();
      const records = sql.countRecords(asked, RARITY_RECORDS_MAX, undefined);
      return new Map(asked.map((word) => [word, inverseFrequency(records.get(word) ?? 0, total)]));
    },
    count: async () => Number(reader.prepare('select count(*) as records from memory_fts_docsize').get()?.records ?? 0),
    warm: () => list.load(),
  };
};

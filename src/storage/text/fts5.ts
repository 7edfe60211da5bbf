// Full-text search over SQLite's FTS5: BM25 (k1 1.2, b .75, both fixed in FTS5) on Porter stems.
import type { DatabaseSync } from 'node:sqlite';
import { wordsOf } from './names.ts';
import type { TextHit, TextIndex, TextSearchOptions } from './port.ts';
import { indexText, matchExpression, type QueryTerms, queryTerms, quoted } from './tokens.ts';
import { createWordList, type WordList } from './word-list.ts';

/** Statements that create the index; run once, inside a migration. Contentless: the text itself stays in its table. */
export const textIndexDdl: readonly string[] = [
  `create virtual table memory_fts using fts5(body, extra, content='', contentless_delete=1, tokenize='porter unicode61 remove_diacritics 2')`,
  `create virtual table memory_fts_words using fts5vocab('memory_fts', 'row')`,
];

/** Context and tags describe a record but are not its text: a match there counts this much of one in the body. */
const EXTRA_WEIGHT = 0.6;
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

const IN_ALLOWED = 'and +rowid in (select value from json_each(:allowed))';
const countSql = (filter: string): string =>
  `select t.value as term, (select count(*) from (select 1 from memory_fts where memory_fts match t.value ${filter} limit :cap)) as records from json_each(:terms) t`;
const searchSql = (filter: string): string =>
  `select rowid as row_id, -bm25(memory_fts, 1.0, ${EXTRA_WEIGHT}) as score from memory_fts where memory_fts match :expression ${filter} order by score desc, rowid limit :limit`;

type Statements = ReturnType<typeof prepare>;

const prepare = (db: DatabaseSync) => ({
  put: db.prepare('insert or replace into memory_fts(rowid, body, extra) values (?, ?, ?)'),
  remove: db.prepare('delete from memory_fts where rowid = ?'),
  last: db.prepare('select coalesce(max(id), 0) as last from memory_fts_docsize'),
  count: db.prepare(countSql('')),
  countAllowed: db.prepare(countSql(IN_ALLOWED)),
  search: db.prepare(searchSql('')),
  searchAllowed: db.prepare(searchSql(IN_ALLOWED)),
});

/** As in BM25, kept above zero. */
const inverseFrequency = (records: number, total: number): number =>
  Math.log(1 + (Math.max(0, total - records) + 0.5) / (records + 0.5));

/** How many records hold each word, counted no further than `cap`. */
const countRecords = (
  sql: Statements,
  words: readonly string[],
  cap: number,
  allowed?: string,
): Map<string, number> => {
  const terms = JSON.stringify(words.map((word) => quoted(wordsOf(word))));
  const rows = allowed === undefined ? sql.count.all({ terms, cap }) : sql.countAllowed.all({ terms, cap, allowed });
  return new Map(rows.map((row, index) => [words[index] ?? '', Number(row.records)]));
};

/**
 * Spellings that Porter's stemmer turns into an indexed stem. Stemming a stem gives it back, except after -y:
 * `deploy` becomes `deploi`, while the index holds `deploy` for `deployment`.
 */
const spellings = (stem: string): string[] => (stem.endsWith('y') ? [stem, `${stem}ment`] : [stem]);

const corrected = (words: readonly string[], records: ReadonlyMap<string, number>, list: WordList): string[] => {
  const out = words.flatMap((word) =>
    (records.get(word) ?? 0) > 0 ? [word] : [word, ...list.nearest(word, CORRECTIONS_PER_WORD).flatMap(spellings)],
  );
  return [...new Set(out)];
};

const filteredTop = (sql: Statements, expression: string, options: TextSearchOptions, total: number): TextHit[] => {
  const { limit, allowed } = options;
  if (!allowed) return sql.search.all({ expression, limit }) as TextHit[];
  for (let fetch = Math.ceil((limit * total * 1.5) / allowed.size); ; fetch *= 4) {
    const rows = sql.search.all({ expression, limit: fetch }) as TextHit[];
    const kept = rows.filter((row) => allowed.has(row.row_id));
    if (kept.length >= limit || rows.length < fetch) return kept.slice(0, limit);
  }
};

/**
 * The text index over an open database in which `textIndexDdl` has been run. Words that occur nowhere are taken
 * for typos and joined by their nearest neighbours. Synchronous: a search over 100,000 short texts takes a few ms.
 */
export const createFts5Index = (db: DatabaseSync): TextIndex => {
  let statements: Statements | undefined;
  const ready = (): Statements => {
    statements ??= prepare(db);
    return statements;
  };
  const list = createWordList(db);

  const telling = (terms: QueryTerms, total: number, options: TextSearchOptions, allowed?: string): QueryTerms => {
    const sql = ready();
    const pool = allowed === undefined ? total : (options.allowed?.size ?? total);
    const cap = Math.max(1, Math.floor(pool * COMMON_WORD_SHARE)) + 1;
    const records = countRecords(sql, terms.words, cap, allowed);
    const missing = terms.words.filter((word) => records.get(word) === 0);
    const known = allowed === undefined ? records : new Map([...records, ...countRecords(sql, missing, 1)]);
    const words = corrected(terms.words, known, list);
    if (pool < COMMON_WORD_RECORDS_MIN) return { ...terms, words };
    const rare = words.filter((word) => (records.get(word) ?? 0) < cap);
    const found = rare.some((word) => (records.get(word) ?? 1) > 0);
    return { ...terms, words: found ? rare : words };
  };

  return {
    put(rowId, text) {
      ready().put.run(rowId, indexText(text.body), text.extra === undefined ? '' : indexText(text.extra));
      list.note(rowId, text);
    },
    remove(rowId) {
      ready().remove.run(rowId);
    },
    search(question, options) {
      const asked = queryTerms(question);
      if (asked.words.length === 0 || options.allowed?.size === 0 || options.limit <= 0) return [];
      const sql = ready();
      const total = Number(sql.last.get()?.last ?? 0);
      const inSql = options.allowed !== undefined && options.allowed.size <= FILTER_IN_SQL_MAX;
      const allowed = inSql ? JSON.stringify([...(options.allowed ?? [])]) : undefined;
      const expression = matchExpression(telling(asked, total, options, allowed));
      if (expression === undefined) return [];
      if (allowed === undefined) return filteredTop(sql, expression, options, total);
      return sql.searchAllowed.all({ expression, allowed, limit: options.limit }) as TextHit[];
    },
    rarity(words) {
      const sql = ready();
      const asked = [...new Set(words)].filter((word) => wordsOf(word).length > 0);
      const total = Number(sql.last.get()?.last ?? 0);
      const records = countRecords(sql, asked, RARITY_RECORDS_MAX);
      return new Map(asked.map((word) => [word, inverseFrequency(records.get(word) ?? 0, total)]));
    },
    warm: () => list.load(),
  };
};

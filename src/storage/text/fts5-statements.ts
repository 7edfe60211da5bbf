// The SQL of the full-text index, prepared once for an open database.
import type { DatabaseSync } from 'node:sqlite';
import { wordsOf } from './names.ts';
import type { TextHit } from './port.ts';
import { quoted } from './tokens.ts';

/** Context and tags describe a record but are not its text: a match there counts this much of one in the body. */
const EXTRA_WEIGHT = 0.6;

const IN_ALLOWED = 'and +rowid in (select value from json_each(:allowed))';
const matching = (filter: string): string => `from memory_fts where memory_fts match :expression ${filter}`;
const best = (filter: string): string =>
  `select rowid as row_id, -bm25(memory_fts, 1.0, ${EXTRA_WEIGHT}) as score ${matching(filter)} order by score desc, rowid limit :limit`;
const newest = (filter: string): string =>
  `select rowid as row_id ${matching(filter)} order by rowid desc limit :limit`;
const count = (filter: string): string =>
  `select (select count(*) from (select 1 from memory_fts where memory_fts match t.value ${filter} limit :cap)) as records from json_each(:terms) t`;

/** JSON array of row ids; undefined: no filter. */
export type AllowedJson = string | undefined;

export type Fts5Statements = {
  put(rowId: number, body: string, extra: string): void;
  remove(rowId: number): void;
  /** The highest row id ever indexed: near enough to the number of records, and found at once. */
  lastRow(): number;
  best(expression: string, limit: number, allowed: AllowedJson): TextHit[];
  newest(expression: string, limit: number, allowed: AllowedJson): number[];
  /** In how many records each word (or name, its parts joined by spaces) occurs, counted no further than `cap`. */
  countRecords(words: readonly string[], cap: number, allowed: AllowedJson): Map<string, number>;
};

/** Prepares all statements; the tables must exist. */
export const prepareFts5 = (db: DatabaseSync): Fts5Statements => {
  const put = db.prepare('insert or replace into memory_fts(rowid, body, extra) values (?, ?, ?)');
  const remove = db.prepare('delete from memory_fts where rowid = ?');
  const lastRow = db.prepare('select coalesce(max(id), 0) as last from memory_fts_docsize');
  const [bestOfAll, bestAllowed] = [db.prepare(best('')), db.prepare(best(IN_ALLOWED))];
  const [newestOfAll, newestAllowed] = [db.prepare(newest('')), db.prepare(newest(IN_ALLOWED))];
  const [countAll, countAllowed] = [db.prepare(count('')), db.prepare(count(IN_ALLOWED))];
  const filtered = (allowed: AllowedJson): { allowed: string } | Record<string, never> =>
    allowed === undefined ? {} : { allowed };

  return {
    put: (rowId, body, extra) => void put.run(rowId, body, extra),
    remove: (rowId) => void remove.run(rowId),
    lastRow: () => Number(lastRow.get()?.last ?? 0),
    best: (expression, limit, allowed) =>
      (allowed === undefined ? bestOfAll : bestAllowed).all({ expression, limit, ...filtered(allowed) }) as TextHit[],
    newest: (expression, limit, allowed) =>
      (allowed === undefined ? newestOfAll : newestAllowed)
        .all({ expression, limit, ...filtered(allowed) })
        .map((row) => Number(row.row_id)),
    countRecords(words, cap, allowed) {
      const terms = JSON.stringify(words.map((word) => quoted(wordsOf(word))));
      const rows = (allowed === undefined ? countAll : countAllowed).all({ terms, cap, ...filtered(allowed) });
      return new Map(rows.map((row, index) => [words[index] ?? '', Number(row.records)]));
    },
  };
};

// The SQL of the full-text index, prepared once for an open database.
import type { DatabaseSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
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

/** Counting a common word takes a millisecond; its count is used again until the store has grown by a tenth. */
const COUNTS_REMEMBERED = 5_000;
const COUNT_WORTH_REMEMBERING = 500;
const GROWTH_MAX = 1.1;

/** A count that reached its cap says no more than that there are at least so many. */
type Counted = { readonly records: number; readonly cap: number; readonly last_row: number };

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

  const lastRowId = () => Number(lastRow.get()?.last ?? 0);
  const counts = new LRUCache<string, Counted>({ max: COUNTS_REMEMBERED });

  return {
    put: (rowId, body, extra) => void put.run(rowId, body, extra),
    remove: (rowId) => void remove.run(rowId),
    lastRow: lastRowId,
    best: (expression, limit, allowed) =>
      (allowed === undefined ? bestOfAll : bestAllowed).all({ expression, limit, ...filtered(allowed) }) as TextHit[],
    newest: (expression, limit, allowed) =>
      (allowed === undefined ? newestOfAll : newestAllowed)
        .all({ expression, limit, ...filtered(allowed) })
        .map((row) => Number(row.row_id)),
    countRecords(words, cap, allowed) {
      const last = allowed === undefined ? lastRowId() : 0;
      const known = new Map<string, number>();
      if (allowed === undefined) {
        for (const word of words) {
          const counted = counts.get(word);
          if (!counted || last > counted.last_row * GROWTH_MAX) continue;
          if (counted.records < counted.cap || cap <= counted.cap) known.set(word, Math.min(cap, counted.records));
        }
      }
      const unknown = words.filter((word) => !known.has(word));
      const terms = JSON.stringify(unknown.map((word) => quoted(wordsOf(word))));
      const rows =
        unknown.length === 0
          ? []
          : (allowed === undefined ? countAll : countAllowed).all({ terms, cap, ...filtered(allowed) });
      const found = new Map(rows.map((row, index) => [unknown[index] ?? '', Number(row.records)]));
      for (const [word, records] of allowed === undefined ? found : []) {
        if (records >= COUNT_WORTH_REMEMBERING) counts.set(word, { records, cap, last_row: last });
      }
      return new Map(words.map((word) => [word, known.get(word) ?? found.get(word) ?? 0]));
    },
  };
};

// What is remembered of the store's words: how many records there are, how long they are, how common each word is.
// Small stores are counted; of large ones a sample of pages tells, because counting a common word reads all its records.
import { type Kysely, sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Totals } from './bm25.ts';
import { countRecords } from './statements.ts';

/** Up to this many records are counted: about 5 ms. */
const COUNTED_RECORDS_MAX = 20_000;
const SAMPLED_RECORDS = 4_000;
/** A word in this share of the sample or more is common; how common, the sample says well enough. */
const COMMON_SHARE_MIN = 0.03;
/** A word is counted no further than this: in a store that is counted itself, such a word weighs nothing anyway. */
const COUNT_MAX = 10_000;
const COUNTS_REMEMBERED = 5_000;
/** Smaller counts cost less than a millisecond, and have to be right at once. */
const COUNT_WORTH_REMEMBERING = 500;
/** What is remembered holds until the store has grown by this factor ... */
const GROWTH_MAX = 1.1;
/** ... and for stores smaller than this, until anything changes. */
const SMALL_RECORDS_MAX = 1_000;

export type Statistics = {
  totals(): Promise<Totals>;
  /** In how many records each tsquery (of one lexeme, or a phrase) is found; of a very common one an estimate. */
  records(queries: readonly string[]): Promise<Map<string, number>>;
  /** Tells of a record that this process has written or removed. */
  changed(): void;
  lastRow(): number;
};

type Known = Totals & {
  readonly common: ReadonlyMap<string, number>;
  readonly last_row: number;
  readonly changes: number;
};

const lastRowOf = async (db: Kysely<unknown>): Promise<number> => (await countRecords(db, [], 1)).last_row;

const counted = async (db: Kysely<unknown>): Promise<Totals> => {
  const { rows } = await sql<Totals>`select count(*)::int as records,
    coalesce(avg(body_length + extra_length), 1)::float8 as mean_length from memory_texts`.execute(db);
  return rows[0] ?? { records: 0, mean_length: 1 };
};

/** Totals and common lexemes by a repeatable sample of pages of about SAMPLED_RECORDS records. */
const sampled = async (db: Kysely<unknown>, lastRow: number): Promise<Totals & Pick<Known, 'common'>> => {
  const percent = Math.min(100, (100 * SAMPLED_RECORDS) / lastRow);
  const sample = `memory_texts tablesample system (${percent.toFixed(6)}) repeatable (1)`;
  const {
    rows: [size],
  } = await sql<Totals>`select count(*)::int as records,
    coalesce(avg(body_length + extra_length), 1)::float8 as mean_length from ${sql.raw(sample)}`.execute(db);
  const seen = size?.records ?? 0;
  if (seen < SAMPLED_RECORDS / 4) return { ...(await counted(db)), common: new Map() };
  const records = (seen * 100) / percent;
  const { rows } = await sql<{ word: string; share: number }>`
    select word, ndoc::float8 / ${seen}::float8 as share from ts_stat(${`select words from ${sample}`})
    where ndoc >= ${Math.ceil(COMMON_SHARE_MIN * seen)}`.execute(db);
  const common = new Map(rows.map(({ word, share }) => [`'${word}'`, Math.round(share * records)]));
  return { records: Math.round(records), mean_length: size?.mean_length ?? 1, common };
};

type Counted = { readonly records: number; readonly last_row: number; readonly changes: number };

export const createStatistics = (db: Kysely<unknown>): Statistics => {
  let known: Known | undefined;
  let renewing: Promise<Known> | undefined;
  let changes = 0;
  let last = 0;
  const counts = new LRUCache<string, Counted>({ max: COUNTS_REMEMBERED });

  const renew = async (): Promise<Known> => {
    const before = changes;
    last = await lastRowOf(db);
    const totals = last > COUNTED_RECORDS_MAX ? await sampled(db, last) : { ...(await counted(db)), common: new Map() };
    const next = { ...totals, mean_length: Math.max(1, totals.mean_length), last_row: last, changes: before };
    known = next;
    return next;
  };
  const renewed = (): Promise<Known> => {
    renewing ??= renew().finally(() => {
      renewing = undefined;
    });
    return renewing;
  };
  const outgrown = (then: { last_row: number; changes: number }, size: number): boolean =>
    last > then.last_row * GROWTH_MAX || changes - then.changes > size * (GROWTH_MAX - 1);
  const current = async (): Promise<Known> => {
    if (known === undefined) return renewed();
    if (known.records < SMALL_RECORDS_MAX)
      return known.changes === changes && known.last_row === last ? known : renewed();
    if (!outgrown(known, known.records)) return known;
    if (known.common.size === 0) return renewed();
    // A sample takes a while; the old one serves meanwhile, and after a failure until the next search.
    void renewed().catch(() => undefined);
    return known;
  };

  return {
    totals: current,
    async records(queries) {
      const { common, records: size } = await current();
      const found = new Map<string, number>();
      for (const query of queries) {
        const remembered = counts.get(query);
        const records =
          common.get(query) ?? (remembered && !outgrown(remembered, size) ? remembered.records : undefined);
        if (records !== undefined) found.set(query, records);
      }
      const unknown = [...new Set(queries)].filter((query) => !found.has(query));
      if (unknown.length === 0) return found;
      const before = changes;
      const answer = await countRecords(db, unknown, COUNT_MAX);
      last = answer.last_row;
      unknown.forEach((query, index) => {
        const records = answer.records[index] ?? 0;
        found.set(query, records);
        if (records >= COUNT_WORTH_REMEMBERING) counts.set(query, { records, last_row: last, changes: before });
      });
      return found;
    },
    changed: () => {
      changes++;
    },
    lastRow: () => last,
  };
};

// Full-text search over PostgreSQL's own tsvector and GIN, with nothing installed beside the server: BM25 on Porter
// stems, as the embedded store has it from FTS5.
import { type Kysely, sql } from 'kysely';
import { wordsOf } from '../names.ts';
import type { TextIndex } from '../port.ts';
import { queryTerms } from '../tokens.ts';
import { lexemeOf, phraseQuery, textVector } from './lexemes.ts';
import { bestRows, bestRowsAmong } from './search.ts';
import { countInRows } from './statements.ts';
import { createStatistics } from './statistics.ts';
import { type Pool, tellingTerms } from './terms.ts';
import { createWordList } from './word-list.ts';

export { textTablesDdl } from './ddl.ts';

/** Up to this many allowed records the filter runs on the server; above it, on the ranked rows. */
const FILTER_ON_SERVER_MAX = 20_000;
/** How common a word is among the allowed records is judged by at most so many of them. */
const POOL_SAMPLE_MAX = 1_000;
/** Words in more records than this are all alike common. */
const RARITY_RECORDS_MAX = 4_000;

/** As in BM25, kept above zero. */
const inverseFrequency = (records: number, total: number): number =>
  Math.log(1 + (Math.max(0, total - records) + 0.5) / (records + 0.5));

const poolOf = (db: Kysely<unknown>, allowed: readonly number[]): Pool => {
  const step = Math.max(1, Math.ceil(allowed.length / POOL_SAMPLE_MAX));
  const sample = step === 1 ? allowed : allowed.filter((_, index) => index % step === 0);
  return {
    size: allowed.length,
    async count(queries) {
      const found = await countInRows(db, queries, sample);
      const scale = allowed.length / sample.length;
      return new Map(queries.map((query, index) => [query, Math.round((found[index] ?? 0) * scale)]));
    },
  };
};

export type PostgresTextDeps = {
  /** Reads; of a pool. Writes come with the caller's transaction. */
  readonly db: Kysely<unknown>;
};

/**
 * The text index over a database in which `textTablesDdl` has been run. Any number of processes may share it; each
 * remembers for itself how common words are, and which words there are to correct typos with.
 */
export const createPostgresTextIndex = ({ db }: PostgresTextDeps): TextIndex => {
  const statistics = createStatistics(db);
  const list = createWordList(db);
  const deps = { db, statistics, list };

  return {
    async put(trx, rowId, text) {
      const { words, body_length, extra_length, lexemes } = textVector(text);
      await sql`insert into memory_texts (row_id, words, body_length, extra_length)
        values (${rowId}, ${words}::tsvector, ${body_length}, ${extra_length})
        on conflict (row_id) do update set words = excluded.words,
          body_length = excluded.body_length, extra_length = excluded.extra_length`.execute(trx);
      list.note(lexemes);
      statistics.changed();
    },
    async remove(trx, rowId) {
      await sql`delete from memory_texts where row_id = ${rowId}`.execute(trx);
      statistics.changed();
    },
    async search(question, { limit, allowed }) {
      const asked = queryTerms(question);
      if (asked.words.length === 0 || allowed?.size === 0 || limit <= 0) return [];
      const onServer = allowed !== undefined && allowed.size <= FILTER_ON_SERVER_MAX ? [...allowed] : undefined;
      const pool =
        onServer === undefined ? { size: (await statistics.totals()).records, count: undefined } : poolOf(db, onServer);
      const terms = await tellingTerms(deps, asked, pool);
      return allowed === undefined || onServer !== undefined
        ? bestRows(deps, terms, limit, onServer)
        : bestRowsAmong(deps, terms, limit, allowed);
    },
    async rarity(words) {
      const asked = [...new Set(words)].flatMap((word) => {
        const lexemes = wordsOf(word)
          .map(lexemeOf)
          .filter((lexeme) => lexeme !== '');
        return lexemes.length > 0 ? [{ word, query: phraseQuery(lexemes) }] : [];
      });
      const { records: total } = await statistics.totals();
      const records = await statistics.records(asked.map(({ query }) => query));
      return new Map(
        asked.map(({ word, query }) => [
          word,
          inverseFrequency(Math.min(RARITY_RECORDS_MAX, records.get(query) ?? 0), total),
        ]),
      );
    },
    async count() {
      const { rows } = await sql<{ records: number }>`select count(*)::float8 as records from memory_texts`.execute(db);
      return rows[0]?.records ?? 0;
    },
    warm: () => list.load(),
  };
};

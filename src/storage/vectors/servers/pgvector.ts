// The vector index that PostgreSQL holds with the pgvector extension: one table for each store and embedding model.
import { expectDimensions, lastOfEach, type VectorModel } from './model-name.ts';
import {
  createPgvectorConnections,
  type PgvectorPoolSettings,
  type Query,
  sqlState,
  type TransactionOptions,
  UNDEFINED_TABLE,
} from './pgvector-connection.ts';
import { columnsOf, insertStatement, rowsOf, vectorText } from './pgvector-rows.ts';
import { extensionVersion, makeTable, tableOf } from './pgvector-table.ts';
import { conditionOf } from './pgvector-where.ts';
import type { IndexedRevision, NearChunk, VectorServer } from './port.ts';

export interface PgvectorSettings extends PgvectorPoolSettings, VectorModel {
  /** Has to exist; else the first of the connection's search path. */
  readonly schema?: string | undefined;
}

/** Chunks written with one statement: about a megabyte of text for 384 dimensions. */
const CHUNKS_PER_STATEMENT = 250;
/**
 * Candidates a search keeps: some for each chunk wanted, as far as pgvector lets it. Where conditions drop most of them,
 * few are left to choose from, so there are more to begin with. Measured: see docs/scale.md.
 */
const EF_SEARCH_PER_CHUNK = 4;
const EF_SEARCH_MIN = 400;
const EF_SEARCH_FILTERED_MIN = 800;
const EF_SEARCH_MAX = 1_000;
/** A search has another way, by words, and should not wait as long as a write may. */
const SEARCH_TIMEOUT_MS = 5_000;
/** From this version on a search with a filter goes on until it has enough. */
const ITERATIVE_SCAN_SINCE = [0, 8] as const;

const isAtLeast = (version: string, [major, minor]: readonly [number, number]): boolean => {
  const [has_major = 0, has_minor = 0] = version.split('.').map(Number);
  return has_major > major || (has_major === major && has_minor >= minor);
};

/** Transactions on the table, which may not be there: another hub, or an operator, may drop it at any time. */
const createTable = (settings: PgvectorSettings) => {
  const table = tableOf(settings, settings.schema);
  const connections = createPgvectorConnections(settings);
  const make = () => connections.transaction({}, (query) => makeTable(query, table, settings));
  return {
    ...table,
    connections,
    make,
    /** What `work` finds, or `empty` where there is no table. */
    async reading<T>(empty: T, options: TransactionOptions, work: (query: Query) => Promise<T>): Promise<T> {
      try {
        return await connections.transaction(options, work);
      } catch (error) {
        if (sqlState(error) === UNDEFINED_TABLE) return empty;
        throw error;
      }
    },
    /** Runs `work`, on a new table where there was none. */
    async writing(work: (query: Query) => Promise<void>): Promise<void> {
      try {
        await connections.transaction({}, work);
      } catch (error) {
        if (sqlState(error) !== UNDEFINED_TABLE) throw error;
        await make();
        await connections.transaction({}, work);
      }
    },
  };
};

type Table = ReturnType<typeof createTable>;

const createWrites = (table: Table, model: VectorModel): Pick<VectorServer, 'put' | 'remove' | 'clear'> => {
  const insert = insertStatement(table);
  const shorten = `delete from ${table.name} as old using unnest($1::bigint[], $2::integer[]) as given (row_id, chunks)
    where old.row_id = given.row_id and old.chunk >= given.chunks`;
  const run = (text: string, values: readonly unknown[] = []) =>
    table.reading(undefined, {}, async (query) => void (await query(text, values)));
  return {
    async put(given) {
      // In one order everywhere, so that two hubs that write the same memories wait instead of blocking each other.
      const memories = lastOfEach(given, model).sort((a, b) => a.row_id - b.row_id);
      if (memories.length === 0) return;
      const rows = rowsOf(memories);
      const counts = [memories.map(({ row_id }) => row_id), memories.map(({ vectors }) => vectors.length)];
      await table.writing(async (query) => {
        for (let first = 0; first < rows.length; first += CHUNKS_PER_STATEMENT)
          await query(insert, columnsOf(rows.slice(first, first + CHUNKS_PER_STATEMENT)));
        await query(shorten, counts);
      });
    },
    remove: (row_ids) => run(`delete from ${table.name} where row_id = any($1::bigint[])`, [row_ids]),
    clear: () => run(`drop table if exists ${table.name}`),
  };
};

const createNearest = (table: Table, model: PgvectorSettings): VectorServer['nearest'] => {
  /** Of the extension; read with the first search that finds it. */
  let version: string | undefined;
  return async (vector, { limit, filter, allowed, signal }) => {
    expectDimensions(vector, model);
    if (limit < 1) return [];
    version ??= await table.connections.transaction({ signal }, extensionVersion);
    if (version === undefined) return [];
    const least = filter || allowed ? EF_SEARCH_FILTERED_MIN : EF_SEARCH_MIN;
    const settings = [
      `set local statement_timeout = ${Math.min(SEARCH_TIMEOUT_MS, model.timeout_ms ?? SEARCH_TIMEOUT_MS)}`,
      `set local hnsw.ef_search = ${Math.min(EF_SEARCH_MAX, Math.max(least, EF_SEARCH_PER_CHUNK * limit))}`,
      ...(isAtLeast(version, ITERATIVE_SCAN_SINCE) ? ['set local hnsw.iterative_scan = relaxed_order'] : []),
    ];
    const condition = conditionOf({ filter, allowed }, 3);
    const text = `select row_id, chunk, embedding <#> $1::${table.type} as distance from ${table.name}
      where ${condition.text} order by distance limit $2`;
    const values = [vectorText(vector), limit, ...condition.values];
    const rows = await table.reading([], { settings, signal }, (query) =>
      query<{ row_id: string; chunk: number; distance: number }>(text, values),
    );
    // The operator is the negative inner product. In a relaxed order neighbours may stand the wrong way round.
    return rows
      .map((row): NearChunk => ({ row_id: Number(row.row_id), chunk: row.chunk, score: -row.distance }))
      .sort((a, b) => b.score - a.score);
  };
};

/** Makes the adapter; it connects with the first call. Throws `config_invalid` on settings that cannot work. */
export const createPgvectorServer = (settings: PgvectorSettings): VectorServer => {
  const table = createTable(settings);
  const { connections } = table;
  return {
    kind: 'pgvector',
    place: connections.place,
    ...createWrites(table, settings),
    nearest: createNearest(table, settings),
    async revisions(after_row_id, limit) {
      const text = `select row_id, revision, chunks from ${table.name}
        where row_id > $1 and chunk = 0 order by row_id limit $2`;
      const rows = await table.reading([], {}, (query) =>
        query<{ row_id: string; revision: string; chunks: number }>(text, [after_row_id, limit]),
      );
      return rows.map((row): IndexedRevision => ({ ...row, row_id: Number(row.row_id) }));
    },
    async count() {
      const text = `select count(*) as count from ${table.name}`;
      const rows = await table.reading([], {}, (query) => query<{ count: string }>(text));
      return Number(rows[0]?.count ?? 0);
    },
    async check() {
      if ((await connections.transaction({}, extensionVersion)) === undefined) await table.make();
      const started = performance.now();
      const version = await connections.transaction({}, extensionVersion);
      return { version: version ?? 'unknown', latency_ms: performance.now() - started };
    },
    [Symbol.asyncDispose]: () => connections[Symbol.asyncDispose](),
  };
};

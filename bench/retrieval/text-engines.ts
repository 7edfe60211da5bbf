// The full-text indexes that searches are measured on: SQLite's in memory, PostgreSQL's on a server started for it.
import { DatabaseSync } from 'node:sqlite';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { freshDatabase, startPostgres } from '../../scripts/engines/index.ts';
import { nodeSqliteDialect } from '../../src/storage/sqlite/dialect.ts';
import { createFts5Index, textIndexDdl } from '../../src/storage/text/fts5.ts';
import type { TextIndex, TextTransaction } from '../../src/storage/text/port.ts';
import { createPostgresTextIndex, textTablesDdl } from '../../src/storage/text/postgres/index.ts';

export const ENGINES = ['sqlite', 'postgres'] as const;
export type EngineName = (typeof ENGINES)[number];

export type TextEngine = {
  readonly index: TextIndex;
  transaction<T>(work: (trx: TextTransaction) => Promise<T>): Promise<T>;
  /** What the index takes on disk. */
  bytes(): Promise<number>;
};

/** An empty index of SQLite in memory. */
export const openTextEngine = (file = ':memory:'): TextEngine & { close(): Promise<void> } => {
  const raw = new DatabaseSync(file);
  for (const statement of textIndexDdl) raw.exec(statement);
  const db = new Kysely<unknown>({ dialect: nodeSqliteDialect(raw, file) });
  const read = (pragma: string): number => Number(Object.values(raw.prepare(`pragma ${pragma}`).get() ?? {})[0]);
  return {
    index: createFts5Index(raw),
    transaction: (work) => db.transaction().execute(work),
    bytes: async () => read('page_count') * read('page_size'),
    async close() {
      await db.destroy();
      if (raw.isOpen) raw.close();
    },
  };
};

/** An empty index in a database of a running server. */
export const openPostgresEngine = async (
  url: string,
): Promise<TextEngine & { readonly db: Kysely<unknown>; close(): Promise<void> }> => {
  const pool = new pg.Pool({ connectionString: url, max: 8 });
  // A connection may outlive the pool by a moment, and then learns that the server stops.
  pool.on('error', () => undefined);
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  for (const statement of textTablesDdl) await sql.raw(statement).execute(db);
  return {
    db,
    index: createPostgresTextIndex({ db }),
    transaction: (work) => db.transaction().execute(work),
    async bytes() {
      const { rows } = await sql<{
        bytes: number;
      }>`select pg_total_relation_size('memory_texts')::float8 as bytes`.execute(db);
      return rows[0]?.bytes ?? 0;
    },
    close: () => db.destroy(),
  };
};

/** Runs work with an empty index of the engine named, and ends what it started. */
export const withTextEngine = async (name: EngineName, work: (engine: TextEngine) => Promise<void>): Promise<void> => {
  if (name === 'sqlite') {
    const engine = openTextEngine();
    await work(engine).finally(() => engine.close());
    return;
  }
  const server = await startPostgres();
  try {
    await using database = await freshDatabase(server.url);
    const engine = await openPostgresEngine(database.url);
    await work(engine).finally(() => engine.close());
  } finally {
    await server.stop();
  }
};

// The embedded engine: one SQLite file with a connection that writes and one that reads.
import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import { backupStore } from '../backup.ts';
import type { Engine } from '../engine.ts';
import type { StorageTables } from '../tables.ts';
import { createFts5Index } from '../text/fts5.ts';
import { nodeSqliteDialect } from './dialect.ts';
import { eraseTraces } from './erase-traces.ts';
import { storageError } from './errors.ts';
import { sqliteFragments } from './fragments.ts';
import { migrateSqlite, refuseNewer } from './migrate.ts';
import { openReader, openSqlite } from './open.ts';
import { readSnapshot } from './snapshot.ts';

export interface SqliteEngine extends Engine {
  readonly kind: 'sqlite';
  readonly file: string;
  /** The connection that writes, for what is this engine's own (backup, tests of the file). */
  readonly raw: DatabaseSync;
}

/** Opens, creates or migrates the file. Errors: see errors.ts and migrate.ts. */
export async function openSqliteEngine(options: {
  readonly data_dir: string;
  readonly synchronous: 'FULL' | 'NORMAL';
}): Promise<SqliteEngine> {
  const { raw, file } = openSqlite({ ...options, accept: refuseNewer });
  const writer = new Kysely<StorageTables>({ dialect: nodeSqliteDialect(raw, file) });
  try {
    await migrateSqlite(writer as Kysely<unknown>, raw, file);
    return engineOn(writer, raw, openReader(file), file);
  } catch (error) {
    await writer.destroy();
    raw.close();
    throw storageError(error, file);
  }
}

function engineOn(writer: Kysely<StorageTables>, raw: DatabaseSync, reader: DatabaseSync, file: string): SqliteEngine {
  const db = new Kysely<StorageTables>({ dialect: nodeSqliteDialect(reader, file) });
  return {
    kind: 'sqlite',
    place: file,
    file,
    store_id: String(raw.prepare('select store_id from store_identity').get()?.store_id),
    raw,
    db,
    snapshot: (read) => readSnapshot(file, read),
    writing: {
      transact: (work) => writer.transaction().execute(work),
      lostRace: () => false,
      deadlocked: () => false,
      wasAborted: () => false,
      savepoints: 'always',
      readable: (error) => storageError(error, file),
    },
    dialect: sqliteFragments,
    text: createFts5Index(raw, reader),
    version: async () => String(raw.prepare('select sqlite_version() as version').get()?.version),
    size: async () => statSync(file).size,
    optimise: async () => raw.exec('pragma optimize'),
    eraseTraces: () => eraseTraces(file),
    verify: () => verify(db),
    backup: (path) => backupStore(raw, path),
    async close() {
      await db.destroy();
      await writer.destroy();
      if (reader.isOpen) reader.close();
      if (raw.isOpen) raw.close();
    },
  };
}

async function verify(db: Kysely<StorageTables>): Promise<string> {
  const result = await sql<{ quick_check: string }>`pragma quick_check(1)`.execute(db);
  const said = result.rows[0]?.quick_check ?? 'nothing';
  if (said !== 'ok') throw new Error(said);
  return 'every page of the store reads well';
}

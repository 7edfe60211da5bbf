// The open store: typed queries, one write door with group commit, and the change recorder.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely, type Transaction } from 'kysely';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { createChangeRecorder, type RecordChange } from './changes.ts';
import { createHybridClock } from './hybrid-clock.ts';
import { migrate, refuseNewer } from './migrate.ts';
import { nodeSqliteDialect } from './sqlite/dialect.ts';
import { storageError } from './sqlite/errors.ts';
import { openReader, openSqlite } from './sqlite/open.ts';
import type { StorageTables } from './tables.ts';
import { textIndexDdl } from './text/fts5.ts';
import { createWriteQueue, type WriteQueue } from './write-queue.ts';

export interface Database<Tables = unknown> {
  /** Reads. Writes go through `write`. */
  readonly db: Kysely<Tables & StorageTables>;
  readonly write: WriteQueue<Tables & StorageTables>;
  readonly recordChange: RecordChange;
  readonly machine_id: string;
  readonly clock: Clock;
  /** The engine itself, for adapters of this dialect (full text, backup) only. */
  readonly raw: DatabaseSync;
  /** The connection `db` reads through: it never sees a write before its commit. */
  readonly reader: DatabaseSync;
  readonly file: string;
  /** The same store seen with a domain's tables. */
  withTables<More>(): Database<More>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly data_dir: string;
  readonly machine_id: string;
  readonly synchronous?: 'FULL' | 'NORMAL';
  readonly clock?: Clock;
}

/** Opens (and where needed creates or migrates) the embedded store. Errors: see sqlite/errors.ts and migrate.ts. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { data_dir, synchronous = 'FULL' } = options;
  const { raw, file } = openSqlite({ data_dir, synchronous, accept: refuseNewer });
  const writer = new Kysely<StorageTables>({ dialect: nodeSqliteDialect(raw, file) });
  try {
    await migrate(writer as Kysely<unknown>, raw, file, { ddl: textIndexDdl });
    return assemble(writer, raw, openReader(file), file, options);
  } catch (error) {
    await writer.destroy();
    raw.close();
    throw storageError(error, file);
  }
}

function assemble(
  writer: Kysely<StorageTables>,
  raw: DatabaseSync,
  reader: DatabaseSync,
  file: string,
  options: DatabaseOptions,
): Database {
  const db = new Kysely<StorageTables>({ dialect: nodeSqliteDialect(reader, file) });
  const clock = options.clock ?? systemClock;
  const database: Database = {
    db,
    write: createWriteQueue(writer, (error) => storageError(error, file)) as WriteQueue<StorageTables>,
    recordChange: createChangeRecorder(options.machine_id, createHybridClock(clock, options.machine_id)),
    machine_id: options.machine_id,
    clock,
    raw,
    reader,
    file,
    withTables: <More>() => database as unknown as Database<More>,
    async close() {
      await db.destroy();
      await writer.destroy();
      if (reader.isOpen) reader.close();
      if (raw.isOpen) raw.close();
    },
  };
  return database;
}

/** A transaction of a store with these tables. */
export type Trx<Tables> = Transaction<Tables & StorageTables>;

/** A store in a fresh temporary directory, for tests. The caller closes it. */
export async function openTemporaryDatabase(options: Partial<DatabaseOptions> = {}): Promise<Database> {
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-test-'));
  return openDatabase({ data_dir, machine_id: 'test-machine', synchronous: 'NORMAL', ...options });
}

// The open store: typed queries, one write door with group commit, and the change recorder.
import type { Kysely, Transaction } from 'kysely';
import { type Clock, systemClock } from '../kernel/clock.ts';
import { createChangeRecorder, type RecordChange } from './changes.ts';
import type { SqlDialect } from './dialect.ts';
import type { Engine } from './engine.ts';
import { createHybridClock } from './hybrid-clock.ts';
import type { PostgresSettings } from './postgres/engine.ts';
import { openSqliteEngine } from './sqlite/engine.ts';
import type { StorageTables } from './tables.ts';
import type { TextIndex } from './text/port.ts';
import { createWriteQueue, type WriteQueue } from './write-queue.ts';

export interface Database<Tables = unknown> {
  /** Reads. Writes go through `write`. */
  readonly db: Kysely<Tables & StorageTables>;
  readonly write: WriteQueue<Tables & StorageTables>;
  readonly recordChange: RecordChange;
  /** The full-text index; it takes part in the transactions of `write`. */
  readonly text: TextIndex;
  readonly dialect: SqlDialect;
  readonly engine: Engine;
  readonly machine_id: string;
  /** Tells this store from others that share a vector index or Redis with it. */
  readonly store_id: string;
  readonly clock: Clock;
  /** The same store seen with a domain's tables. */
  withTables<More>(): Database<More>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly data_dir: string;
  readonly machine_id: string;
  readonly synchronous?: 'FULL' | 'NORMAL';
  /** PostgreSQL holds the store where this is given; else it is a file in the data directory. */
  readonly postgres?: PostgresSettings | undefined;
  readonly clock?: Clock;
}

/** Opens (and where needed creates or migrates) the store. Errors: those of the engine, `storage_*` and `unavailable`. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { data_dir, synchronous = 'FULL', postgres } = options;
  if (!postgres) return databaseOn(await openSqliteEngine({ data_dir, synchronous }), options);
  // The driver is loaded where it is used: a stdio server on a file starts in less time than that takes.
  const { openPostgresEngine } = await import('./postgres/engine.ts');
  return databaseOn(await openPostgresEngine(postgres), options);
}

/** A store on an open engine, which it closes with itself. */
export function databaseOn(engine: Engine, options: Pick<DatabaseOptions, 'machine_id' | 'clock'>): Database {
  const clock = options.clock ?? engine.clock ?? systemClock;
  const database: Database = {
    db: engine.db,
    write: createWriteQueue(engine.writing),
    recordChange: createChangeRecorder(options.machine_id, createHybridClock(clock, options.machine_id)),
    text: engine.text,
    dialect: engine.dialect,
    engine,
    machine_id: options.machine_id,
    store_id: engine.store_id,
    clock,
    withTables: <More>() => database as unknown as Database<More>,
    close: () => engine.close(),
  };
  return database;
}

/** A transaction of a store with these tables. */
export type Trx<Tables> = Transaction<Tables & StorageTables>;

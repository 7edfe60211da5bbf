// The SQL engine under the store, as the rest of storage sees it: connections, transactions and what to say about itself.
import type { Kysely, Transaction } from 'kysely';
import type { Clock } from '../kernel/clock.ts';
import type { SqlDialect } from './dialect.ts';
import type { StorageTables } from './tables.ts';
import type { TextIndex } from './text/port.ts';

/** Thrown inside a write that finds its reading outdated: the write queue runs the work again on what is there now. */
export class StaleRead extends Error {
  constructor() {
    super('A row changed between being read and being written.');
  }
}

/** How writes fail on an engine, and what mends them. */
export interface WritePolicy {
  /**
   * Runs work in one transaction and resolves after its commit. May run it several times where nothing of an earlier
   * time was kept: work must have no effect but through its transaction.
   */
  transact<T>(work: (trx: Transaction<StorageTables>) => Promise<T>): Promise<T>;
  /** True for a failure of one job that running it again mends: it lost a race against another process. */
  lostRace(error: unknown): boolean;
  /** True for a failure that lasts while the transaction keeps its locks: undoing one job lets go of too little. */
  deadlocked(error: unknown): boolean;
  /** True where nothing was committed because work had passed over a failure of the engine. */
  wasAborted(error: unknown): boolean;
  /** Savepoints cost two round trips a job where the engine is another program: set only after a failure there. */
  readonly savepoints: 'always' | 'after_failure';
  /** Turns what the engine throws into what a caller can read. */
  readable(error: unknown): unknown;
}

export interface Engine {
  readonly kind: 'sqlite' | 'postgres';
  /** Where the store is, for people; never a password. */
  readonly place: string;
  /** The store's file, where it is one. */
  readonly file: string | undefined;
  /** Random, made with the store; a store that is moved, or restored from a backup, keeps it. */
  readonly store_id: string;
  /** Reads. They see only what is committed. */
  readonly db: Kysely<StorageTables>;
  /**
   * Runs reads that all see the store of one moment, while others write. Nothing is asked again by itself: rejects with
   * `unavailable` where the connection is lost on the way.
   */
  snapshot<T>(read: (db: Kysely<StorageTables>) => Promise<T>): Promise<T>;
  readonly writing: WritePolicy;
  readonly dialect: SqlDialect;
  readonly text: TextIndex;
  /** The engine's own time, where processes on several machines share it: their claims have to mean the same. */
  readonly clock?: Clock;
  version(): Promise<string>;
  /** Space on disk, indexes included, in bytes. */
  size(): Promise<number>;
  /** Lets the engine renew what it knows about the data. */
  optimise(): Promise<void>;
  /**
   * Makes what was deleted unreadable also in the files: pages that are free, the log, the segments of a text index.
   * Call it outside of any transaction. Never rejects for want of a moment's quiet: the report says what is left.
   */
  eraseTraces(): Promise<TraceReport>;
  /** Reads what memories say once; rejects where something is damaged, else says what was found in order. */
  verify(): Promise<string>;
  /** Writes a consistent copy of the whole store as one file, which must not exist. */
  backup(path: string): Promise<BackupReport>;
  close(): Promise<void>;
}

export interface TraceReport {
  readonly clean: boolean;
  /** What may still be readable, and what removes it; empty where nothing is. */
  readonly left: string;
}

export interface BackupReport {
  readonly bytes: number;
  readonly memories: number;
}

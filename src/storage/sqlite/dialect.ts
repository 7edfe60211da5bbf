// Kysely over node:sqlite: one connection, cached statements, transactions that take the write lock at once.
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { LRUCache } from 'lru-cache';
import { limits } from '../../kernel/limits.ts';
import { isBusy, storageError } from './errors.ts';

const STATEMENT_CACHE_SIZE = 256;
/** A commit takes one to a few milliseconds: looking more often would only cost time. */
const LOCK_RETRY_MIN_MS = 1;
const LOCK_RETRY_SPREAD_MS = 2;

interface CachedStatement {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

/** Makes the dialect for an open database; closing stays with whoever opened it. */
export function nodeSqliteDialect(raw: DatabaseSync, file: string): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => createDriver(raw, file, createConnection(raw, file)),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

function createConnection(raw: DatabaseSync, file: string): DatabaseConnection {
  const statements = new LRUCache<string, CachedStatement>({ max: STATEMENT_CACHE_SIZE });

  function prepare(sql: string): CachedStatement {
    const cached = statements.get(sql);
    if (cached) return cached;
    const statement = raw.prepare(sql);
    const entry = { statement, returnsRows: statement.columns().length > 0 };
    statements.set(sql, entry);
    return entry;
  }

  function run<R>(query: CompiledQuery): QueryResult<R> {
    try {
      const { statement, returnsRows } = prepare(query.sql);
      const parameters = query.parameters as SQLInputValue[];
      if (returnsRows) return { rows: statement.all(...parameters) as R[] };
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    } catch (error) {
      throw storageError(error, file);
    }
  }

  return {
    executeQuery: async <R>(query: CompiledQuery) => run<R>(query),
    async *streamQuery<R>(query: CompiledQuery) {
      const { statement } = prepare(query.sql);
      for (const row of statement.iterate(...(query.parameters as SQLInputValue[]))) yield { rows: [row as R] };
    },
  };
}

function createDriver(raw: DatabaseSync, file: string, connection: DatabaseConnection): Driver {
  const command = async (target: DatabaseConnection, sql: string) => {
    await target.executeQuery(CompiledQuery.raw(sql));
  };
  return {
    init: async () => {},
    acquireConnection: async () => connection,
    beginTransaction: () => takeWriteLock(raw, file),
    commitTransaction: (target) => command(target, 'commit'),
    // SQLite rolls back by itself on some failures; a second rollback would hide the reason of the first.
    rollbackTransaction: async (target) => (raw.isTransaction ? command(target, 'rollback') : undefined),
    savepoint: (target, name) => command(target, `savepoint "${name}"`),
    rollbackToSavepoint: (target, name) => command(target, `rollback to "${name}"`),
    releaseSavepoint: (target, name) => command(target, `release "${name}"`),
    releaseConnection: async () => {},
    destroy: async () => {},
  };
}

/**
 * Begins a transaction that holds the write lock from the start: a deferred one that upgrades later fails under
 * contention. Waits for other processes without SQLite's own busy handler, which would block this thread and sleeps
 * for up to 100 ms while the lock may be free. Rejects with `unavailable` where it stays busy.
 */
async function takeWriteLock(raw: DatabaseSync, file: string): Promise<void> {
  const deadline_ms = performance.now() + limits.store_busy_timeout_ms;
  for (;;) {
    raw.exec('pragma busy_timeout = 0');
    try {
      raw.exec('begin immediate');
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline_ms) throw storageError(error, file);
    } finally {
      raw.exec(`pragma busy_timeout = ${limits.store_busy_timeout_ms}`);
    }
    // Not always the same pause, so that processes do not keep meeting.
    await setTimeout(LOCK_RETRY_MIN_MS + Math.random() * LOCK_RETRY_SPREAD_MS);
  }
}

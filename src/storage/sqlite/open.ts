// Opens the store's file: pragmas, retries while other processes start too, and clear errors for what goes wrong in practice.
import { accessSync, closeSync, constants, existsSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import { makeDirectory } from '../make-directory.ts';
import { isBusy, storageError } from './errors.ts';

export const STORE_FILE = 'haivemind.db';

export interface OpenOptions {
  readonly data_dir: string;
  readonly synchronous: 'FULL' | 'NORMAL';
  /** Looks at an opened file before anything in it is changed; throws to refuse it. */
  readonly accept?: (raw: DatabaseSync, file: string) => void;
}

/** Opens or creates the store. Throws storage_read_only, storage_corrupt or storage_full. */
export function openSqlite(options: OpenOptions): { raw: DatabaseSync; file: string } {
  const file = join(options.data_dir, STORE_FILE);
  prepareDirectory(options.data_dir, file);
  try {
    if (options.accept && hasLog(file)) lookWithoutWriting(file, options.accept);
    const raw = new DatabaseSync(file, { timeout: limits.store_busy_timeout_ms });
    try {
      options.accept?.(raw, file);
      retryWhileBusy(() => raw.exec('pragma journal_mode = wal'));
      raw.exec(`pragma synchronous = ${options.synchronous}; pragma foreign_keys = on; pragma temp_store = memory;`);
      raw.exec('pragma cache_size = -16000; pragma mmap_size = 268435456; pragma journal_size_limit = 67108864;');
    } catch (error) {
      raw.close();
      throw error;
    }
    return { raw, file };
  } catch (error) {
    throw storageError(error, file);
  }
}

/** True where a write-ahead log waits: its program still runs, or was killed. */
function hasLog(file: string): boolean {
  return (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** A connection that may write merges the log into the file when it closes, so a refusal must come from one that may not. */
function lookWithoutWriting(file: string, accept: (raw: DatabaseSync, file: string) => void): void {
  const raw = new DatabaseSync(file, { readOnly: true, timeout: limits.store_busy_timeout_ms });
  try {
    accept(raw, file);
  } finally {
    raw.close();
  }
}

function prepareDirectory(data_dir: string, file: string): void {
  try {
    makeDirectory(data_dir);
    accessSync(data_dir, constants.W_OK | constants.R_OK);
    if (existsSync(file)) accessSync(file, constants.W_OK | constants.R_OK);
    // The folder may have been made by somebody else, open to all. The log and its index take the file's mode.
    else closeSync(openSync(file, 'a', 0o600));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (code === 'ENOSPC')
      throw failure(
        'storage_full',
        `There is no space for the data directory ${data_dir}.`,
        'Free space on that disk.',
        { cause },
      );
    throw failure(
      'storage_read_only',
      `The data directory ${data_dir} cannot be written (${code || 'unknown reason'}).`,
      'Give this user write permission on it, or set HAIVEMIND_DATA_DIR to another directory.',
      { cause },
    );
  }
}

/** `pragma journal_mode` ignores the busy timeout when several processes open a new store at the same moment. */
export function retryWhileBusy<T>(action: () => T): T {
  const deadline = performance.now() + limits.store_busy_timeout_ms;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      return action();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      Atomics.wait(pause, 0, 0, 5);
    }
  }
}

/** A second connection to an open store that sees only what is committed, also while a write is under way. */
export function openReader(file: string): DatabaseSync {
  const reader = new DatabaseSync(file, { timeout: limits.store_busy_timeout_ms });
  reader.exec(
    'pragma query_only = on; pragma temp_store = memory; pragma cache_size = -16000; pragma mmap_size = 268435456;',
  );
  return reader;
}

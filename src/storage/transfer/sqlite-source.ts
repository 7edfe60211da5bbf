// A SQLite store as the source of a transfer: one read transaction of a connection that cannot write.
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import { SCHEMA_VERSION } from '../migrations/index.ts';
import { nodeSqliteDialect } from '../sqlite/dialect.ts';
import { storageError } from '../sqlite/errors.ts';
import { migrateSqlite, refuseNewer } from '../sqlite/migrate.ts';
import type { TransferSource } from './port.ts';
import { sqliteTables } from './sqlite-tables.ts';

/**
 * Opens one moment of a store's file. A file of an older schema is copied to a temporary place, and the copy is brought
 * up to date. Errors: `not_found`, `storage_too_new`, `storage_corrupt`.
 */
export async function openSqliteSource(file: string): Promise<TransferSource> {
  if (!existsSync(file)) throw failure('not_found', `There is no store ${file}.`, 'Check the path after sqlite:.');
  // Before the moment itself: a change in between makes the next run compare, which costs time and nothing else.
  const mark = fileMark(file);
  const raw = openReadOnly(file);
  try {
    refuseNewer(raw, file);
    const version = Number(raw.prepare('pragma user_version').get()?.user_version);
    if (version < 1)
      throw failure('storage_corrupt', `${file} is not a haivemind store.`, 'Check the path after sqlite:.');
    if (version === SCHEMA_VERSION) return sourceOn(raw, { file, mark, notes: [], leave: () => {} });
    return await openMigratedCopy(raw, file, mark, version);
  } catch (error) {
    if (raw.isOpen) raw.close();
    throw storageError(error, file);
  }
}

function openReadOnly(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { readOnly: true, timeout: limits.store_busy_timeout_ms });
  } catch (error) {
    throw storageError(error, file);
  }
}

async function openMigratedCopy(
  original: DatabaseSync,
  file: string,
  mark: string,
  version: number,
): Promise<TransferSource> {
  const folder = mkdtempSync(join(tmpdir(), 'haivemind-transfer-'));
  const leave = () => rmSync(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, 'copy.db');
    original.prepare('vacuum into ?').run(copy);
    original.close();
    const writable = new DatabaseSync(copy);
    await migrateSqlite(new Kysely<unknown>({ dialect: nodeSqliteDialect(writable, copy) }), writable, copy);
    writable.close();
    const note = `${file} has schema ${version}: a temporary copy was brought to schema ${SCHEMA_VERSION}; the file itself was not changed.`;
    return sourceOn(openReadOnly(copy), { file, mark, notes: [note], leave });
  } catch (error) {
    leave();
    throw error;
  }
}

interface Opened {
  readonly file: string;
  readonly mark: string;
  readonly notes: readonly string[];
  readonly leave: () => void;
}

function sourceOn(raw: DatabaseSync, { file, mark, notes, leave }: Opened): TransferSource {
  raw.exec('pragma query_only = on; pragma cache_size = -16000; begin');
  const number = (on: DatabaseSync, sql: string) => Number(Object.values(on.prepare(sql).get() ?? {})[0] ?? 0);
  // The first read fixes the moment.
  const first = raw.prepare('select origin, clock from changes order by seq limit 1').get();
  return {
    ...sqliteTables(raw, file),
    store_id: first ? `${first.origin} ${first.clock}` : null,
    mark,
    notes,
    async counters() {
      const rows = raw.prepare('select name, seq from sqlite_sequence').all();
      return Object.fromEntries(rows.map((row) => [String(row.name), Number(row.seq)]));
    },
    async latestChange(when) {
      if (when === 'here') return number(raw, LATEST_CHANGE);
      const now = openReadOnly(file);
      try {
        return number(now, LATEST_CHANGE);
      } finally {
        now.close();
      }
    },
    async close() {
      if (raw.isOpen) raw.close();
      leave();
    },
  };
}

const LATEST_CHANGE = 'select coalesce(max(seq), 0) from changes';

/** Every commit writes to the log, and every merge of the log to the file. */
function fileMark(file: string): string {
  return [file, `${file}-wal`]
    .map((path) => {
      const found = statSync(path, { bigint: true, throwIfNoEntry: false });
      return found && found.size > 0n ? `${found.size}@${found.mtimeNs}` : '-';
    })
    .join(' ');
}

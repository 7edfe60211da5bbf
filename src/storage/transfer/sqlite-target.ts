// A SQLite file as the target of a transfer: filled under another name, then renamed into its place.
import { chmodSync, closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { failure } from '../../kernel/errors.ts';
import { flush } from '../backup.ts';
import { makeDirectory } from '../make-directory.ts';
import { nodeSqliteDialect } from '../sqlite/dialect.ts';
import { isBusy, storageError } from '../sqlite/errors.ts';
import { migrateSqlite } from '../sqlite/migrate.ts';
import { prepareFts5 } from '../text/fts5-statements.ts';
import { indexText } from '../text/tokens.ts';
import { HEADER, JOURNAL_DDL, JOURNAL_TABLE } from './journal.ts';
import type { Batch, JournalHeader, Present, TableProgress, TransferTarget } from './port.ts';
import { CARRIED, type CarriedTable } from './registry.ts';
import { sqliteTables } from './sqlite-tables.ts';
import { searchedRows } from './texts.ts';

export interface SqliteTargetOptions {
  readonly file: string;
  /** Throws what an earlier, unfinished run left away. */
  readonly fresh: boolean;
  /** Takes away what is at the place; returns where it lies then. Called with everything written. */
  readonly setAside: () => string | undefined;
}

/** Where a store grows until it is whole. */
export const unfinishedFile = (file: string): string => `${file}.unfinished`;

/** Opens or goes on with an unfinished file. Errors: `unavailable` where another transfer fills it. */
export async function openSqliteTarget({ file, fresh, setAside }: SqliteTargetOptions): Promise<TransferTarget> {
  const unfinished = unfinishedFile(file);
  try {
    makeDirectory(dirname(file));
    const raw = await openUnfinished(unfinished, fresh);
    return targetOn(raw, { file, unfinished, setAside });
  } catch (error) {
    throw storageError(error, unfinished);
  }
}

async function openUnfinished(file: string, fresh: boolean): Promise<DatabaseSync> {
  let raw = openAlone(file);
  if (fresh || !hasTable(raw, JOURNAL_TABLE)) {
    // Never begun, or cut short before its first row: nothing is lost by beginning anew.
    raw.close();
    remove(file);
    raw = openAlone(file);
  }
  await migrateSqlite(new Kysely<unknown>({ dialect: nodeSqliteDialect(raw, file) }), raw, file);
  return raw;
}

/** In exclusive mode a second transfer finds the file busy. */
function openAlone(file: string): DatabaseSync {
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  const raw = new DatabaseSync(file, { timeout: 0 });
  try {
    raw.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; begin exclusive; commit;');
    raw.exec('pragma synchronous = normal; pragma temp_store = memory; pragma cache_size = -16000;');
    return raw;
  } catch (error) {
    raw.close();
    if (!isBusy(error)) throw error;
    throw failure(
      'unavailable',
      `Another transfer is filling ${file}.`,
      'Wait for it, or stop it and run this again: it goes on where that one was.',
      { cause: error },
    );
  }
}

function remove(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
}

function hasTable(raw: DatabaseSync, name: string): boolean {
  return raw.prepare('select 1 from sqlite_schema where name = ?').get(name) !== undefined;
}

/** What lies at a place now; a damaged file counts as used. */
export function presentAt(file: string): Present {
  if (!existsSync(file)) return 'nothing';
  try {
    const raw = new DatabaseSync(file, { readOnly: true });
    try {
      if (!hasTable(raw, 'changes')) return raw.prepare('select 1 from sqlite_schema').get() ? 'used' : 'unused';
      const found = raw.prepare('select 1 from changes union all select 1 from memories limit 1').get();
      return found ? 'used' : 'unused';
    } finally {
      raw.close();
    }
  } catch {
    return 'used';
  }
}

interface Places {
  readonly file: string;
  readonly unfinished: string;
  readonly setAside: () => string | undefined;
}

function targetOn(raw: DatabaseSync, { file, unfinished, setAside }: Places): TransferTarget {
  const tables = sqliteTables(raw, file);
  const journal = journalOn(raw);
  const write = writerOn(raw);
  const close = async () => {
    if (raw.isOpen) raw.close();
  };
  return {
    ...tables,
    header: async () => journal.read<JournalHeader>(HEADER),
    progress: async (table) => journal.read<TableProgress>(table),
    async begin(header) {
      transaction(raw, () => {
        raw.exec(JOURNAL_DDL);
        const before = journal.read<JournalHeader>(HEADER);
        if (!before) for (const { table, filled } of CARRIED) if (filled) raw.exec(`delete from "${table}"`);
        // A run that was interrupted late has made some of them again.
        const indexes = [...new Set([...(before?.indexes ?? []), ...dropIndexes(raw)])];
        journal.clear();
        journal.put(HEADER, { ...header, indexes });
      });
    },
    async write(batch) {
      transaction(raw, () => {
        write(batch);
        journal.put(batch.table.table, batch.progress);
      });
    },
    async finish(counters) {
      transaction(raw, () => {
        for (const sql of journal.read<JournalHeader>(HEADER)?.indexes ?? [])
          raw.exec(sql.replace(/^create (unique )?index /i, 'create $1index if not exists '));
        for (const [table, value] of Object.entries(counters)) setCounter(raw, table, value);
      });
    },
    texts: async () => Number(raw.prepare('select count(*) as rows from memory_fts_docsize').get()?.rows),
    async publish() {
      raw.exec(`drop table ${JOURNAL_TABLE}; pragma optimize;`);
      // Closing merges the log into the file and takes it away: the file alone is the store.
      await close();
      flush(unfinished);
      chmodSync(unfinished, 0o600);
      const kept = setAside();
      renameSync(unfinished, file);
      flush(dirname(file));
      return kept;
    },
    close,
  };
}

function transaction(raw: DatabaseSync, work: () => void): void {
  raw.exec('begin immediate');
  try {
    work();
    raw.exec('commit');
  } catch (error) {
    if (raw.isTransaction) raw.exec('rollback');
    throw storageError(error, raw.location() ?? 'the copy');
  }
}

function journalOn(raw: DatabaseSync) {
  return {
    read<T>(name: string): T | undefined {
      if (!hasTable(raw, JOURNAL_TABLE)) return undefined;
      const row = raw.prepare(`select value from ${JOURNAL_TABLE} where name = ?`).get(name);
      return row ? (JSON.parse(String(row.value)) as T) : undefined;
    },
    put(name: string, value: unknown): void {
      raw
        .prepare(`insert or replace into ${JOURNAL_TABLE} (name, value) values (?, ?)`)
        .run(name, JSON.stringify(value));
    },
    clear: () => raw.exec(`delete from ${JOURNAL_TABLE}`),
  };
}

/** Returns the statements that make them again. Those behind a constraint have none and stay. */
function dropIndexes(raw: DatabaseSync): string[] {
  const found = raw.prepare("select name, sql from sqlite_schema where type = 'index' and sql is not null").all();
  for (const { name } of found) raw.exec(`drop index "${name}"`);
  return found.map(({ sql }) => String(sql));
}

function setCounter(raw: DatabaseSync, table: string, value: number): void {
  if (value === 0) return;
  const { changes } = raw.prepare('update sqlite_sequence set seq = max(seq, ?) where name = ?').run(value, table);
  if (Number(changes) === 0) raw.prepare('insert into sqlite_sequence (name, seq) values (?, ?)').run(table, value);
}

function writerOn(raw: DatabaseSync): (batch: Batch) => void {
  const texts = prepareFts5(raw);
  const columns = new Map<string, string[]>();
  const columnsOf = (table: string): string[] => {
    const known =
      columns.get(table) ??
      raw
        .prepare('select name from pragma_table_info(?)')
        .all(table)
        .map((row) => String(row.name));
    columns.set(table, known);
    return known;
  };
  return ({ table, remove: gone, insert }) => {
    const removing = raw.prepare(`delete from "${table.table}" where ${keyEquals(table)}`);
    for (const key of gone) {
      removing.run(...key);
      if (table.searched) texts.remove(Number(key[0]));
    }
    const names = columnsOf(table.table);
    const inserting = raw.prepare(
      `insert into "${table.table}" (${names.map((name) => `"${name}"`).join(', ')}) values (${names.map(() => '?').join(', ')})`,
    );
    for (const row of insert) inserting.run(...names.map((name) => row[name] ?? null));
    if (!table.searched) return;
    for (const { row_id, text } of searchedRows(insert))
      texts.put(row_id, indexText(text.body), indexText(text.extra ?? ''));
  };
}

function keyEquals({ key }: CarriedTable): string {
  return key.map((column) => `"${column}" = ?`).join(' and ');
}

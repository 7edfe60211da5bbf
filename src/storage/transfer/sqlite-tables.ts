// Reads the tables of a SQLite store by pages in key order.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { storageError } from '../sqlite/errors.ts';
import { PAGE_MAX_BYTES, PAGE_MAX_ROWS } from './page.ts';
import type { Row, RowRange, Tables, Value } from './port.ts';
import type { CarriedTable } from './registry.ts';

/** Tables of an open database. */
export function sqliteTables(raw: DatabaseSync, place: string): Tables {
  const statements = new Map<string, StatementSync>();
  const prepared = (sql: string): StatementSync => {
    const statement = statements.get(sql) ?? raw.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  const columns = (table: string): string[] =>
    raw
      .prepare('select name from pragma_table_info(?)')
      .all(table)
      .map((row) => String(row.name))
      .sort();
  const count = (from: string): number => Number(raw.prepare(`select count(*) as rows from ${from}`).get()?.rows);
  return {
    kind: 'sqlite',
    place,
    names: async () =>
      raw
        .prepare("select name from sqlite_schema where type = 'table' order by name")
        .all()
        .map((row) => String(row.name)),
    columns: async (table) => columns(table),
    count: async (table) => count(`"${table}"`),
    countLiving: async (table) => count(`"${table}" where deleted_at is null`),
    async page(table, range) {
      const { sql, values } = pageQuery(table, range);
      try {
        return readPage(prepared(sql).iterate(...values, PAGE_MAX_ROWS));
      } catch (error) {
        throw storageError(error, place);
      }
    },
  };
}

function readPage(rows: Iterable<Record<string, unknown>>): Row[] {
  const page: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    page.push(row as Row);
    for (const value of Object.values(row)) bytes += sizeOf(value as Value);
    if (bytes >= PAGE_MAX_BYTES) break;
  }
  return page;
}

function sizeOf(value: Value): number {
  return typeof value === 'string' ? value.length : value instanceof Uint8Array ? value.byteLength : 8;
}

function pageQuery({ table, key }: CarriedTable, { after, upto }: RowRange) {
  const names = key.map((column) => `"${column}"`).join(', ');
  const places = key.map(() => '?').join(', ');
  const bounds = [after ? `(${names}) > (${places})` : '', upto ? `(${names}) <= (${places})` : ''].filter(Boolean);
  const where = bounds.length > 0 ? `where ${bounds.join(' and ')}` : '';
  return {
    sql: `select * from "${table}" ${where} order by ${names} limit ?`,
    values: [...(after ?? []), ...(upto ?? [])],
  };
}

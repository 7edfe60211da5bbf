// Every table of both engines is classified, so that a table of a later migration cannot be forgotten.
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshDatabase, type PostgresServer, startPostgres } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { postgresRows } from '../../../test/support/test-store.ts';
import { openPostgresEngine } from '../postgres/engine.ts';
import { nodeSqliteDialect } from '../sqlite/dialect.ts';
import { migrateSqlite } from '../sqlite/migrate.ts';
import { CARRIED, isOwnTable, LEFT_OUT, unknownTables } from './registry.ts';
import { sqliteTables } from './sqlite-tables.ts';

const HINT = 'classify it in src/storage/transfer/registry.ts';

async function emptyStore(): Promise<DatabaseSync> {
  const raw = new DatabaseSync(':memory:');
  await migrateSqlite(new Kysely<unknown>({ dialect: nodeSqliteDialect(raw, ':memory:') }), raw, ':memory:');
  return raw;
}

test('every table of a SQLite store, and none beside them', async () => {
  const raw = await emptyStore();
  const names = await sqliteTables(raw, '').names();
  expect(unknownTables(names), HINT).toEqual([]);
  for (const { table, key, counter } of CARRIED) {
    const columns = raw.prepare('select name, pk from pragma_table_info(?) order by pk').all(table);
    const primary = columns.filter(({ pk }) => Number(pk) > 0).map(({ name }) => name);
    expect(primary, table).toEqual(key);
    const sql = String(raw.prepare('select sql from sqlite_schema where name = ?').get(table)?.sql);
    expect(counter, table).toBe(/autoincrement/i.test(sql) ? key[0] : undefined);
  }
  expect(CARRIED.map(({ table }) => table).filter((table) => !names.includes(table))).toEqual([]);
  raw.close();
});

test('a table nobody has thought of is found', async () => {
  expect(unknownTables(['memories', 'leases', 'memory_fts_data', 'sqlite_sequence', 'gadgets'])).toEqual(['gadgets']);
});

describeEngine('postgres', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test('every table of a PostgreSQL store, with the same columns and keys', async () => {
    await using database = await freshDatabase(server.url);
    const engine = await openPostgresEngine({ url: database.url });
    await engine.close();
    const ask = (sql: string, ...values: string[]) => postgresRows(database.url, sql, values);
    const names = (await ask("select tablename as name from pg_tables where schemaname = 'public'")).map(({ name }) =>
      String(name),
    );
    expect(unknownTables(names), HINT).toEqual([]);
    const named = new Set([...CARRIED.map(({ table }) => table), ...Object.keys(LEFT_OUT)]);
    expect([...named].filter((table) => !names.includes(table) || isOwnTable(table))).toEqual([]);
    const raw = await emptyStore();
    const tables = sqliteTables(raw, '');
    for (const { table, key, counter } of CARRIED) {
      const columns = await ask(
        'select column_name as name, is_identity, data_type from information_schema.columns where table_name = ? and table_schema = ?',
        table,
        'public',
      );
      expect(columns.map(({ name }) => name).sort(), table).toEqual(await tables.columns(table));
      const identity = columns.filter(({ is_identity }) => is_identity === 'YES').map(({ name }) => name);
      expect(identity, table).toEqual(counter === undefined ? [] : [counter]);
      const kinds = new Set(['text', 'bigint', 'double precision', 'bytea']);
      expect(columns.filter(({ data_type }) => !kinds.has(String(data_type)))).toEqual([]);
      const primary = await ask(
        `select a.attname as name from pg_index x join pg_attribute a on a.attrelid = x.indrelid and a.attnum = any(x.indkey)
         where x.indrelid = ?::regclass and x.indisprimary order by array_position(x.indkey::int2[], a.attnum)`,
        table,
      );
      expect(
        primary.map(({ name }) => name),
        table,
      ).toEqual(key);
    }
    raw.close();
  });
});

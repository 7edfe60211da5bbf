// Every table and every column of both engines is classified, so that what a later migration adds is exported and erased.
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshDatabase, type PostgresServer, startPostgres } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { postgresRows } from '../../../test/support/test-store.ts';
import { openPostgresEngine } from '../../storage/postgres/engine.ts';
import { nodeSqliteDialect } from '../../storage/sqlite/dialect.ts';
import { migrateSqlite } from '../../storage/sqlite/migrate.ts';
import { isOwnTable } from '../../storage/transfer/registry.ts';
import { sqliteTables } from '../../storage/transfer/sqlite-tables.ts';
import { columnsOf, IMPERSONAL, PERSONAL } from './personal-data.ts';

const HINT = 'say in src/domains/privacy/personal-data.ts what it holds about people';
/** Only one engine has them. */
const ONE_ENGINE = ['commit_marks', 'relayed_messages'];

const described = new Map<string, readonly string[]>([
  ...PERSONAL.map(({ table, columns }): [string, string[]] => [table, Object.keys(columns)]),
  ...Object.entries(IMPERSONAL).map(([table, { columns }]): [string, readonly string[]] => [table, columns]),
]);

async function compare(names: readonly string[], columns: (table: string) => Promise<readonly string[]>) {
  for (const table of names.filter((name) => !isOwnTable(name)))
    expect([...(await columns(table))].sort(), `${table}: ${HINT}`).toEqual([...(described.get(table) ?? [])].sort());
  expect([...described.keys()].filter((table) => !names.includes(table) && !ONE_ENGINE.includes(table))).toEqual([]);
}

test('every column of a SQLite store', async () => {
  const raw = new DatabaseSync(':memory:');
  await migrateSqlite(new Kysely<unknown>({ dialect: nodeSqliteDialect(raw, ':memory:') }), raw, ':memory:');
  const tables = sqliteTables(raw, '');
  await compare(await tables.names(), (table) => tables.columns(table));
  for (const { table, key } of PERSONAL) {
    const rows = raw.prepare('select name, pk from pragma_table_info(?) where pk > 0 order by pk').all(table);
    expect(
      rows.map(({ name }) => name),
      table,
    ).toEqual(key);
  }
  raw.close();
});

test('every row of a personal table can be traced to its user', () => {
  const byName = new Map(PERSONAL.map((spec) => [spec.table, spec]));
  for (const spec of PERSONAL) {
    const owners = columnsOf(spec, 'owner');
    expect(owners.length, spec.table).toBeLessThanOrEqual(1);
    const names = columnsOf(spec, 'name');
    expect(owners.length + names.length + (spec.parent ? 1 : 0), spec.table).toBeGreaterThan(0);
    if (!spec.parent) continue;
    const parent = byName.get(spec.parent.table);
    expect(spec.columns).toHaveProperty(spec.parent.column);
    expect(parent?.columns).toHaveProperty(spec.parent.key);
  }
});

test('a table is described once', () => {
  expect(described.size).toBe(PERSONAL.length + Object.keys(IMPERSONAL).length);
});

describeEngine('postgres', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test('every column of a PostgreSQL store', async () => {
    await using database = await freshDatabase(server.url);
    await (await openPostgresEngine({ url: database.url })).close();
    const ask = (sql: string, ...values: string[]) => postgresRows(database.url, sql, values);
    const names = await ask("select tablename as name from pg_tables where schemaname = 'public'");
    await compare(
      names.map(({ name }) => String(name)),
      async (table) =>
        (
          await ask(
            "select column_name as name from information_schema.columns where table_schema = 'public' and table_name = ?",
            table,
          )
        ).map(({ name }) => String(name)),
    );
  });
});

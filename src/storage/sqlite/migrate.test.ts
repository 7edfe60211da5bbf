// Schemas: from nothing, from every released one, opened again, and never a store of a later program.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { refusalOf } from '../../../test/support/open-app.ts';
import { databaseOn } from '../database.ts';
import { migrations, SCHEMA_VERSION } from '../migrations/index.ts';
import { nodeSqliteDialect } from './dialect.ts';
import { openSqliteEngine } from './engine.ts';
import { sqliteSchema } from './fragments.ts';
import { openSqlite } from './open.ts';

let data_dir: string;
beforeEach(() => {
  data_dir = mkdtempSync(join(tmpdir(), 'haivemind-migrate-'));
});
afterEach(() => rmSync(data_dir, { recursive: true, force: true }));

const open = () => openSqliteEngine({ data_dir, synchronous: 'NORMAL' });
const file = () => join(data_dir, 'haivemind.db');
const SCHEMA = 'select type, name, sql from sqlite_schema order by name';

test('migrations are numbered without gaps', () => {
  expect(migrations.map((migration) => migration.version)).toEqual(migrations.map((_, i) => i + 1));
  expect(new Set(migrations.map((migration) => migration.name)).size).toBe(SCHEMA_VERSION);
});

test('an empty folder becomes a store; opened again it is left as it is', async () => {
  const first = await open();
  const schema = first.raw.prepare(SCHEMA).all();
  expect(first.raw.prepare('pragma user_version').get()).toEqual({ user_version: SCHEMA_VERSION });
  expect(first.raw.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' });
  await first.close();
  const before = readFileSync(file());
  const again = await open();
  expect(again.raw.prepare(SCHEMA).all()).toEqual(schema);
  await again.close();
  expect(readFileSync(file()).equals(before)).toBe(true);
  expect(readdirSync(data_dir)).toEqual(['haivemind.db']);
});

test('a migration that fails leaves nothing behind', async () => {
  const raw = new DatabaseSync(file());
  raw.exec('create table changes (in_the_way text)');
  raw.close();
  await expect(open()).rejects.toThrow();
  const left = new DatabaseSync(file());
  expect(left.prepare("select name from sqlite_schema where type = 'table'").all()).toEqual([{ name: 'changes' }]);
  expect(left.prepare('pragma user_version').get()).toEqual({ user_version: 0 });
  left.close();
});

const released = (schema: number) =>
  readFileSync(new URL(`./released/schema-${schema}.sql`, import.meta.url), 'utf8').replace(/^--.*\n/gm, '');

test.each([1, 2, 3])('migrations up to %i make what was released, to the letter', async (schema) => {
  const raw = new DatabaseSync(':memory:');
  const db = new Kysely<unknown>({ dialect: nodeSqliteDialect(raw, ':memory:') });
  for (const migration of migrations.slice(0, schema)) await migration.up(db, sqliteSchema);
  // Without the tables that SQLite makes by itself.
  const made = raw.prepare(
    "select sql from sqlite_schema where sql is not null and name not glob 'sqlite_*' order by rowid",
  );
  const statements = made
    .all()
    .flatMap(({ sql: text }) => (/^CREATE TABLE '/.test(String(text)) ? [] : [`${text};\n`]));
  expect(statements.join('')).toBe(released(schema));
  raw.close();
});

/** Makes the store as a program of that schema left it: its migrations and no later one, and one memory. */
async function makeStoreOf(schema: number): Promise<void> {
  const { raw, file: path } = openSqlite({ data_dir, synchronous: 'NORMAL' });
  const db = new Kysely<unknown>({ dialect: nodeSqliteDialect(raw, path) });
  await db.transaction().execute(async (trx) => {
    for (const migration of migrations.slice(0, schema)) await migration.up(trx, sqliteSchema);
    await sql.raw(`pragma user_version = ${schema}`).execute(trx);
  });
  const { row_id } = raw.prepare(INSERT_MEMORY).get() as { row_id: number };
  raw.prepare('insert into memory_fts (rowid, body, extra) values (?, ?, ?)').run(row_id, 'the fan in rack three', '');
  raw.prepare('insert into memory_vector_queue values (?, 0, 0)').run(row_id);
  raw.exec("insert into origins values ('old', 1, '000000000001-0000-old')");
  raw.exec(
    `insert into changes (origin, origin_sequence, clock, entity, entity_id, kind, version_vector)
     values ('old', 1, '000000000001-0000-old', 'memory', 'mem_old', 'put', '{"old":1}')`,
  );
  await db.destroy();
  raw.close();
}

const INSERT_MEMORY = `
  insert into memories (memory_id, content, identity_hash, category, scope, user_id, agent_id, machine_id, source, tags,
    metadata, format_version, created_at, updated_at, importance, version, origin, origin_sequence, clock, version_vector)
  values ('mem_old', 'the fan in rack three', 'h', 'global', 'shared', 'ada', 'a', 'old', 'user', '[]', '{}', 'v1',
    '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 0.5, 1, 'old', 1, '000000000001-0000-old', '{"old":1}')
  returning row_id`;

const earlier = migrations.slice(0, -1).map((migration) => migration.version);

describe.each(earlier)('a store of schema %i', (schema) => {
  const backup = () => join(data_dir, 'backups', `before-schema-${SCHEMA_VERSION}-from-${schema}.db`);

  test('is brought to the newest, as if it were new, and keeps what it holds', async () => {
    await makeStoreOf(schema);
    const engine = await open();
    expect(engine.raw.prepare('pragma user_version').get()).toEqual({ user_version: SCHEMA_VERSION });
    expect(engine.raw.prepare('select memory_id, content from memories').all()).toEqual([
      { memory_id: 'mem_old', content: 'the fan in rack three' },
    ]);
    expect(engine.raw.prepare('select attempts, claimed_until from memory_vector_queue').all()).toHaveLength(1);
    expect(await engine.text.search('fan rack', { limit: 5 })).toMatchObject([{ row_id: 1 }]);
    const store = databaseOn(engine, { machine_id: 'old' });
    const next = { entity: 'memory', entity_id: 'mem_new', kind: 'put', before: {} } as const;
    expect(await store.write((trx) => store.recordChange(trx, next))).toMatchObject({ origin_sequence: 2 });
    const migrated = engine.raw.prepare(SCHEMA).all();
    await store.close();

    rmSync(data_dir, { recursive: true });
    const fresh = await open();
    expect(migrated).toEqual(fresh.raw.prepare(SCHEMA).all());
    await fresh.close();
  });

  test('is copied before, once, for its owner alone', async () => {
    await makeStoreOf(schema);
    await (await open()).close();
    expect(statSync(join(data_dir, 'backups')).mode & 0o077).toBe(0);
    expect(readdirSync(join(data_dir, 'backups'))).toEqual([`before-schema-${SCHEMA_VERSION}-from-${schema}.db`]);
    const copy = new DatabaseSync(backup(), { readOnly: true });
    expect(copy.prepare('pragma user_version').get()).toEqual({ user_version: schema });
    expect(copy.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' });
    expect(copy.prepare('select memory_id from memories').all()).toEqual([{ memory_id: 'mem_old' }]);
    copy.close();
    const before = readFileSync(backup());
    await (await open()).close();
    expect(readdirSync(join(data_dir, 'backups'))).toHaveLength(1);
    expect(readFileSync(backup()).equals(before)).toBe(true);
  });

  test('stays as it was where the migration fails, and the copy is there', async () => {
    await makeStoreOf(schema);
    const raw = new DatabaseSync(file());
    // The last thing of the migration finds its name taken.
    raw.exec('create table learning_events (in_the_way text)');
    const was = raw.prepare(SCHEMA).all();
    raw.close();
    await expect(open()).rejects.toThrow();
    const left = new DatabaseSync(file());
    expect(left.prepare('pragma user_version').get()).toEqual({ user_version: schema });
    expect(left.prepare(SCHEMA).all()).toEqual(was);
    expect(left.prepare('select memory_id from memories').all()).toEqual([{ memory_id: 'mem_old' }]);
    left.exec('drop table learning_events');
    left.close();
    expect(existsSync(backup())).toBe(true);
    const engine = await open();
    expect(engine.raw.prepare('pragma user_version').get()).toEqual({ user_version: SCHEMA_VERSION });
    await engine.close();
  });

  test('is migrated once where several open it at the same moment', async () => {
    await makeStoreOf(schema);
    const engines = await Promise.all([open(), open(), open()]);
    for (const engine of engines)
      expect(engine.raw.prepare('select count(*) as memories from memories').get()).toEqual({ memories: 1 });
    await Promise.all(engines.map((engine) => engine.close()));
    const copy = new DatabaseSync(backup(), { readOnly: true });
    expect(copy.prepare('pragma user_version').get()).toEqual({ user_version: schema });
    copy.close();
  });
});

describe('a store of a later program', () => {
  test.each(['wal', 'delete'])('in journal mode %s is refused and not one byte of it changes', async (mode) => {
    const store = await open();
    await store.close();
    const raw = new DatabaseSync(file());
    raw.exec(`pragma journal_mode = ${mode}; pragma user_version = ${SCHEMA_VERSION + 1}`);
    raw.close();
    const before = readFileSync(file());
    expect(await refusalOf(open())).toMatchObject({
      code: 'storage_too_new',
      hint: expect.stringContaining('Update haivemind'),
      details: { found: SCHEMA_VERSION + 1, known: SCHEMA_VERSION },
    });
    expect(readFileSync(file()).equals(before)).toBe(true);
    expect(readdirSync(data_dir)).toEqual(['haivemind.db']);
  });
});

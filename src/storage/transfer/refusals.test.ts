// What a transfer refuses, what it leaves untouched then, and what it says.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { freshDatabase, type PostgresServer, startPostgres } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { openApp, refusalOf } from '../../../test/support/open-app.ts';
import { postgresRows } from '../../../test/support/test-store.ts';
import { contentsOfDatabase, contentsOfDirectory, move, withStoreOn } from '../../../test/support/transfer.ts';
import { migrations } from '../migrations/index.ts';
import { nodeSqliteDialect } from '../sqlite/dialect.ts';
import { sqliteSchema } from '../sqlite/fragments.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'haivemind-transfer-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function storeWith(name: string, ...texts: readonly string[]): Promise<string> {
  const data_dir = join(folder, name);
  // The clock of all of them stands still at the same moment: only their machines tell them apart.
  await using app = await openApp({ data_dir, machine_id: name });
  for (const content of texts) await app.store(content);
  return data_dir;
}

function stopped() {
  const stop = new AbortController();
  return {
    signal: stop.signal,
    onEvent: ({ table }: { table: string }) => {
      if (table === 'memories') stop.abort();
    },
  };
}

test('places that are none, and never a word of a password', async () => {
  const password = crypto.randomUUID();
  for (const [from, to] of [
    ['sqlite:', 'sqlite:x'],
    [`postgres//ada:${password}@host/db`, 'sqlite:x'],
    [`mysql://ada:${password}@host/db`, 'sqlite:x'],
    ['sqlite:a', 'sqlite:b'],
    [`postgres://ada:${password}@host/db`, `postgres://ada:${password}@host/other`],
  ] as const) {
    const refused = await refusalOf(move(from, to));
    expect(refused.code).toBe('invalid_input');
    expect(JSON.stringify(refused)).not.toContain(password);
  }
  const gone = await refusalOf(move(`postgres://ada:${password}@127.0.0.1:1/db`, `sqlite:${folder}/x`));
  expect(gone.code).toBe('unavailable');
  expect(JSON.stringify(gone)).not.toContain(password);
  expect(existsSync(join(folder, 'x'))).toBe(false);
});

describeEngine('postgres', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test('a source that is not there, or is no store', async () => {
    await using database = await freshDatabase(server.url);
    expect(await refusalOf(move(`sqlite:${folder}/none`, database.url))).toMatchObject({ code: 'not_found' });
    expect(existsSync(join(folder, 'none'))).toBe(false);
    writeFileSync(join(folder, 'text.db'), 'no store '.repeat(2_000));
    expect(await refusalOf(move(`sqlite:${folder}/text.db`, database.url))).toMatchObject({ code: 'storage_corrupt' });
    expect(await refusalOf(move(database.url, `sqlite:${folder}/b`))).toMatchObject({ code: 'not_found' });
    expect(
      await postgresRows(database.url, "select nspname from pg_namespace where nspname like 'haivemind%'", []),
    ).toEqual([]);
  });

  test('a target that holds a store stays as it is; one in which nothing was stored is set aside', async () => {
    await using database = await freshDatabase(server.url);
    const a = await storeWith('a', 'from the file');
    await withStoreOn(database.url, folder, (call) => call('get_memory_stats'));
    expect(await move(`sqlite:${a}`, database.url)).toMatchObject({
      memories: 1,
      kept: expect.stringMatching(/^schema haivemind_before_/),
    });
    expect(await refusalOf(move(`sqlite:${a}`, database.url))).toMatchObject({ code: 'conflict' });
    const b = await storeWith('b', 'already there');
    const before = contentsOfDirectory(b);
    expect(await refusalOf(move(database.url, `sqlite:${b}`))).toMatchObject({ code: 'conflict' });
    expect(contentsOfDirectory(b)).toEqual(before);
    const empty = await storeWith('empty');
    const { kept } = (await move(database.url, `sqlite:${empty}`)) as { kept: string };
    expect(existsSync(kept)).toBe(true);
    expect(contentsOfDirectory(empty)).toEqual(contentsOfDirectory(a));
  });

  test('tables of another program are not touched', async () => {
    await using database = await freshDatabase(server.url);
    const a = await storeWith('a', 'from the file');
    await postgresRows(database.url, 'create table memories (name text)', []);
    expect(await refusalOf(move(`sqlite:${a}`, database.url))).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('another program'),
    });
    await postgresRows(database.url, 'drop table memories', []);
    await postgresRows(database.url, 'create table customers as select 1 as id', []);
    await move(`sqlite:${a}`, database.url);
    expect(await postgresRows(database.url, 'select id from customers', [])).toEqual([{ id: 1 }]);
    const refused = await refusalOf(move(database.url, `sqlite:${folder}/b`));
    expect(refused).toMatchObject({ code: 'conflict', message: expect.stringContaining('customers') });
  });

  test('a target that another store is being moved to, until that is thrown away', async () => {
    await using database = await freshDatabase(server.url);
    const [a, other] = [await storeWith('a', 'of a'), await storeWith('other', 'of the other')];
    expect(await refusalOf(move(`sqlite:${a}`, database.url, stopped()))).toMatchObject({ code: 'cancelled' });
    expect(await refusalOf(move(`sqlite:${other}`, database.url))).toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining('--restart'),
    });
    expect(await move(`sqlite:${other}`, database.url, { restart: true })).toMatchObject({ resumed: false });
    expect(await contentsOfDatabase(database.url)).toEqual(contentsOfDirectory(other));
  });

  test('two moves into one place at the same time', async () => {
    await using database = await freshDatabase(server.url);
    const a = await storeWith('a', 'one', 'two');
    const moves = await Promise.allSettled([move(`sqlite:${a}`, database.url), move(`sqlite:${a}`, database.url)]);
    expect(moves.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await contentsOfDatabase(database.url)).toEqual(contentsOfDirectory(a));
  });

  test('a target that a hub is connected to', async () => {
    await using database = await freshDatabase(server.url);
    const a = await storeWith('a', 'one');
    await withStoreOn(database.url, folder, async () => {
      expect(await refusalOf(move(`sqlite:${a}`, database.url))).toMatchObject({ code: 'unavailable' });
    });
    await move(`sqlite:${a}`, database.url);
  });

  test('the guard of a data directory is asked first, and a dry run changes nothing', async () => {
    await using database = await freshDatabase(server.url);
    const a = await storeWith('a', 'one', 'two');
    const asked: string[] = [];
    const guard = async (end: string, data_dir: string) => {
      asked.push(`${end} ${data_dir}`);
    };
    const bytes = readFileSync(join(a, 'haivemind.db'));
    const plan = await move(`sqlite:${a}`, database.url, { dry_run: true, guard });
    expect(asked).toEqual([`from ${a}`]);
    expect(plan).toMatchObject({ type: 'plan', target: 'nothing', unfinished: false });
    expect(plan.tables).toContainEqual({ table: 'memories', rows: 2 });
    expect(plan.left_out).toContainEqual(expect.objectContaining({ table: 'leases' }));
    expect(readFileSync(join(a, 'haivemind.db')).equals(bytes)).toBe(true);
    expect(
      await postgresRows(database.url, "select nspname from pg_namespace where nspname like 'haivemind%'", []),
    ).toEqual([]);
    const refuse = async () => Promise.reject(new Error('in use'));
    await expect(move(`sqlite:${a}`, database.url, { guard: refuse })).rejects.toThrow('in use');
  });

  test('a file of an older schema is moved by a copy and stays as it is', async () => {
    await using database = await freshDatabase(server.url);
    const file = await firstSchema(join(folder, 'old.db'));
    const bytes = readFileSync(file);
    const report = await move(`sqlite:${file}`, database.url);
    expect(report).toMatchObject({ notes: [expect.stringContaining('temporary copy')] });
    expect(readFileSync(file).equals(bytes)).toBe(true);
    expect(readdirSync(folder).filter((name) => name.endsWith('.db'))).toEqual(['old.db']);
    expect(await postgresRows(database.url, 'select origin, last_sequence from origins', [])).toEqual([
      { origin: 'old', last_sequence: 7 },
    ]);
  });

  test('a file of a later program', async () => {
    await using database = await freshDatabase(server.url);
    const file = await firstSchema(join(folder, 'new.db'));
    const raw = new DatabaseSync(file);
    raw.exec('pragma user_version = 999');
    raw.close();
    expect(await refusalOf(move(`sqlite:${file}`, database.url))).toMatchObject({ code: 'storage_too_new' });
  });
});

/** A store as the first version of the schema had it. */
async function firstSchema(file: string): Promise<string> {
  const raw = new DatabaseSync(file);
  const db = new Kysely<unknown>({ dialect: nodeSqliteDialect(raw, file) });
  await migrations[0]?.up(db, sqliteSchema);
  await sql`insert into origins (origin, last_sequence, last_clock) values ('old', 7, '0')`.execute(db);
  raw.exec('pragma user_version = 1');
  raw.close();
  return file;
}

// Schemas: from nothing, opened again, and never a store of a later program.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { refusalOf } from '../../test/support/open-app.ts';
import { openDatabase } from './database.ts';
import { migrations, SCHEMA_VERSION } from './migrations/index.ts';

let data_dir: string;
beforeEach(() => {
  data_dir = mkdtempSync(join(tmpdir(), 'haivemind-migrate-'));
});
afterEach(() => rmSync(data_dir, { recursive: true, force: true }));

const open = () => openDatabase({ data_dir, machine_id: 'm', synchronous: 'NORMAL' });
const file = () => join(data_dir, 'haivemind.db');

test('migrations are numbered without gaps', () => {
  expect(migrations.map((migration) => migration.version)).toEqual(migrations.map((_, i) => i + 1));
  expect(new Set(migrations.map((migration) => migration.name)).size).toBe(SCHEMA_VERSION);
});

test('an empty folder becomes a store; opened again it is left as it is', async () => {
  const first = await open();
  const schema = first.raw.prepare('select type, name, sql from sqlite_schema order by name').all();
  expect(first.raw.prepare('pragma user_version').get()).toEqual({ user_version: SCHEMA_VERSION });
  expect(first.raw.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' });
  await first.close();
  const before = readFileSync(file());
  const again = await open();
  expect(again.raw.prepare('select type, name, sql from sqlite_schema order by name').all()).toEqual(schema);
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

// The write door over SQLite alone: what a file without room does to a group, and errors below the query builder.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HaivemindError } from '../../kernel/errors.ts';
import { type Database, databaseOn } from '../database.ts';
import { openSqliteEngine, type SqliteEngine } from './engine.ts';

interface Tables {
  notes: { note_id: string; body: string };
}

let data_dir: string;
let engine: SqliteEngine;
let store: Database<Tables>;
beforeEach(async () => {
  data_dir = mkdtempSync(join(tmpdir(), 'haivemind-queue-'));
  engine = await openSqliteEngine({ data_dir, synchronous: 'NORMAL' });
  engine.raw.exec('create table notes (note_id text primary key, body text not null)');
  store = databaseOn(engine, { machine_id: 'test-machine' }).withTables<Tables>();
});
afterEach(async () => {
  await store.close();
  rmSync(data_dir, { recursive: true, force: true });
});

const insert = (note_id: string, body = 'x') =>
  store.write(async (trx) => {
    await trx.insertInto('notes').values({ note_id, body }).execute();
    return note_id;
  });
const notes = async () =>
  (await store.db.selectFrom('notes').select('note_id').orderBy('note_id').execute()).map((row) => row.note_id);
const pageCount = () => Number(engine.raw.prepare('pragma page_count').get()?.page_count);

test('rows of many writers lie in the file in the order in which they asked', async () => {
  const ids = Array.from({ length: 500 }, (_, i) => `n${String(i).padStart(3, '0')}`);
  expect(await Promise.all(ids.map((id) => insert(id)))).toEqual(ids);
  const { rows } = await sql<{ note_id: string }>`select note_id from notes order by rowid`.execute(store.db);
  expect(rows.map((row) => row.note_id)).toEqual(ids);
});

test('a full store says so, keeps what it acknowledged and goes on when there is room', async () => {
  await insert('before');
  engine.raw.exec(`pragma max_page_count = ${pageCount() + 4}`);
  const outcomes = await Promise.allSettled([insert('small'), insert('large', 'x'.repeat(200_000)), insert('also')]);
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => outcome.reason);
  expect(failed.length).toBeGreaterThan(0);
  for (const reason of failed) {
    expect(reason).toBeInstanceOf(HaivemindError);
    expect(reason).toMatchObject({ code: 'storage_full', hint: expect.stringContaining('Free space') });
  }
  const acknowledged = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  expect(await notes()).toEqual([...acknowledged, 'before'].sort());
  engine.raw.exec('pragma max_page_count = 1000000');
  await insert('after', 'x'.repeat(200_000));
  expect(await notes()).toContain('after');
});

test('a failure below the query builder is told in words too', async () => {
  engine.raw.exec(`pragma max_page_count = ${pageCount()}`);
  const raw = store.write(async () => {
    engine.raw.prepare('insert into notes values (?, ?)').run('raw', 'x'.repeat(200_000));
  });
  await expect(raw).rejects.toMatchObject({ code: 'storage_full' });
  expect(await notes()).toEqual([]);
});

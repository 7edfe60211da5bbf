// The write door: group commit, failures that stay alone, and errors that say what went wrong.
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HaivemindError } from '../kernel/errors.ts';
import { type Database, openTemporaryDatabase } from './database.ts';

interface Tables {
  notes: { note_id: string; body: string };
}

let store: Database<Tables>;
beforeEach(async () => {
  const opened = await openTemporaryDatabase();
  opened.raw.exec('create table notes (note_id text primary key, body text not null)');
  store = opened.withTables<Tables>();
});
afterEach(() => store.close());

const insert = (note_id: string, body = 'x') =>
  store.write(async (trx) => {
    await trx.insertInto('notes').values({ note_id, body }).execute();
    return note_id;
  });
const notes = async () =>
  (await store.db.selectFrom('notes').select('note_id').orderBy('note_id').execute()).map((row) => row.note_id);

test('a failing write takes nothing of its own along and leaves its neighbours alone', async () => {
  const failing = store.write(async (trx) => {
    await trx.insertInto('notes').values({ note_id: 'half', body: 'x' }).execute();
    throw new Error('changed its mind');
  });
  const outcomes = await Promise.allSettled([insert('a'), failing, insert('b'), insert('a'), insert('c')]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
    'fulfilled',
  ]);
  expect(await notes()).toEqual(['a', 'b', 'c']);
});

test('a write is acknowledged when others can read it', async () => {
  const other = await openTemporaryDatabase({ data_dir: store.file.replace(/\/[^/]+$/, '') });
  for (let i = 0; i < 5; i++) {
    await insert(`n${i}`);
    const seen = other.raw.prepare('select count(*) as seen from notes').get();
    expect(seen).toEqual({ seen: i + 1 });
  }
  await other.close();
});

test('many writers, more than one group holds, all get their answer in order', async () => {
  const ids = Array.from({ length: 500 }, (_, i) => `n${String(i).padStart(3, '0')}`);
  expect(await Promise.all(ids.map((id) => insert(id)))).toEqual(ids);
  expect(await notes()).toEqual(ids);
  const rows = await sql<{ rowid: number; note_id: string }>`select rowid, note_id from notes order by rowid`.execute(
    store.db,
  );
  expect(rows.rows.map((row) => row.note_id)).toEqual(ids);
});

test('a write may start others; they come after it', async () => {
  const order: string[] = [];
  await store.write(async () => {
    void insert('inner').then(() => order.push('inner'));
    order.push('outer');
  });
  await insert('last');
  expect(order).toEqual(['outer', 'inner']);
});

test('a full store says so, keeps what it acknowledged and goes on when there is room', async () => {
  await insert('before');
  const { page_count } = store.raw.prepare('pragma page_count').get() as { page_count: number };
  store.raw.exec(`pragma max_page_count = ${page_count + 4}`);
  const outcomes = await Promise.allSettled([insert('small'), insert('large', 'x'.repeat(200_000)), insert('also')]);
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => outcome.reason);
  expect(failed.length).toBeGreaterThan(0);
  for (const reason of failed) {
    expect(reason).toBeInstanceOf(HaivemindError);
    expect(reason).toMatchObject({ code: 'storage_full', hint: expect.stringContaining('Free space') });
  }
  const acknowledged = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  expect(await notes()).toEqual([...acknowledged, 'before'].sort());
  store.raw.exec('pragma max_page_count = 1000000');
  await insert('after', 'x'.repeat(200_000));
  expect(await notes()).toContain('after');
});

test('a failure below the query builder is told in words too', async () => {
  const { page_count } = store.raw.prepare('pragma page_count').get() as { page_count: number };
  store.raw.exec(`pragma max_page_count = ${page_count}`);
  const raw = store.write(async () => {
    store.raw.prepare('insert into notes values (?, ?)').run('raw', 'x'.repeat(200_000));
  });
  await expect(raw).rejects.toMatchObject({ code: 'storage_full' });
  expect(await notes()).toEqual([]);
});

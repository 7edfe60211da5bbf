// The write lock: who waits for it leaves the thread to others, and joins what arrived meanwhile into one commit.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { databaseOn } from '../database.ts';
import { openSqliteEngine } from './engine.ts';

interface Tables {
  notes: { note_id: string };
}

test('a write that waits for another process leaves the thread free and follows when the lock is', async () => {
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-lock-'));
  const engine = await openSqliteEngine({ data_dir, synchronous: 'NORMAL' });
  engine.raw.exec('create table notes (note_id text primary key)');
  const store = databaseOn(engine, { machine_id: 'test-machine' }).withTables<Tables>();
  const other = await openSqliteEngine({ data_dir, synchronous: 'NORMAL' });
  other.raw.exec('begin immediate');
  const groups: number[] = [];
  let turn = 0;
  let settled = 0;
  const insert = async (note_id: string) => {
    await store.write(async (trx) => {
      groups.push(turn);
      await trx.insertInto('notes').values({ note_id }).execute();
    });
    settled++;
  };
  const first = insert('first');
  for (; turn < 20; turn++) await setImmediate();
  const second = insert('second');
  for (; turn < 40; turn++) await setImmediate();
  expect(settled).toBe(0);

  other.raw.exec('commit');
  await Promise.all([first, second]);
  expect(await store.db.selectFrom('notes').selectAll().execute()).toEqual([
    { note_id: 'first' },
    { note_id: 'second' },
  ]);
  expect(groups).toEqual([40, 40]);
  await Promise.all([store.close(), other.close()]);
});

// The write door on any engine: group commit, failures that stay alone, and no work that counts twice.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTemporaryDatabase } from '../../test/support/temporary-database.ts';
import type { Database } from './database.ts';
import { StaleRead } from './engine.ts';

interface Tables {
  notes: { note_id: string; body: string; place: number };
  counters: { name: string; value: number; version: number };
}

let data_dir: string;
let store: Database<Tables>;
const open = async () => (await openTemporaryDatabase({ data_dir })).withTables<Tables>();
beforeEach(async () => {
  data_dir = mkdtempSync(join(tmpdir(), 'haivemind-queue-'));
  store = await open();
  await store.write(async (trx) => {
    await sql
      .raw('create table notes (note_id text primary key, body text not null, place integer not null)')
      .execute(trx);
    await sql
      .raw('create table counters (name text primary key, value integer not null, version integer not null)')
      .execute(trx);
  });
});
afterEach(() => store.close());

/** A note's place is the number of notes its write found. */
const insert = (note_id: string, body = 'x') =>
  store.write(async (trx) => {
    const { place } = await trx
      .selectFrom('notes')
      .select(({ fn }) => fn.countAll<number>().as('place'))
      .executeTakeFirstOrThrow();
    await trx.insertInto('notes').values({ note_id, body, place }).execute();
    return note_id;
  });
const notes = async (by: 'note_id' | 'place' = 'note_id') =>
  (await store.db.selectFrom('notes').select('note_id').orderBy(by).execute()).map((row) => row.note_id);
const statusOf = (outcomes: readonly PromiseSettledResult<unknown>[]) => outcomes.map((outcome) => outcome.status);

test('a failing write takes nothing of its own along and leaves its neighbours alone', async () => {
  const failing = store.write(async (trx) => {
    await trx.insertInto('notes').values({ note_id: 'half', body: 'x', place: 0 }).execute();
    throw new Error('changed its mind');
  });
  const outcomes = await Promise.allSettled([insert('a'), failing, insert('b'), insert('a'), insert('c')]);
  expect(statusOf(outcomes)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
  expect(outcomes[1]).toMatchObject({ reason: { message: 'changed its mind' } });
  expect(await notes()).toEqual(['a', 'b', 'c']);
});

test('a failing write that is alone is rejected, and the next one goes through', async () => {
  await expect(
    store.write(async (trx) => {
      await trx.insertInto('notes').values({ note_id: 'half', body: 'x', place: 0 }).execute();
      throw new Error('changed its mind');
    }),
  ).rejects.toThrow('changed its mind');
  expect(await notes()).toEqual([]);
  await insert('a');
  await expect(insert('a')).rejects.toThrow();
  expect(await notes()).toEqual(['a']);
});

test('a write is acknowledged when others can read it', async () => {
  const other = await open();
  for (let i = 0; i < 5; i++) {
    await insert(`n${i}`);
    const seen = await other.db
      .selectFrom('notes')
      .select(({ fn }) => fn.countAll<number>().as('seen'))
      .executeTakeFirst();
    expect(seen).toEqual({ seen: i + 1 });
  }
  await other.close();
});

test('nobody sees a write before its commit, the store that writes included', async () => {
  const other = await open();
  const seen: string[][] = [];
  await store.write(async (trx) => {
    await trx.insertInto('notes').values({ note_id: 'under way', body: 'x', place: 0 }).execute();
    seen.push(await notes());
    seen.push((await other.db.selectFrom('notes').select('note_id').execute()).map((row) => row.note_id));
  });
  expect(seen).toEqual([[], []]);
  expect(await notes()).toEqual(['under way']);
  await other.close();
});

test('many writers, more than one group holds, all get their answer in order', async () => {
  const ids = Array.from({ length: 500 }, (_, i) => `n${String(i).padStart(3, '0')}`);
  expect(await Promise.all(ids.map((id) => insert(id)))).toEqual(ids);
  expect(await notes()).toEqual(ids);
  expect(await notes('place')).toEqual(ids);
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

const ROUNDS = 25;

test('two stores that add to one number, each to what it read, lose nothing', async () => {
  const other = await open();
  await store.write((trx) => trx.insertInto('counters').values({ name: 'hits', value: 0, version: 0 }).execute());
  const add = (through: Database<Tables>) =>
    through.write(async (trx) => {
      const found = await trx.selectFrom('counters').selectAll().where('name', '=', 'hits').executeTakeFirstOrThrow();
      const { numUpdatedRows } = await trx
        .updateTable('counters')
        .set({ value: found.value + 1, version: found.version + 1 })
        .where('name', '=', 'hits')
        .where('version', '=', found.version)
        .executeTakeFirst();
      if (numUpdatedRows !== 1n) throw new StaleRead();
      return found.value + 1;
    });
  const made = await Promise.all(Array.from({ length: ROUNDS }, () => [add(store), add(other)]).flat());
  expect([...made].sort((a, b) => a - b)).toEqual(Array.from({ length: 2 * ROUNDS }, (_, i) => i + 1));
  expect(await other.db.selectFrom('counters').selectAll().execute()).toEqual([
    { name: 'hits', value: 2 * ROUNDS, version: 2 * ROUNDS },
  ]);
  await other.close();
});

test('two stores that insert the same at once: one of them wins, and nothing else is lost', async () => {
  const other = await open();
  const claim = (through: Database<Tables>, note_id: string, body: string) =>
    through.write(async (trx) => {
      const found = await trx.selectFrom('notes').select('body').where('note_id', '=', note_id).executeTakeFirst();
      if (found) return found.body;
      await trx.insertInto('notes').values({ note_id, body, place: 0 }).execute();
      return body;
    });
  for (let i = 0; i < 10; i++) {
    const [ours, theirs] = await Promise.all([claim(store, `n${i}`, 'ours'), claim(other, `n${i}`, 'theirs')]);
    expect(ours).toBe(theirs);
  }
  expect(await notes()).toHaveLength(10);
  await other.close();
});

test('a write that passes over a failure of the engine is never acknowledged without being kept', async () => {
  await insert('there');
  const swallowing = (note_id: string) =>
    store.write(async (trx) => {
      await trx.insertInto('notes').values({ note_id, body: 'x', place: 0 }).execute();
      await trx
        .insertInto('notes')
        .values({ note_id: 'there', body: 'again', place: 0 })
        .execute()
        .catch(() => {});
      return note_id;
    });
  const alone = await Promise.allSettled([swallowing('alone')]);
  expect(await notes()).toEqual(alone[0]?.status === 'fulfilled' ? ['alone', 'there'] : ['there']);
  for (const ids of [['a'], ['b', 'c'], ['d', 'e', 'f']]) {
    const neighbours = [`beside ${ids[0]}`, `before ${ids[0]}`];
    const asked = [...ids, ...neighbours];
    const groups = [
      () => [...ids.map(swallowing), insert(`beside ${ids[0]}`)],
      () => [insert(`before ${ids[0]}`), ...ids.map((id) => swallowing(`${id} last`))],
    ];
    asked.push(...ids.map((id) => `${id} last`));
    const acknowledged: string[] = [];
    for (const group of groups)
      for (const outcome of await Promise.allSettled(group()))
        if (outcome.status === 'fulfilled') acknowledged.push(outcome.value);
    expect(acknowledged).toEqual(expect.arrayContaining(neighbours));
    expect((await notes()).filter((id) => asked.includes(id))).toEqual(acknowledged.sort());
  }
});

// The text index as part of the store, on any engine: it is written with the rows and seen when they are.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTemporaryDatabase } from '../../../test/support/temporary-database.ts';
import type { Database } from '../database.ts';

let store: Database;
let other: Database;
beforeEach(async () => {
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-text-'));
  store = await openTemporaryDatabase({ data_dir });
  other = await openTemporaryDatabase({ data_dir });
});
afterEach(() => Promise.all([store.close(), other.close()]));

const put = (through: Database, row_id: number, body: string) =>
  through.write((trx) => through.text.put(trx, row_id, { body }));
const found = async (through: Database, question: string) =>
  (await through.text.search(question, { limit: 10 })).map((hit) => hit.row_id);

test('a text is found through every store as soon as its write is acknowledged', async () => {
  await put(store, 1, 'the fan of the switch');
  expect(await found(store, 'fan')).toEqual([1]);
  expect(await found(other, 'fan')).toEqual([1]);
  await put(other, 1, 'the pump of the cooler');
  expect([await found(store, 'fan'), await found(store, 'pump')]).toEqual([[], [1]]);
  expect([await store.text.count(), await other.text.count()]).toEqual([1, 1]);
});

test('a text of a write that failed is not there, and the one it replaced still is', async () => {
  await put(store, 1, 'the fan of the switch');
  const failing = store.write(async (trx) => {
    await store.text.put(trx, 1, { body: 'the pump of the cooler' });
    await store.text.put(trx, 2, { body: 'a pump beside it' });
    throw new Error('changed its mind');
  });
  const outcomes = await Promise.allSettled([
    put(store, 3, 'a neighbour with a fan'),
    failing,
    put(store, 4, 'a belt'),
  ]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await found(store, 'pump')).toEqual([]);
  expect((await found(store, 'fan')).sort()).toEqual([1, 3]);
  expect(await found(store, 'belt')).toEqual([4]);
  expect(await store.text.count()).toBe(3);
});

test('a removal that failed removed nothing', async () => {
  await put(store, 1, 'the fan of the switch');
  await expect(
    store.write(async (trx) => {
      await store.text.remove(trx, 1);
      throw new Error('changed its mind');
    }),
  ).rejects.toThrow('changed its mind');
  expect(await found(store, 'fan')).toEqual([1]);
  await store.write((trx) => store.text.remove(trx, 1));
  expect([await found(store, 'fan'), await found(other, 'fan')]).toEqual([[], []]);
  expect(await store.text.count()).toBe(0);
});

test('a search does not see a text before its commit', async () => {
  const seen: number[][] = [];
  await store.write(async (trx) => {
    await store.text.put(trx, 1, { body: 'the fan of the switch' });
    seen.push(await found(store, 'fan'), await found(other, 'fan'));
  });
  expect(seen).toEqual([[], []]);
  expect(await found(other, 'fan')).toEqual([1]);
});

test('a typo is corrected towards a word that another store has written since', async () => {
  await put(store, 1, 'first text about apples');
  expect(await found(other, 'grafna')).toEqual([]);
  await put(store, 2, 'grafana dashboards');
  expect(await found(store, 'grafna')).toEqual([2]);
});

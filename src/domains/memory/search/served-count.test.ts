// The counts somebody asks for are those of now where they matter: after a mended index nothing old is reported.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTemporaryDatabase } from '../../../../test/support/temporary-database.ts';
import type { Database } from '../../../storage/database.ts';
import type { MemoryDatabase } from '../repository.ts';
import type { MemoryTables } from '../tables.ts';
import { noteChanged, settleChanges } from './outbox.ts';
import { createServedCount } from './served-count.ts';
import { embedRows, newRow, storeRows } from './stored-rows.ts';

const MODEL = { id: 'suite', dimensions: 3 };

let database: Database;
let store: MemoryDatabase;
beforeEach(async () => {
  database = await openTemporaryDatabase();
  store = database.withTables<MemoryTables>();
  const ids = await storeRows(store, [newRow('m1'), newRow('m2')]);
  await embedRows(store, MODEL, ids, () => [Float32Array.of(1, 0, 0)]);
});
afterEach(() => database.close());

it('counts again what differed, and reports it no longer once it is mended', async () => {
  const state = { index: 0 };
  const server = { count: async () => state.index };
  const { counted } = createServedCount({ store, server, model: MODEL });
  expect(await counted()).toEqual({ index: 0, store: 2 });
  state.index = 2;
  await expect.poll(counted).toEqual({ index: 2, store: 2 });
});

it('asks once for many who ask at the same time', async () => {
  let asked = 0;
  const server = {
    count: async () => {
      asked++;
      return 2;
    },
  };
  const { counted } = createServedCount({ store, server, model: MODEL });
  expect(await Promise.all([counted(), counted(), counted()])).toEqual(Array(3).fill({ index: 2, store: 2 }));
  expect(asked).toBe(1);
});

it('compares nothing while changes are on their way, or the index does not answer', async () => {
  const away = createServedCount({ store, server: { count: () => Promise.reject(new Error('away')) }, model: MODEL });
  expect(await away.counted()).toBeUndefined();
  expect(await away.survey()).toBe(2);
  const { counted, survey } = createServedCount({ store, server: { count: async () => 1 }, model: MODEL });
  await store.write((trx) => noteChanged(trx, [1]));
  expect([await counted(), await survey(), await counted()]).toEqual([undefined, 2, undefined]);
  await settleChanges(store, [{ row_id: 1, attempts: 0, claimed_until: 0 }]);
  expect(await counted()).toEqual({ index: 1, store: 2 });
});

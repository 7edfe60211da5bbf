// Claims end with their step: what cannot be ended because the store is away itself is given back as soon as it is there.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTemporaryDatabase } from '../../../../test/support/temporary-database.ts';
import { virtualClock } from '../../../kernel/clock.ts';
import { failure } from '../../../kernel/errors.ts';
import type { Database } from '../../../storage/database.ts';
import type { MemoryDatabase } from '../repository.ts';
import type { MemoryTables } from '../tables.ts';
import { claimChanges, noteChanged, pendingChanges } from './outbox.ts';
import { createOutboxWorker } from './outbox-worker.ts';
import { embedRows, newRow, storeRows } from './stored-rows.ts';

const MODEL = { id: 'model', dimensions: 4 };
const ROWS = 5;
const clock = virtualClock();
const nothing = () => {};
let database: Database;
let store: MemoryDatabase;
let ids: number[];

beforeAll(async () => {
  database = await openTemporaryDatabase({ clock });
  store = { ...database.withTables<MemoryTables>(), noteForIndex: noteChanged };
  ids = await storeRows(
    store,
    Array.from({ length: ROWS }, (_, i) => newRow(`m${i}`)),
  );
  await embedRows(store, MODEL, ids, (row_id) => [Float32Array.of(1, row_id, 0, 0)]);
});
afterAll(() => database.close());

/** A worker of one process, and what happens to it. */
function make() {
  const state = { store_answers: true, away: false, put: () => {} };
  const step = createOutboxWorker({
    store: {
      ...store,
      write: (work) =>
        state.store_answers ? store.write(work) : Promise.reject(failure('unavailable', 'No store.', 'Start it.')),
    },
    model: MODEL,
    server: { put: async () => state.put(), remove: async () => {} },
    guarded: (work) => work(),
    isAway: () => state.away,
    onRefusal: nothing,
    onError: nothing,
  });
  return { state, step };
}

it('goes on at once where the store went away before a batch was settled', async () => {
  const { state, step } = make();
  state.put = () => {
    state.store_answers = false;
  };
  await expect(step()).rejects.toThrow('No store.');
  expect(await pendingChanges(store)).toBe(ROWS);
  state.put = nothing;
  await expect(step()).rejects.toThrow('No store.');
  state.store_answers = true;
  expect(await step()).toEqual({ done: ROWS });
  expect(await pendingChanges(store)).toBe(0);
});

it('leaves a batch to others at once where the server goes away, as if nobody had tried it', async () => {
  await store.write((trx) => noteChanged(trx, ids));
  const { state, step } = make();
  state.put = () => {
    state.away = true;
    throw failure('unavailable', 'No answer.', 'Start it.');
  };
  expect(await step()).toBe('away');
  const claims = await claimChanges(store, ROWS, clock.now() + 1);
  expect(claims.map(({ attempts }) => attempts)).toEqual(ids.map(() => 1));
});

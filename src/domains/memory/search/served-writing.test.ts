// A server that answers and takes no changes is searched as ever; once it takes them again, all of them get there at once.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTemporaryDatabase } from '../../../../test/support/temporary-database.ts';
import { virtualClock } from '../../../kernel/clock.ts';
import { failure } from '../../../kernel/errors.ts';
import type { Database } from '../../../storage/database.ts';
import type { IndexedMemory, VectorServer } from '../../../storage/vectors/servers/port.ts';
import type { MemoryDatabase } from '../repository.ts';
import type { MemoryTables } from '../tables.ts';
import { noteChanged, pendingChanges } from './outbox.ts';
import { createServedVectors } from './served.ts';
import { embedRows, newRow, storeRows } from './stored-rows.ts';

const MODEL = { id: 'model', dimensions: 4 };
const ROWS = 300;
const SWEEP_MS = 2_000;
const OUTAGE_MS = 10 * 60_000;
const clock = virtualClock();
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

/** Every row is noted, and nobody has tried to bring it to the index. */
beforeEach(() =>
  store.write(async (trx) => {
    await trx.deleteFrom('vector_outbox').execute();
    await noteChanged(trx, ids);
  }),
);

function make() {
  const state = { answers: true, takes: true, bad: -1, puts: 0 };
  const index = new Set<number>();
  const told: string[] = [];
  const answer = <T>(value: T): Promise<T> =>
    state.answers ? Promise.resolve(value) : Promise.reject(failure('unavailable', 'No answer.', 'Start it.'));
  const server: VectorServer = {
    kind: 'chroma',
    place: 'the test',
    async put(memories: readonly IndexedMemory[]) {
      state.puts++;
      await answer(undefined);
      if (!state.takes || memories.some((memory) => memory.row_id === state.bad))
        throw failure('unavailable', 'It takes no changes.', 'Restart it.');
      for (const memory of memories) index.add(memory.row_id);
    },
    remove: () => answer(undefined),
    nearest: () => answer([{ row_id: ids[0] ?? 0, chunk: 0, score: 1 }]),
    revisions: () => answer([]),
    count: () => answer(index.size),
    clear: () => answer(undefined),
    check: () => answer({ version: '1', latency_ms: 1 }),
    async [Symbol.asyncDispose]() {},
  };
  const onError = (_: unknown, message: string): void => void told.push(message);
  const served = createServedVectors({ store, server, model: MODEL, fits: false, onError });
  const search = () => served.search(Float32Array.of(1, 0, 0, 0), { limit: 1 });
  /** What a hub does every two seconds; the search is what lets it see that a server that was away is back. */
  async function sweep(): Promise<void> {
    clock.advance(SWEEP_MS);
    await search().catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    for (;;) if (typeof (await served.step()) !== 'object') return;
  }
  async function sweepFor(ms: number): Promise<void> {
    for (let passed_ms = 0; passed_ms < ms; passed_ms += SWEEP_MS) await sweep();
  }
  return { state, index, told, served, search, sweep, sweepFor };
}

describe('changes for a server that takes none', () => {
  it('are all there seconds after it takes them again, however long it did not', async () => {
    const { state, index, told, served, search, sweepFor } = make();
    state.takes = false;
    await sweepFor(OUTAGE_MS);
    expect(await pendingChanges(store)).toBe(ROWS);
    // It is searched all the time, asked to take something a few times a minute, and what is wrong is said once.
    expect(served.trouble()).toMatchObject({ message: 'It takes no changes.', hint: 'Restart it.' });
    expect(await search()).toHaveLength(1);
    expect(state.puts).toBeLessThan((OUTAGE_MS / 10_000) * 4);
    expect(told).toEqual(['the vector index takes no changes; they wait, and what it has is searched']);
    state.takes = true;
    await sweepFor(12_000);
    // All but the few it was tried with last.
    expect(index.size).toBeGreaterThanOrEqual(ROWS - 4);
    await sweepFor(8_000);
    expect([index.size, await pendingChanges(store)]).toEqual([ROWS, 0]);
    expect(served.trouble()).toBeUndefined();
    expect(told.slice(1)).toEqual(['the vector index takes changes again']);
  });

  it('are no trouble any more to a process that finds none left, because others brought them', async () => {
    const { state, served, sweepFor } = make();
    state.takes = false;
    await sweepFor(20_000);
    expect(served.trouble()).toBeDefined();
    await store.write((trx) => trx.deleteFrom('vector_outbox').execute());
    await sweepFor(12_000);
    expect(served.trouble()).toBeUndefined();
  });

  it('are all there as soon as a server that was away answers', async () => {
    const { state, index, told, served, sweepFor } = make();
    for (let outage = 0; outage < 8; outage++) {
      state.answers = false;
      await sweepFor(20_000);
      expect(served.trouble()).toMatchObject({ message: 'No answer.' });
      state.answers = true;
      state.takes = false;
      await sweepFor(4_000);
      state.takes = true;
    }
    expect(index.size).toBe(0);
    await sweepFor(12_000);
    expect(index.size).toBeGreaterThanOrEqual(ROWS - 16);
    await sweepFor(8_000);
    expect([index.size, await pendingChanges(store)]).toEqual([ROWS, 0]);
    expect(told.at(-1)).toBe('the vector index takes changes again');
  });

  it('do not wait for one among them that is refused', async () => {
    const { state, index, sweepFor } = make();
    state.bad = ids[0] ?? 0;
    await sweepFor(6_000);
    expect([index.size, await pendingChanges(store)]).toEqual([ROWS - 1, 1]);
    state.bad = -1;
    await sweepFor(60_000);
    expect([index.size, await pendingChanges(store)]).toEqual([ROWS, 0]);
  });
});

// The index follows the rows: whatever two hubs, their slow requests and their deaths do, it ends as the rows are.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTemporaryDatabase } from '../../../../test/support/temporary-database.ts';
import { virtualClock } from '../../../kernel/clock.ts';
import { failure } from '../../../kernel/errors.ts';
import type { Database } from '../../../storage/database.ts';
import type { IndexedMemory } from '../../../storage/vectors/servers/port.ts';
import { findRow, type MemoryDatabase, purgeRow, updateRow } from '../repository.ts';
import type { MemoryTables } from '../tables.ts';
import { readIndexed } from './indexed-rows.ts';
import { claimChanges, noteChanged, pendingChanges, settleChanges } from './outbox.ts';
import { createOutboxWorker, type Step } from './outbox-worker.ts';
import { changeRow, embedRows, newRow, note, storeRows } from './stored-rows.ts';

const MODEL = { id: 'model', dimensions: 4 };
const CLAIM_OVER_MS = 60_001;
const nothing = () => {};
const clock = virtualClock();
let database: Database;
let store: MemoryDatabase;

beforeAll(async () => {
  database = await openTemporaryDatabase({ clock });
  store = { ...database.withTables<MemoryTables>(), noteForIndex: noteChanged };
});
afterAll(() => database.close());

async function emptyStore(): Promise<void> {
  await store.write(async (trx) => {
    for (const table of [
      'vector_outbox',
      'memory_vectors',
      'memory_vector_queue',
      'memory_versions',
      'memories',
    ] as const)
      await trx.deleteFrom(table).execute();
  });
}

/** An index in memory whose requests arrive when the test lets them. */
function createIndex() {
  const memories = new Map<number, IndexedMemory>();
  const flying: { readonly hub: string; readonly sent_ms: number; land(answer: boolean): void }[] = [];
  let arrived = Promise.withResolvers<void>();
  const send = (hub: string, apply: () => void): Promise<void> =>
    new Promise((resolve) => {
      const land = (answer: boolean) => {
        apply();
        if (answer) resolve();
      };
      flying.push({ hub, sent_ms: clock.now(), land });
      arrived.resolve();
      arrived = Promise.withResolvers();
    });
  return {
    memories,
    flying,
    arrival: () => arrived.promise,
    as: (hub: string) => ({
      put: (given: readonly IndexedMemory[]) =>
        send(hub, () => {
          for (const memory of given) memories.set(memory.row_id, memory);
        }),
      remove: (row_ids: readonly number[]) =>
        send(hub, () => {
          for (const row_id of row_ids) memories.delete(row_id);
        }),
    }),
  };
}

const vectorsOf = (row_id: number) => [Float32Array.of(1, row_id, 0, 0), Float32Array.of(0, 1, row_id, 0)];

/** Two hubs on one store and one index, moved on step by step. */
async function createWorld() {
  await emptyStore();
  const index = createIndex();
  const names = ['first', 'second'] as const;
  const start = (name: string) =>
    createOutboxWorker({
      store,
      model: MODEL,
      server: index.as(name),
      guarded: (work) => work(),
      isAway: () => false,
      onRefusal: nothing,
      onError: (error) => {
        throw error;
      },
    });
  const hubs = names.map((name) => ({ name, step: start(name), busy: undefined as Promise<Step> | undefined }));
  type Hub = (typeof hubs)[number];
  const ids = await storeRows(
    store,
    ['m1', 'm2', 'm3'].map((id) => newRow(id)),
  );

  async function settleHub(hub: Hub, work: Promise<Step>, arrival: Promise<void>): Promise<void> {
    hub.busy = work;
    const finished = work.then(() => {
      if (hub.busy === work) hub.busy = undefined;
    });
    await Promise.race([finished, arrival]);
  }
  async function begin(hub: Hub): Promise<void> {
    if (hub.busy) return;
    const arrival = index.arrival();
    await settleHub(hub, hub.step(), arrival);
  }
  async function land(at: number): Promise<void> {
    const [request] = index.flying.splice(at % Math.max(1, index.flying.length), 1);
    const hub = hubs.find(({ name }) => name === request?.hub);
    if (!request || !hub?.busy) return;
    const arrival = index.arrival();
    request.land(true);
    await settleHub(hub, hub.busy, arrival);
  }
  /** Its request may have arrived or not. One older than a claim has ended by its own deadline. */
  function kill(hub: Hub, arrives: boolean): void {
    const at = index.flying.findIndex(({ hub: name }) => name === hub.name);
    const [request] = at < 0 ? [] : index.flying.splice(at, 1);
    if (arrives && request && clock.now() - request.sent_ms < CLAIM_OVER_MS) request.land(false);
    hub.busy = undefined;
    hub.step = start(hub.name);
  }
  async function finish(): Promise<void> {
    while (index.flying.length > 0) await land(0);
    for (let tries = 0; tries < 50 && (await pendingChanges(store)) > 0; tries++) {
      clock.advance(CLAIM_OVER_MS);
      for (const hub of hubs) await begin(hub);
      while (index.flying.length > 0) await land(0);
    }
  }
  return { index, hubs, ids, begin, land, kill, finish };
}

type World = Awaited<ReturnType<typeof createWorld>>;

const memoryId = fc.constantFrom('m1', 'm2', 'm3');
const hubAt = fc.nat({ max: 1 });
type Action = (world: World) => Promise<void> | void;
const named = (text: string, action: Action) => Object.assign(action, { toString: () => text });

const action = fc.oneof(
  fc
    .tuple(memoryId, fc.constantFrom('security', 'runbooks'))
    .map(([id, category]) => named(`${id} in ${category}`, () => changeRow(store, id, { category }))),
  memoryId.map((id) =>
    named(`${id} gets vectors`, async () => {
      const row = await findRow(store.db, id);
      if (row) await embedRows(store, MODEL, [row.row_id], vectorsOf);
    }),
  ),
  memoryId.map((id) =>
    named(`${id} says something else`, () =>
      store.write(async (trx) => {
        const row = await findRow(trx, id);
        if (!row) return;
        await updateRow(store, trx, row, { content: `${row.content}!` }, note);
        await trx.deleteFrom('memory_vectors').where('row_id', '=', row.row_id).execute();
        await trx
          .insertInto('memory_vector_queue')
          .values({ row_id: row.row_id, attempts: 0, claimed_until: 0 })
          .onConflict((conflict) => conflict.column('row_id').doNothing())
          .execute();
      }),
    ),
  ),
  memoryId.map((id) =>
    named(`${id} is destroyed`, () =>
      store.write(async (trx) => {
        const row = await findRow(trx, id);
        if (row) await purgeRow(store, trx, row);
      }),
    ),
  ),
  hubAt.map((at) => named(`hub ${at} begins`, (world) => world.begin(world.hubs[at] as World['hubs'][number]))),
  hubAt.map((at) => named(`hub ${at} begins`, (world) => world.begin(world.hubs[at] as World['hubs'][number]))),
  fc.nat({ max: 3 }).map((at) => named(`request ${at} arrives`, (world) => world.land(at))),
  fc.nat({ max: 3 }).map((at) => named(`request ${at} arrives`, (world) => world.land(at))),
  fc
    .tuple(hubAt, fc.boolean())
    .map(([at, arrives]) =>
      named(`hub ${at} dies, its request ${arrives ? 'arrives' : 'is lost'}`, (world) =>
        world.kill(world.hubs[at] as World['hubs'][number], arrives),
      ),
    ),
  fc
    .constantFrom(1_000, CLAIM_OVER_MS, CLAIM_OVER_MS)
    .map((ms) => named(`${ms} ms pass`, () => void clock.advance(ms))),
);

describe('the outbox of a vector index', () => {
  it('leaves the index as the rows are, whatever two hubs and their requests do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40, size: 'max' }), async (actions) => {
        const world = await createWorld();
        await embedRows(store, MODEL, world.ids, vectorsOf);
        for (const act of actions) await act(world);
        await world.finish();
        expect(await pendingChanges(store)).toBe(0);
        const rows = await readIndexed(store, MODEL, world.ids);
        expect([...world.index.memories.values()].sort((a, b) => a.row_id - b.row_id)).toEqual(rows);
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it('keeps a row noted that changed while its state was on its way', async () => {
    await emptyStore();
    const [row_id = 0] = await storeRows(store, [newRow('m1')]);
    await embedRows(store, MODEL, [row_id], vectorsOf);
    const claims = await claimChanges(store, 10, clock.now() + 1_000);
    expect(claims).toEqual([{ row_id, attempts: 1, claimed_until: clock.now() + 1_000 }]);
    expect(await claimChanges(store, 10, clock.now() + 2_000)).toEqual([]);
    await changeRow(store, 'm1', { category: 'security' });
    // Nobody else may write the row while the claim lasts.
    expect(await claimChanges(store, 10, clock.now() + 2_000)).toEqual([]);
    await settleChanges(store, claims);
    const again = await claimChanges(store, 10, clock.now() + 2_000);
    expect(again.map((claim) => claim.row_id)).toEqual([row_id]);
    await settleChanges(store, again);
    expect(await pendingChanges(store)).toBe(0);
  });

  it('lets the last state win where a request arrives after its claim ended', async () => {
    const world = await createWorld();
    const [slow, quick] = world.hubs as [World['hubs'][number], World['hubs'][number]];
    await embedRows(store, MODEL, world.ids, vectorsOf);
    await world.begin(slow);
    await changeRow(store, 'm2', { category: 'security' });
    clock.advance(CLAIM_OVER_MS);
    await world.begin(quick);
    await world.land(1);
    expect([...world.index.memories.values()].map(({ payload }) => payload.category)).toContain('security');
    await world.land(0);
    expect([...world.index.memories.values()].map(({ payload }) => payload.category)).not.toContain('security');
    await world.finish();
    expect([...world.index.memories.values()]).toEqual(await readIndexed(store, MODEL, world.ids));
  });

  it('leaves a row that the index refuses for later, longer each time, and brings the others', async () => {
    await emptyStore();
    const ids = await storeRows(
      store,
      ['m1', 'm2', 'm3'].map((id) => newRow(id)),
    );
    await embedRows(store, MODEL, ids, vectorsOf);
    const brought = new Set<number>();
    let refuses = true;
    const errors: unknown[] = [];
    const step = createOutboxWorker({
      store,
      model: MODEL,
      server: {
        put: async (memories) => {
          if (refuses && memories.some((memory) => memory.row_id === ids[1]))
            throw failure('internal', 'Not this one.', 'Nothing.');
          for (const memory of memories) brought.add(memory.row_id);
        },
        remove: async () => {},
      },
      guarded: (work) => work(),
      isAway: () => false,
      onRefusal: nothing,
      onError: (error) => void errors.push(error),
    });
    expect(await step()).toEqual({ done: 3 });
    expect([...brought]).toEqual([ids[0], ids[2]]);
    expect(await step()).toBe('empty');
    clock.advance(1_001);
    expect(await step()).toEqual({ done: 1 });
    clock.advance(1_001);
    expect(await step()).toBe('empty');
    refuses = false;
    clock.advance(1_000);
    expect(await step()).toEqual({ done: 1 });
    expect([brought.size, await pendingChanges(store), errors.length]).toEqual([3, 0, 2]);
  });
});

// Search through an index that another program holds finds what the embedded index finds, on the real programs.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startChroma, startPgvector } from '../../../../scripts/engines/index.ts';
import { describeEngine } from '../../../../test/engines/suites.ts';
import { seeded } from '../../../../test/support/seeded.ts';
import { openTemporaryDatabase } from '../../../../test/support/temporary-database.ts';
import type { Database } from '../../../storage/database.ts';
import { createMemoryIndex } from '../../../storage/vectors/memory-index.ts';
import { createChromaServer } from '../../../storage/vectors/servers/chroma.ts';
import { createPgvectorServer } from '../../../storage/vectors/servers/pgvector.ts';
import type { VectorServer } from '../../../storage/vectors/servers/port.ts';
import { type MemoryDatabase, matchingRowIds } from '../repository.ts';
import type { MemoryTables } from '../tables.ts';
import { createVectorMirror } from './mirror.ts';
import { noteChanged, pendingChanges } from './outbox.ts';
import { pushdown } from './pushdown.ts';
import { createServedVectors } from './served.ts';
import { changeRow, embedRows, newRow, storeRows } from './stored-rows.ts';
import type { MemoryVectors } from './vectors.ts';

const MODEL = { id: 'suite', dimensions: 48 };
const ROWS = 2_600;
const QUERIES = 60;
const LIMIT = 10;
const ann = { user_id: 'ann', agent_id: 'a1', machine_id: 'm1' };
const random = seeded(11);

/** Around one of thirty topics, all of which share a direction: what whitening is for. */
const component = () => random.below(2_000) / 1_000 - 1;
const unit = (vector: Float32Array) => vector.map((value) => value / (Math.hypot(...vector) || 1));
const topics = Array.from({ length: 30 }, () => Float32Array.from({ length: MODEL.dimensions }, component));
const somewhere = () => {
  const topic = random.pick(topics);
  return unit(Float32Array.from(topic, (value, i) => (i === 0 ? 4 : value + 0.8 * component())));
};

const ADAPTERS = [
  {
    kind: 'chroma',
    start: startChroma,
    open: (url: string) => createChromaServer({ url, store_id: 's', model_id: MODEL.id, dimensions: MODEL.dimensions }),
  },
  {
    kind: 'pgvector',
    start: startPgvector,
    open: (url: string) =>
      createPgvectorServer({ url, store_id: 's', model_id: MODEL.id, dimensions: MODEL.dimensions }),
  },
] as const;

describe.each(ADAPTERS)('search through $kind', ({ kind, start, open }) => {
  describeEngine(kind, () => {
    let engine: Awaited<ReturnType<typeof start>>;
    let server: VectorServer;
    let database: Database;
    let store: MemoryDatabase;
    let embedded: MemoryVectors;
    let served: MemoryVectors;
    let ids: number[];
    const errors: unknown[] = [];
    const questions = Array.from({ length: QUERIES }, somewhere);

    beforeAll(async () => {
      engine = await start();
      server = open(engine.url);
      database = await openTemporaryDatabase();
      store = { ...database.withTables<MemoryTables>(), noteForIndex: noteChanged };
      const rows = Array.from({ length: ROWS }, (_, i) =>
        newRow(`m${i}`, {
          category: i % 100 === 7 ? 'runbooks' : i % 2 ? 'security' : 'global',
          user_id: i % 10 === 0 ? 'bob' : 'ann',
          scope: i % 20 === 0 ? 'shared' : 'solo',
          tags: JSON.stringify(i % 3 ? ['odd "tag"'] : []),
        }),
      );
      ids = await storeRows(store, rows);
      await embedRows(store, MODEL, ids, (row_id) => Array.from({ length: row_id % 7 === 0 ? 3 : 1 }, somewhere));
      embedded = createVectorMirror({
        store,
        index: createMemoryIndex(MODEL.dimensions),
        model_id: MODEL.id,
        fits: false,
        onError: (error) => errors.push(error),
      });
      served = createServedVectors({
        store,
        server,
        model: MODEL,
        fits: true,
        onError: (error) => errors.push(error),
      });
      served.changed(ids);
      // Fits the collection as a long-lived process does, and keeps the fit in the store.
      served.start();
      await served.settle(AbortSignal.timeout(60_000));
      const fits = () => store.db.selectFrom('vector_state').select('row_count').execute();
      await vi.waitFor(async () => expect(await fits()).toEqual([{ row_count: ROWS }]), { timeout: 30_000 });
      await embedded.refresh();
    });
    afterAll(async () => {
      await served?.stop();
      await database?.close();
      await engine?.stop();
    });

    const search = (vectors: MemoryVectors, query: Float32Array, options: object = {}) =>
      vectors.search(query, { limit: LIMIT, ...options });
    /** Share of what the embedded index finds that is found through the server too. */
    async function overlap(options: object = {}): Promise<number> {
      let common = 0;
      let all = 0;
      for (const query of questions) {
        const expected = await search(embedded, query, options);
        const found = new Map((await search(served, query, options)).map((hit) => [hit.row_id, hit]));
        for (const hit of expected) {
          all++;
          const same = found.get(hit.row_id);
          if (!same) continue;
          common++;
          expect(same.chunk).toBe(hit.chunk);
          expect(same.score).toBeCloseTo(hit.score, 4);
          expect(same.cosine).toBeCloseTo(hit.cosine, 4);
        }
      }
      expect(all).toBeGreaterThan(QUERIES);
      return common / all;
    }

    it('has every vector, and says so', async () => {
      expect(await pendingChanges(store)).toBe(0);
      expect(await server.revisions(0, 3)).toMatchObject([{ row_id: 1 }, { row_id: 2 }, { row_id: 3 }]);
      await expect
        .poll(async () => (await served.check())?.counted, { timeout: 30_000 })
        .toEqual({ index: await server.count(), store: ROWS + 2 * Math.floor(ROWS / 7) });
      expect(served.size()).toBe(ROWS);
      expect(errors).toEqual([]);
    });

    it('finds what the embedded index finds, with its scores', async () => {
      expect(await overlap()).toBeGreaterThanOrEqual(0.95);
      expect(await overlap({ metric: 'cosine' })).toBeGreaterThanOrEqual(0.95);
    });

    it('compares small sets whole', async () => {
      const allowed = new Set(ids.filter((id) => id % 5 === 0));
      expect(await overlap({ allowed })).toBe(1);
    });

    it('searches large sets with what of their filter the server can check', async () => {
      const filter = { category: ['security'] };
      const allowed = new Set(await matchingRowIds(store, filter, ann));
      expect(allowed.size).toBeGreaterThan(1_000);
      expect(await overlap({ allowed, filter: pushdown(filter, ann) })).toBeGreaterThanOrEqual(0.95);
    });

    it('finds all of a large set where the server cannot check its filter', async () => {
      // Every row of it is farther away than half of the collection: nothing near may be found.
      const [query = somewhere()] = questions;
      const far = (await embedded.scores(query, ids)).sort((a, b) => a.score - b.score).slice(0, 1_300);
      const allowed = new Set(far.map((hit) => hit.row_id));
      const expected = await search(embedded, query, { allowed });
      expect(expected).toHaveLength(LIMIT);
      expect((await search(served, query, { allowed })).map((hit) => hit.row_id)).toEqual(
        expected.map((hit) => hit.row_id),
      );
    });

    it('follows a changed category and a deletion', async () => {
      const [query = somewhere()] = questions;
      const [first, second] = await search(served, query);
      if (!first || !second) throw new Error('nothing found');
      const hitsIn = async (category: string) =>
        (await server.nearest(query, { limit: 50, filter: pushdown({ category: [category] }, ann) })).map(
          (chunk) => chunk.row_id,
        );
      expect(await hitsIn('infrastructure')).toEqual([]);
      const memoryOf = (row_id: number) => `m${ids.indexOf(row_id)}`;
      await changeRow(store, memoryOf(first.row_id), { category: 'infrastructure', scope: 'shared' });
      await changeRow(store, memoryOf(second.row_id), { deleted_at: '2026-01-02T00:00:00.000Z' });
      served.changed([first.row_id]);
      served.forget([second.row_id]);
      await expect.poll(() => hitsIn('infrastructure'), { timeout: 30_000 }).toContain(first.row_id);
      await expect.poll(() => pendingChanges(store), { timeout: 30_000 }).toBe(0);
      const left = await server.revisions(second.row_id - 1, 1);
      expect(left.map((row) => row.row_id)).not.toContain(second.row_id);
    });

    it('says that the server is away, leaves it alone and comes back by itself', async () => {
      const [query = somewhere()] = questions;
      await engine.kill();
      await expect(search(served, query)).rejects.toMatchObject({ code: 'unavailable' });
      expect(served.trouble()).toMatchObject({ code: 'unavailable' });
      // Small sets and scores need no server.
      expect(await search(served, query, { allowed: new Set(ids.slice(0, 50)) })).toHaveLength(LIMIT);
      expect(await served.scores(query, ids.slice(0, 5))).toHaveLength(5);
      await changeRow(store, 'm1', { category: 'infrastructure', scope: 'shared' });
      served.changed([]);
      await expect(search(served, query)).rejects.toMatchObject({ code: 'unavailable' });
      expect(await served.pending()).toBe(1);
      await engine.restart();
      await expect.poll(() => served.trouble(), { timeout: 30_000 }).toBeUndefined();
      await expect.poll(() => served.pending(), { timeout: 90_000 }).toBe(0);
      expect(await search(served, query)).toHaveLength(LIMIT);
    }, 150_000);
  });
});

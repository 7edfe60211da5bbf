// One suite for every vector server, against the real ones and an exact reference.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EngineServer, startChroma, startPgvector } from '../../../../scripts/engines/index.ts';
import { createChromaServer } from './chroma.ts';
import { createReference, DIMENSIONS, filter, memory, unit } from './exact-reference.ts';
import { createPgvectorServer } from './pgvector.ts';
import type { NearChunk, VectorFilter, VectorServer } from './port.ts';

const ADAPTERS = [
  {
    kind: 'chroma',
    start: startChroma,
    open: (url: string, model_id = 'suite', dimensions = DIMENSIONS, store_id = 's') =>
      createChromaServer({ url, store_id, model_id, dimensions }),
  },
  {
    kind: 'pgvector',
    start: startPgvector,
    open: (url: string, model_id = 'suite', dimensions = DIMENSIONS, store_id = 's') =>
      createPgvectorServer({ url, store_id, model_id, dimensions }),
  },
] as const;

const rows = (found: readonly NearChunk[]): number[] => found.map(({ row_id }) => row_id).sort((a, b) => a - b);

describe.each(ADAPTERS)('$kind as a vector server', ({ start, open, kind }) => {
  let engine: EngineServer & { readonly url: string };
  let server: VectorServer;

  beforeAll(async () => {
    engine = await start();
    server = open(engine.url);
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await engine?.stop();
  });
  beforeEach(() => server.clear());

  it('says what it is and that it answers', async () => {
    expect(server.kind).toBe(kind);
    expect(server.place).toContain(String(engine.port));
    const { version, latency_ms } = await server.check();
    expect(version).toMatch(/^\d+\.\d+/);
    expect(latency_ms).toBeGreaterThanOrEqual(0);
  });

  it('answers nothing where nothing was written yet', async () => {
    expect(await server.nearest(unit(1), { limit: 5 })).toEqual([]);
    expect(await server.revisions(0, 5)).toEqual([]);
    expect(await server.count()).toBe(0);
    await server.remove([1, 2]);
    await server.clear();
    await server.put([]);
    expect(await server.count()).toBe(0);
  });

  it('finds chunks by inner product, with queries of any length', async () => {
    await server.put([memory(1, [unit(1), unit(0, 1)]), memory(2, [unit(1, 1)]), memory(3, [unit(-1)])]);
    const query = Float32Array.of(6, 2, 0, 0, 0, 0, 0, 0);
    const found = await server.nearest(query, { limit: 10 });
    expect(found.map(({ row_id, chunk }) => [row_id, chunk])).toEqual([
      [1, 0],
      [2, 0],
      [1, 1],
      [3, 0],
    ]);
    const expected = [6, 8 / Math.SQRT2, 2, -6];
    for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(expected[i] ?? Number.NaN, 4);
    expect(await server.nearest(query, { limit: 2 })).toHaveLength(2);
    expect(await server.nearest(query, { limit: 0 })).toEqual([]);
  });

  it('replaces all that it has of a memory: chunks, revision, payload and tags', async () => {
    const first = memory(1, [unit(1), unit(0, 1), unit(0, 0, 1)], {
      tags: ['old', 'both'],
      project: 'p',
      scope: 'shared',
    });
    await server.put([first, memory(2, [unit(0, 0, 0, 1)])]);
    await server.put([{ ...memory(1, [unit(0, 1)], { tags: ['both', 'new'] }), revision: 'later' }]);
    expect(await server.count()).toBe(2);
    expect(await server.revisions(0, 10)).toEqual([
      { row_id: 1, revision: 'later', chunks: 1 },
      { row_id: 2, revision: 'r2', chunks: 1 },
    ]);
    const with_filter = async (over: Partial<VectorFilter>) =>
      rows(await server.nearest(unit(1, 1), { limit: 10, filter: filter(over) }));
    expect(await with_filter({ tags_any: ['old'] })).toEqual([]);
    expect(await with_filter({ tags_any: ['new'] })).toEqual([1]);
    expect(await with_filter({ tags_all: ['both', 'new'] })).toEqual([1]);
    expect(await with_filter({ any_of: [{ field: 'project', values: ['p'] }] })).toEqual([]);
    expect(await with_filter({ visible_to: { user_id: 'bob', scopes: [] } })).toEqual([]);
  });

  it('may be given the same again, and takes back and forgets twice', async () => {
    const given = [memory(1, [unit(1), unit(0, 1)], { tags: ['x'] }), memory(7, [unit(0, 0, 1)])];
    await server.put(given);
    await server.put(given);
    expect(await server.count()).toBe(3);
    await server.remove([1, 99]);
    await server.remove([1]);
    expect(await server.count()).toBe(1);
    expect(rows(await server.nearest(unit(1), { limit: 5 }))).toEqual([7]);
    await server.put(given);
    expect(await server.count()).toBe(3);
  });

  it('takes the last of a memory given twice, and forgets one without vectors', async () => {
    await server.put([memory(1, [unit(1), unit(0, 1)]), { ...memory(1, [unit(0, 0, 1)]), revision: 'last' }]);
    expect(await server.revisions(0, 5)).toEqual([{ row_id: 1, revision: 'last', chunks: 1 }]);
    await server.put([memory(1, []), memory(2, [unit(1)])]);
    expect(await server.revisions(0, 5)).toEqual([{ row_id: 2, revision: 'r2', chunks: 1 }]);
    expect(await server.count()).toBe(1);
  });

  it.each<[string, Partial<VectorFilter>, number[]]>([
    ['of one user and shared', {}, [1, 2, 4]],
    ['of another user', { visible_to: { user_id: 'bob', scopes: ['shared'] } }, [2, 3]],
    ['of one user alone', { visible_to: { user_id: 'bob', scopes: [] } }, [3]],
    ['of scopes, whoever wrote them', { visible_to: { user_id: undefined, scopes: ['team', 'shared'] } }, [2]],
    ['of nobody', { visible_to: { user_id: undefined, scopes: [] } }, []],
    ['one value', { any_of: [{ field: 'category', values: ['incidents'] }] }, [2]],
    ['one of several values', { any_of: [{ field: 'category', values: ['incidents', 'notes'] }] }, [1, 2]],
    ['of no value', { any_of: [{ field: 'category', values: [] }] }, []],
    [
      'two fields',
      {
        any_of: [
          { field: 'project', values: ['p'] },
          { field: 'category', values: ['notes'] },
        ],
      },
      [1],
    ],
    ['none of a value, or without one', { none_of: [{ field: 'project', values: ['p', 'z'] }] }, [2, 4]],
    ['none of nothing', { none_of: [{ field: 'project', values: [] }] }, [1, 2, 4]],
    ['any tag', { tags_any: ['red', 'blue'] }, [1, 2]],
    ['one tag', { tags_any: ['blue'] }, [2]],
    ['all tags', { tags_all: ['red', 'blue'] }, [2]],
    ['without tags', { tags_none: ['blue', 'x'] }, [1, 4]],
    ['a tag with odd characters', { tags_any: ['a "b" {c}, \\d\' ü $in'] }, [4]],
    [
      'everything at once',
      { tags_any: ['red'], tags_none: ['blue'], none_of: [{ field: 'source', values: ['x'] }] },
      [1],
    ],
  ])('leaves %s', async (_, over, expected) => {
    await server.put([
      memory(1, [unit(1)], { project: 'p', tags: ['red'] }),
      memory(2, [unit(1, 1)], { scope: 'shared', user_id: 'cid', category: 'incidents', tags: ['red', 'blue'] }),
      memory(3, [unit(0, 1)], { user_id: 'bob', project: 'p' }),
      memory(4, [unit(0, 0, 1)], { category: 'runbooks', tags: ['a "b" {c}, \\d\' ü $in'] }),
    ]);
    expect(rows(await server.nearest(unit(1), { limit: 10, filter: filter(over) }))).toEqual(expected);
  });

  it('takes a list of some thousands of rows that may be found', async () => {
    const count = 400;
    await server.put(Array.from({ length: count }, (_, i) => memory(i + 1, [unit(Math.cos(i), Math.sin(i), 1)])));
    const allowed = new Set(Array.from({ length: 5_000 }, (_, i) => i * 3));
    const found = await server.nearest(unit(1), { limit: count, allowed, filter: filter() });
    expect(rows(found)).toEqual(Array.from({ length: 133 }, (_, i) => 3 * i + 3));
    expect(await server.nearest(unit(1), { limit: 5, allowed: new Set() })).toEqual([]);
    expect(await server.nearest(unit(1), { limit: 5, allowed: new Set([9_999]) })).toEqual([]);
  });

  it('pages through what it has by rising row id, over gaps', async () => {
    const ids = [5, 1, 40, 3, 1_000_000, 2 ** 40, 41, 42];
    for (const row_id of ids) await server.put([memory(row_id, [unit(1), unit(0, 1)])]);
    const expected = [...ids].sort((a, b) => a - b).map((row_id) => ({ row_id, revision: `r${row_id}`, chunks: 2 }));
    expect(await server.revisions(0, 100)).toEqual(expected);
    expect(await server.revisions(0, 3)).toEqual(expected.slice(0, 3));
    expect(await server.revisions(5, 3)).toEqual(expected.slice(3, 6));
    expect(await server.revisions(2 ** 40, 3)).toEqual([]);
  });

  it('keeps models apart, each under its name and dimensions', async () => {
    const other = open(engine.url, 'another');
    const shorter = open(engine.url, 'suite', 4);
    await server.put([memory(1, [unit(1)])]);
    expect([await other.count(), await shorter.count()]).toEqual([0, 0]);
    await shorter.put([memory(2, [Float32Array.of(1, 0, 0, 0)])]);
    await other.clear();
    expect([await server.count(), await shorter.count()]).toEqual([1, 1]);
    await shorter.clear();
    await Promise.all([other, shorter].map((each) => each[Symbol.asyncDispose]()));
  });

  it('keeps stores apart that share the server and the model', async () => {
    const other = open(engine.url, 'suite', DIMENSIONS, 'another store');
    await server.put([memory(1, [unit(1)])]);
    await other.put([memory(1, [unit(0, 1)]), memory(2, [unit(1)])]);
    expect([await server.count(), await other.count()]).toEqual([1, 2]);
    expect(rows(await server.nearest(unit(1), { limit: 9 }))).toEqual([1]);
    await other.clear();
    expect(await server.count()).toBe(1);
    await other[Symbol.asyncDispose]();
  });

  it('refuses vectors of another length before it writes anything', async () => {
    const wrong = { ...memory(1, []), vectors: [unit(1), Float32Array.of(1, 2)] };
    await expect(server.put([wrong])).rejects.toMatchObject({ code: 'internal' });
    await expect(server.nearest(Float32Array.of(1), { limit: 1 })).rejects.toMatchObject({ code: 'internal' });
    expect(await server.count()).toBe(0);
  });

  it('makes what it needs once, also when several hubs begin at the same moment', async () => {
    const hubs = Array.from({ length: 4 }, () => open(engine.url));
    await Promise.all(hubs.map((hub, i) => hub.put([memory(i + 1, [unit(1, i)]), memory(100, [unit(0, i, 1)])])));
    expect(await Promise.all(hubs.map((hub) => hub.count()))).toEqual([5, 5, 5, 5]);
    await hubs[0]?.clear();
    await Promise.all(hubs.map((hub) => hub.put([memory(1, [unit(1)])])));
    expect(await server.count()).toBe(1);
    await Promise.all(hubs.map((hub) => hub[Symbol.asyncDispose]()));
  });

  it('goes on where another hub emptied the index behind its back', async () => {
    const other = open(engine.url);
    await server.put([memory(1, [unit(1)])]);
    expect(await other.count()).toBe(1);
    await server.clear();
    expect(await other.nearest(unit(1), { limit: 3 })).toEqual([]);
    expect(await other.revisions(0, 3)).toEqual([]);
    await other.remove([1]);
    await other.put([memory(2, [unit(1)])]);
    expect(rows(await server.nearest(unit(1), { limit: 3 }))).toEqual([2]);
    await other[Symbol.asyncDispose]();
  });

  it('ends a search that nobody waits for, and says why', async () => {
    await server.put([memory(1, [unit(1)])]);
    const reason = new Error('nobody waits');
    await expect(server.nearest(unit(1), { limit: 3, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const search = server.nearest(unit(1), { limit: 3, signal: controller.signal });
    controller.abort(reason);
    await expect(search).rejects.toBe(reason);
    expect(await server.nearest(unit(1), { limit: 3 })).toHaveLength(1);
  });

  it('takes more chunks at once than one request may carry', async () => {
    const long = Array.from({ length: 128 }, (_, i) => unit(Math.cos(i), Math.sin(i), i / 128));
    await server.put(Array.from({ length: 60 }, (_, i) => memory(i + 1, long)));
    expect(await server.count()).toBe(60 * 128);
    await server.put(Array.from({ length: 60 }, (_, i) => memory(i + 1, long.slice(0, 1))));
    expect(await server.count()).toBe(60);
  });

  describe('against an exact reference', () => {
    const component = fc.integer({ min: -20, max: 20 });
    const vector = fc
      .array(component, { minLength: DIMENSIONS, maxLength: DIMENSIONS })
      .filter((numbers) => numbers.some((value) => value !== 0))
      .map((numbers) => unit(...numbers));
    const few = (letter: string) => fc.constantFrom(`${letter}1`, `${letter}2`, `${letter}3`);
    const tags = fc.uniqueArray(few('tag'), { maxLength: 3 });
    const some = fc.record({
      row_id: fc.integer({ min: 1, max: 12 }),
      revision: few('rev'),
      vectors: fc.array(vector, { minLength: 1, maxLength: 4 }),
      payload: fc.record({
        user_id: fc.constantFrom('ann', 'bob'),
        scope: fc.constantFrom('solo', 'team', 'shared'),
        category: few('cat'),
        project: fc.option(few('pro')),
        project_id: fc.option(few('pid')),
        session_id: fc.option(few('ses')),
        machine_id: few('mac'),
        agent_id: few('age'),
        source: few('sou'),
        tags,
      }),
    });
    const field = fc.constantFrom(
      'category',
      'project',
      'project_id',
      'session_id',
      'machine_id',
      'agent_id',
      'source',
    );
    const condition = field.chain((name) =>
      fc.record({ field: fc.constant(name), values: fc.uniqueArray(few(name.slice(0, 3)), { maxLength: 2 }) }),
    );
    const anyFilter = fc.record({
      visible_to: fc.record({
        user_id: fc.constantFrom('ann', 'bob', undefined),
        scopes: fc.uniqueArray(fc.constantFrom('shared', 'team'), { maxLength: 2 }),
      }),
      any_of: fc.array(condition, { maxLength: 2 }),
      none_of: fc.array(condition, { maxLength: 2 }),
      tags_any: tags,
      tags_all: fc.uniqueArray(few('tag'), { maxLength: 1 }),
      tags_none: fc.uniqueArray(few('tag'), { maxLength: 1 }),
    });
    const search = fc.record({
      query: fc.array(component, { minLength: DIMENSIONS, maxLength: DIMENSIONS }).map((all) => Float32Array.from(all)),
      filter: fc.option(anyFilter, { nil: undefined }),
      allowed: fc.option(fc.uniqueArray(fc.integer({ min: 1, max: 12 })), { nil: undefined, freq: 2 }),
    });
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ put: fc.uniqueArray(some, { selector: (each) => each.row_id, maxLength: 6 }) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ remove: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }) }),
      },
    );

    it('has and finds the same after any writes, with any filter', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 6 }),
          fc.array(search, { minLength: 4, maxLength: 4 }),
          async (steps, searches) => {
            await server.clear();
            const reference = createReference();
            for (const given of steps) {
              if ('put' in given) {
                await server.put(given.put);
                reference.put(given.put);
              } else {
                await server.remove(given.remove);
                reference.remove(given.remove);
              }
            }
            expect(await server.count()).toBe(reference.count());
            expect(await server.revisions(0, 50)).toEqual(reference.revisions());
            for (const { query, filter: conditions, allowed } of searches) {
              const options = { limit: 100, filter: conditions, allowed: allowed && new Set(allowed) };
              const found = await server.nearest(query, options);
              const exact = new Map(
                reference.nearest(query, options).map(({ row_id, chunk, score }) => [`${row_id}:${chunk}`, score]),
              );
              expect(found.map(({ row_id, chunk }) => `${row_id}:${chunk}`).sort()).toEqual([...exact.keys()].sort());
              for (const { row_id, chunk, score } of found)
                expect(Math.abs(score - (exact.get(`${row_id}:${chunk}`) ?? Number.NaN))).toBeLessThan(1e-3);
              expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a));
            }
          },
        ),
        { numRuns: 25 },
      );
    });
  });
});

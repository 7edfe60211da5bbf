// What only pgvector has: the extension, its rights, its schema, and models longer than its index takes as they are.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PgvectorServer, startPgvector, startPostgres } from '../../../../scripts/engines/index.ts';
import { DIMENSIONS, filter, memory, unit } from './exact-reference.ts';
import { createPgvectorServer } from './pgvector.ts';
import { createPgvectorConnections } from './pgvector-connection.ts';
import { makeTable, tableOf } from './pgvector-table.ts';

describe('PostgreSQL without pgvector', () => {
  it('says which package to install and who has to set it up', async () => {
    await using engine = await startPostgres();
    await using server = createPgvectorServer({
      url: engine.url,
      store_id: 's',
      model_id: 'm',
      dimensions: DIMENSIONS,
    });
    const failure = {
      code: 'config_invalid',
      hint: expect.stringMatching(/postgresql-\d+-pgvector.*superuser run `create extension vector`/),
    };
    await expect(server.check()).rejects.toMatchObject(failure);
    await expect(server.put([memory(1, [unit(1)])])).rejects.toMatchObject(failure);
    expect(await server.nearest(unit(1), { limit: 3 })).toEqual([]);
  });

  it('refuses a database that is not there, and a model that is too long', async () => {
    await using engine = await startPostgres();
    const model = { store_id: 's', model_id: 'm', dimensions: DIMENSIONS };
    await using server = createPgvectorServer({ url: engine.url.replace(/[^/]+$/, 'nowhere'), ...model });
    await expect(server.count()).rejects.toMatchObject({ code: 'config_invalid' });
    const long = { url: engine.url, store_id: 's', model_id: 'm', dimensions: 4_001 };
    expect(() => createPgvectorServer(long)).toThrow(/at most 4000 dimensions/);
  });
});

describe('connections to PostgreSQL', () => {
  it('replace one that the server ended, and repeat what it carried', async () => {
    await using engine = await startPostgres();
    await using connections = createPgvectorConnections({ url: engine.url, connections_max: 1 });
    let attempts = 0;
    const rows = await connections.transaction({}, async (query) => {
      attempts++;
      if (attempts === 1) await query('select pg_terminate_backend(pg_backend_pid())');
      return query('select 1 as one');
    });
    expect([attempts, rows]).toEqual([2, [{ one: 1 }]]);
  });

  it('end a statement that takes too long, and are free again', async () => {
    await using engine = await startPostgres();
    const limits = { connections_max: 1, timeout_ms: 100 };
    await using connections = createPgvectorConnections({ url: engine.url, ...limits });
    const long = connections.transaction({}, (query) => query('select pg_sleep(60)'));
    await expect(long).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('too long') });
    expect(await connections.transaction({}, (query) => query('select 1 as one'))).toEqual([{ one: 1 }]);
  });
});

describe('pgvector', () => {
  let engine: PgvectorServer;
  beforeAll(async () => {
    engine = await startPgvector();
  });
  afterAll(() => engine?.stop());

  it('holds models of up to 4,000 dimensions, at half precision', async () => {
    const dimensions = 3_072;
    await using server = createPgvectorServer({ url: engine.url, store_id: 's', model_id: 'long', dimensions });
    const vector = (at: number) => new Float32Array(dimensions).fill(0).with(at, 1);
    await server.put([memory(1, [vector(0), vector(3_000)]), memory(2, [vector(7)])]);
    const found = await server.nearest(vector(3_000), { limit: 1 });
    expect(found).toMatchObject([{ row_id: 1, chunk: 1 }]);
    expect(found[0]?.score).toBeCloseTo(1, 3);
  });

  it('keeps its table in the schema it is given, which has to be there', async () => {
    const options = { url: engine.url, store_id: 's', model_id: 'm', dimensions: DIMENSIONS, schema: 'odd "name"' };
    await using server = createPgvectorServer(options);
    expect(await server.count()).toBe(0);
    await expect(server.put([memory(1, [unit(1)])])).rejects.toMatchObject({ code: 'config_invalid' });
    await using connections = createPgvectorConnections({ url: engine.url });
    await connections.transaction({}, (query) => query('create schema "odd ""name"""'));
    await server.put([memory(1, [unit(1)])]);
    await using plain = createPgvectorServer({ ...options, schema: undefined });
    expect([await server.count(), await plain.count()]).toEqual([1, 0]);
  });

  it('serves many callers over one connection', async () => {
    const options = { url: engine.url, store_id: 's', model_id: 'narrow', dimensions: DIMENSIONS, connections_max: 1 };
    await using server = createPgvectorServer(options);
    await server.put([memory(1, [unit(1)])]);
    const found = await Promise.all(
      Array.from({ length: 50 }, () => server.nearest(unit(1), { limit: 1, filter: filter() })),
    );
    expect(found.every(([first]) => first?.row_id === 1)).toBe(true);
  });

  it('leaves nothing of a write that fails half way', async () => {
    await using connections = createPgvectorConnections({ url: engine.url });
    await connections.transaction({}, (query) => query('create table halves (n integer)'));
    const half = connections.transaction({}, async (query) => {
      await query('insert into halves values (1)');
      await query('select no_such_column');
    });
    await expect(half).rejects.toMatchObject({ code: '42703' });
    const rows = await connections.transaction({}, (query) => query('select * from halves'));
    expect(rows).toEqual([]);
  });

  it('makes its table under a lock, since several hubs may start at once', async () => {
    const model = { store_id: 's', model_id: 'locked', dimensions: DIMENSIONS };
    await using connections = createPgvectorConnections({ url: engine.url });
    const locks = await connections.transaction({}, async (query) => {
      await makeTable(query, tableOf(model, undefined), model);
      return query(`select 1 from pg_locks where locktype = 'advisory' and granted`);
    });
    expect(locks).toHaveLength(1);
  });

  it('repeats a transaction that lost a race, and only a few times', async () => {
    await using connections = createPgvectorConnections({ url: engine.url });
    const attempts: string[] = [];
    const lost = Object.assign(new Error('could not serialize'), { code: '40001' });
    const work = (until: number) => async () => {
      attempts.push('once');
      if (attempts.length < until) throw lost;
      return attempts.length;
    };
    expect(await connections.transaction({}, work(3))).toBe(3);
    attempts.length = 0;
    await expect(connections.transaction({}, work(9))).rejects.toMatchObject({ code: '40001' });
    expect(attempts).toHaveLength(3);
  });
});

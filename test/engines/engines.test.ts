// Each engine as tests start it: it answers, it comes back with its data, and nothing of it stays behind.
import { existsSync, readFileSync } from 'node:fs';
import { createClient } from '@redis/client';
import { expect, it } from 'vitest';
import { withClient } from '../../scripts/engines/client.ts';
import { freshDatabase, startChroma, startPgvector, startPostgres, startRedis } from '../../scripts/engines/index.ts';
import { isAlive } from './alive.ts';
import { describeEngine } from './suites.ts';

function rowsOf(url: string, sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return withClient(url, async (client) => (await client.query(sql)).rows);
}

describeEngine('postgres', () => {
  it('keeps committed rows over a crash and a restart on the same port', async () => {
    await using server = await startPostgres();
    const { port, pid } = server;
    await rowsOf(server.url, 'create table kept as select 7 as number');
    await server.kill();
    expect(isAlive(pid)).toBe(false);
    await server.restart();
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    await server.restart();
    expect(await rowsOf(server.url, 'select number from kept')).toEqual([{ number: 7 }]);
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
    await expect(server.restart()).rejects.toThrow('PostgreSQL was stopped');
  });

  it('is what production runs: UTF-8, and waiting for the disk where figures are measured', async () => {
    await using quick = await startPostgres();
    await using durable = await startPostgres({ durable: true });
    expect(await rowsOf(quick.url, 'show fsync')).toEqual([{ fsync: 'off' }]);
    for (const [name, value] of [
      ['fsync', 'on'],
      ['synchronous_commit', 'on'],
      ['full_page_writes', 'on'],
      ['server_encoding', 'UTF8'],
      ['lc_collate', 'C.UTF-8'],
      ['listen_addresses', '127.0.0.1'],
      ['max_connections', '200'],
    ] as const)
      expect(await rowsOf(durable.url, `show ${name}`)).toEqual([{ [name]: value }]);
  });

  it('gives each test a database of its own, dropped while somebody is connected', async () => {
    await using server = await startPostgres();
    const databases = await Promise.all(Array.from({ length: 4 }, () => freshDatabase(server.url)));
    for (const { url } of databases) await rowsOf(url, 'create table mine (number int)');
    const [first] = databases;
    if (!first) throw new Error('no database');
    await expect(
      withClient(first.url, async (client) => {
        await first.drop();
        await client.query('select 1');
      }),
    ).rejects.toThrow();
    await Promise.all(databases.map((database) => database.drop()));
    expect(await rowsOf(server.url, "select datname from pg_database where datname like 'test%'")).toEqual([]);
  });
});

describeEngine('redis', () => {
  it('answers, dies at once, and comes back on the same port without what it held', async () => {
    await using server = await startRedis();
    const { url, port } = server;
    expect(await onRedis(server, (client) => client.set('key', 'value'))).toBe('OK');
    await server.kill();
    expect(isAlive(server.pid)).toBe(false);
    await server.restart();
    expect(server).toMatchObject({ url, port });
    expect(await onRedis(server, (client) => client.get('key'))).toBe(null);
  });

  it('keeps its keys over a crash where it was asked to', async () => {
    await using server = await startRedis({ persist: true });
    await onRedis(server, (client) => client.set('key', 'value'));
    await server.kill();
    await server.restart();
    expect(await onRedis(server, (client) => client.get('key'))).toBe('value');
  });

  it('asks for the password over TLS, signed by its own authority', async () => {
    const password = `"quoted" \\ ${crypto.randomUUID()}`;
    await using server = await startRedis({ tls: true, password });
    expect(server.url).toMatch(/^rediss:/);
    expect(await onRedis(server, (client) => client.ping())).toBe('PONG');
    const without = new URL(server.url);
    without.password = '';
    await expect(onRedis({ ...server, url: without.href }, (client) => client.ping())).rejects.toThrow('NOAUTH');
    await expect(onRedis({ url: server.url }, (client) => client.ping())).rejects.toThrow('certificate');
  });
});

describeEngine('redis', () => {
  it('says its name and its own words where it cannot start', async () => {
    await using first = await startRedis();
    await expect(startRedis({ port: first.port })).rejects.toThrow(/Redis ended while it started[\s\S]*already in use/);
  });

  it('takes its directory along', async () => {
    const server = await startRedis({ tls: true });
    const file = server.ca_file ?? '';
    expect(existsSync(file)).toBe(true);
    await server.stop();
    expect(existsSync(file)).toBe(false);
  });
});

type Redis = ReturnType<typeof redisClient>;

function redisClient(server: { readonly url: string; readonly ca_file?: string }) {
  const trusted = server.ca_file === undefined ? {} : { ca: [readFileSync(server.ca_file)] };
  const socket = { reconnectStrategy: false as const, ...trusted };
  return createClient({
    url: server.url,
    socket: server.url.startsWith('rediss:') ? { ...socket, tls: true } : socket,
  });
}

async function onRedis<T>(server: Parameters<typeof redisClient>[0], use: (client: Redis) => Promise<T>): Promise<T> {
  const client = redisClient(server);
  client.on('error', () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

describeEngine('chroma', () => {
  it('keeps a collection over a crash and a restart', async () => {
    await using server = await startChroma();
    const collections = `${server.url}/api/v2/tenants/default_tenant/databases/default_database/collections`;
    const created = await fetch(collections, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'kept' }),
    });
    expect(created.status).toBe(200);
    await server.kill();
    await expect(fetch(collections)).rejects.toThrow();
    await server.restart();
    expect(await (await fetch(collections)).json()).toMatchObject([{ name: 'kept' }]);
  });
});

describeEngine('chroma', () => {
  it('does not take another server on its port for its own', async () => {
    await using first = await startChroma();
    await expect(startChroma({ port: first.port })).rejects.toThrow(
      /Chroma ended while it started[\s\S]*is not available/,
    );
  });
});

describeEngine('pgvector', () => {
  it('compares vectors, by an index of its extension, and keeps them over a crash and a restart', async () => {
    await using server = await startPgvector();
    await rowsOf(server.url, 'create extension vector');
    await rowsOf(server.url, 'create table points (id int, place vector(2))');
    await rowsOf(server.url, "insert into points values (1, '[1,0]'), (2, '[0,1]')");
    await rowsOf(server.url, 'create index on points using hnsw (place vector_cosine_ops)');
    await server.kill();
    expect(isAlive(server.pid)).toBe(false);
    await server.restart();
    await server.restart();
    const nearest = "select id from points order by place <=> '[0.1,1]' limit 1";
    expect(await rowsOf(server.url, nearest)).toEqual([{ id: 2 }]);
  });

  it('refuses one connection more than it was given', async () => {
    await using server = await startPgvector({ maxConnections: 2 });
    const one = (inside: () => Promise<unknown>) =>
      withClient(server.url, async (client) => {
        await client.query('select 1');
        await inside();
      });
    await one(() => one(async () => {}));
    await expect(one(() => one(() => one(async () => {})))).rejects.toThrow();
  });
});

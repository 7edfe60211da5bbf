// Real hubs on one PostgreSQL behind a balancer, with Redis and without: clients do not notice which one answers, nor
// that all of them are restarted one after the other.
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type FreshDatabase,
  freshDatabase,
  type PostgresServer,
  startPostgres,
  startRedis,
} from '../scripts/engines/index.ts';
import { ensureBuilt } from './cli-binary.ts';
import { describeEngine } from './engines/suites.ts';
import { type Fleet, startFleet } from './support/hub-fleet.ts';
import { type Acknowledged, type Load, startLoad } from './support/hub-load.ts';

type Era = 'legacy' | 'modern';
/** Four MCP clients and one of REST. */
const WRITERS_COUNT = 5;

const clients: Client[] = [];
const loads: Load[] = [];
afterEach(async () => {
  await Promise.all(loads.splice(0).map((load) => load.stop()));
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

async function connect(era: Era, url: string): Promise<Client> {
  const mode = era === 'modern' ? { pin: '2026-07-28' as const } : ('legacy' as const);
  const client = new Client({ name: `${era}-client`, version: '1' }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`)));
  clients.push(client);
  return client;
}

async function ask(client: Client, name: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { isError, structuredContent } = await client.callTool({ name, arguments: input });
  if (isError) throw new Error(`${name}: ${JSON.stringify(structuredContent)}`);
  return structuredContent as Record<string, unknown>;
}

const store = async (client: Client, content: string): Promise<string> =>
  String((await ask(client, 'store_memory', { content, category: 'global' })).memory_id);

function suite(engine: 'redis' | 'postgres'): void {
  let fleet: Fleet;
  let postgres: PostgresServer;
  let database: FreshDatabase;
  const closing: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    ensureBuilt();
    postgres = await startPostgres();
    closing.push(() => postgres.stop());
    const redis = engine === 'redis' ? await startRedis() : undefined;
    if (redis) closing.push(() => redis.stop());
    database = await freshDatabase(postgres.url);
    const more = redis ? { redis_url: redis.url } : {};
    fleet = await startFleet({ count: 3, database_url: database.url, drain_ms: 1_000, ...more });
    closing.push(async () => fleet[Symbol.asyncDispose]());
  });
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  });

  async function writeThroughBalancer(label: string): Promise<Load> {
    const { url } = fleet.balancer;
    const eras: readonly Era[] = ['legacy', 'modern', 'legacy', 'modern'];
    const callers = await Promise.all(eras.map((era) => connect(era, url)));
    const writers = callers.map((client) => (content: string) => store(client, content));
    const load = startLoad(label, [...writers, (content) => storeByRest(url, content)]);
    loads.push(load);
    return load;
  }

  /** Each once, under the id that was acknowledged. */
  async function expectAllThere(acknowledged: readonly Acknowledged[]): Promise<void> {
    const reader = await connect('modern', fleet.balancer.url);
    expect(new Set(acknowledged.map(({ memory_id }) => memory_id)).size).toBe(acknowledged.length);
    for (const { memory_id, content } of acknowledged)
      expect(await ask(reader, 'retrieve_memory', { memory_id })).toMatchObject({ memory_id, content });
  }

  it.each<Era>(['legacy', 'modern'])('gives the calls of one client to all hubs (%s)', async (era) => {
    const client = await connect(era, fleet.balancer.url);
    const before = new Map(fleet.balancer.served);
    const ids: string[] = [];
    for (let index = 0; index < 6; index++) ids.push(await store(client, `note ${index} of ${era}`));
    for (const memory_id of ids)
      expect(await ask(client, 'retrieve_memory', { memory_id })).toMatchObject({ memory_id });
    for (const { url } of fleet.hubs) expect(fleet.balancer.served.get(url) ?? 0).toBeGreaterThan(before.get(url) ?? 0);
  });

  it.each<Era>(['legacy', 'modern'])('tells a client of changes, whichever hub made them (%s)', async (era) => {
    const client = await connect(era, fleet.balancer.url);
    const other = await connect('modern', fleet.balancer.url);
    const memory_id = await store(other, `watched by ${era}`);
    const uri = `haivemind://memory/${memory_id}`;
    const seen: string[] = [];
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void seen.push(params.uri));
    if (era === 'modern') await client.listen({ resourceSubscriptions: [uri] });
    else await client.subscribeResource({ uri });
    // One for each hub.
    for (let round = 1; round <= fleet.hubs.length; round++) {
      await ask(other, 'update_memory', { memory_id, content: `changed ${round} for ${era}` });
      await expect.poll(() => seen.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(round);
    }
    expect(new Set(seen)).toEqual(new Set([uri]));
  });

  it('ends a session at all hubs', async () => {
    const client = await connect('legacy', fleet.balancer.url);
    const transport = client.transport as StreamableHTTPClientTransport;
    for (let index = 0; index < 3; index++) await client.ping();
    const session = String(transport.sessionId);
    await transport.terminateSession();
    const list = (hub: string): Promise<Response> =>
      fetch(`${hub}/mcp`, {
        method: 'POST',
        headers: {
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          'mcp-session-id': session,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      });
    for (const { url } of fleet.hubs) await expect.poll(async () => (await list(url)).status).toBe(404);
  });

  it('serves a client of HTTP+SSE whose messages reach other hubs than its stream, large ones too', async () => {
    const client = new Client({ name: 'old-client', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
    await client.connect(new SSEClientTransport(new URL(`${fleet.balancer.url}/sse`)));
    clients.push(client);
    for (const length of [10, 9_000, 50_000]) {
      const content = `${length} `.padEnd(length, 'long ');
      const memory_id = await store(client, content);
      expect(await ask(client, 'retrieve_memory', { memory_id })).toMatchObject({ memory_id });
      await client.ping();
    }
  });

  it('goes on with a session whose hub was killed', async () => {
    const [first, second] = fleet.hubs;
    if (!first || !second) throw new Error('no hubs');
    const client = await connect('legacy', first.url);
    const memory_id = await store(client, 'written before the hub died');
    const { sessionId } = client.transport as StreamableHTTPClientTransport;
    await first.kill();
    const again = new Client({ name: 'legacy-client', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
    const transport = new StreamableHTTPClientTransport(new URL(`${second.url}/mcp`), { sessionId: String(sessionId) });
    await again.connect(transport);
    clients.push(again);
    expect(await ask(again, 'retrieve_memory', { memory_id })).toMatchObject({ memory_id });
    await first.start();
    await fleet.balancer.ready(3);
  });

  it('restarts all hubs, one after the other, without a failed call or a lost write', {
    timeout: 180_000,
  }, async () => {
    const failures_before = fleet.balancer.failures.length;
    const load = await writeThroughBalancer('restart');
    for (const hub of fleet.hubs) {
      await load.more(1);
      await hub.stop();
      await load.more(1);
      await hub.start();
      await fleet.balancer.ready(3);
    }
    await load.more(1);
    await expectAllThere(await load.stop());
    expect(load.failed).toEqual([]);
    expect(fleet.balancer.failures.slice(failures_before)).toEqual([]);
  });

  it('loses no acknowledged write with a killed hub, and fails only calls that were given to it', {
    timeout: 60_000,
  }, async () => {
    const [victim] = fleet.hubs;
    if (!victim) throw new Error('no hubs');
    const failures_before = fleet.balancer.failures.length;
    const load = await writeThroughBalancer('kill');
    await load.more(3);
    await victim.kill();
    await fleet.balancer.ready(2);
    const failed_count = load.failed.length;
    await load.more(5);
    await victim.start();
    await fleet.balancer.ready(3);
    await load.more(3);
    await expectAllThere(await load.stop());
    const failures = fleet.balancer.failures.slice(failures_before);
    for (const failure of failures) expect(failure).toContain(victim.url);
    // What was under way when the balancer noticed may end after it: at most one call of each writer.
    expect(load.failed.length - failed_count).toBeLessThanOrEqual(WRITERS_COUNT);
    expect(load.failed.length).toBeLessThanOrEqual(failures.length);
  });

  it('opens the stream of a session again after the restart, with what it subscribed to', {
    timeout: 60_000,
  }, async () => {
    const client = await connect('legacy', fleet.balancer.url);
    const memory_id = await store(client, 'watched over a restart');
    const seen: string[] = [];
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void seen.push(params.uri));
    await client.subscribeResource({ uri: `haivemind://memory/${memory_id}` });
    for (const hub of fleet.hubs) {
      await hub.stop();
      await hub.start();
      await fleet.balancer.ready(3);
    }
    await expect
      .poll(
        async () => {
          await ask(client, 'update_memory', { memory_id, content: `changed ${Math.random()}` });
          return seen.length;
        },
        { timeout: 20_000, interval: 500 },
      )
      .toBeGreaterThan(0);
  });

  it('is not ready but alive while the store is away, and goes on by itself', async () => {
    const { balancer, hubs } = fleet;
    const client = await connect('legacy', balancer.url);
    const memory_id = await store(client, 'written before the store went away');
    await postgres.kill();
    await balancer.ready(0);
    for (const { url } of hubs) {
      expect((await fetch(`${url}/health/ready`)).status).toBe(503);
      expect((await fetch(`${url}/health/live`)).status).toBe(200);
    }
    await postgres.restart();
    await balancer.ready(3);
    for (let call = 0; call < hubs.length; call++)
      expect(await ask(client, 'retrieve_memory', { memory_id })).toMatchObject({ memory_id });
  });
}

async function storeByRest(url: string, content: string): Promise<string> {
  const answer = await fetch(`${url}/api/v1/memories`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ content, category: 'global' }),
  });
  const body = (await answer.json()) as { memory_id?: string };
  if (!answer.ok) throw new Error(JSON.stringify(body));
  return String(body.memory_id);
}

describe('three hubs with Redis', () => {
  describeEngine(['postgres', 'redis'], () => suite('redis'));
});

describe('three hubs without Redis', () => {
  describeEngine('postgres', () => suite('postgres'));
});

describe('a limit of calls over two hubs', () => {
  describeEngine(['postgres', 'redis'], () => {
    it('is one limit', async () => {
      ensureBuilt();
      await using postgres = await startPostgres();
      await using redis = await startRedis();
      await using database = await freshDatabase(postgres.url);
      const calls_per_minute = 6;
      await using fleet = await startFleet({
        count: 2,
        database_url: database.url,
        redis_url: redis.url,
        drain_ms: 0,
        calls_per_minute,
      });
      const statuses: number[] = [];
      for (let call = 0; call < 2 * calls_per_minute; call++)
        statuses.push((await fetch(`${fleet.balancer.url}/api/v1/memories/recent`)).status);
      const passed = statuses.filter((status) => status !== 429).length;
      expect(passed).toBeGreaterThanOrEqual(calls_per_minute);
      // What flows back while the calls are made.
      expect(passed).toBeLessThanOrEqual(calls_per_minute + 2);
    });
  });
});

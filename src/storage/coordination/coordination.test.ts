// What every adapter of coordination promises, on each of them, against real servers.
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  freshDatabase,
  type PostgresServer,
  type RedisServer,
  startPostgres,
  startRedis,
} from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { openLeaseRoom, quick } from '../../../test/support/coordination.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { Coordination } from './port.ts';
import { createNotifyCoordination } from './postgres-notify.ts';
import { createRedisCoordination } from './redis.ts';

interface Adapter {
  readonly kind: 'in_process' | 'redis' | 'postgres';
  /** Another process of the same store; told apart by its id. */
  open(member_id: string): Promise<Coordination>;
  /** What must never show. */
  readonly secret?: string;
  stop(): PromiseLike<void>;
}

const startInProcess = async (): Promise<Adapter> => {
  const room = await openLeaseRoom();
  return { kind: 'in_process', open: async (id) => room.member(id), stop: () => room[Symbol.asyncDispose]() };
};

const onRedis = async (server: RedisServer, password?: string): Promise<Adapter> => {
  const room = await openLeaseRoom();
  return {
    kind: 'redis',
    open: (member_id) =>
      createRedisCoordination({
        url: server.url,
        ...(server.ca_file === undefined ? {} : { tls: { ca_file: server.ca_file } }),
        fallback: room.member(member_id),
        clock: systemClock,
        member_id,
        timing: quick,
      }),
    ...(password === undefined ? {} : { secret: password }),
    async stop() {
      await server.stop();
      await room[Symbol.asyncDispose]();
    },
  };
};

const startWithSecrets = async (): Promise<Adapter> => {
  const password = randomBytes(12).toString('base64');
  return onRedis(await startRedis({ password, tls: true }), password);
};

const onPostgres = async (): Promise<Adapter> => {
  const server: PostgresServer = await startPostgres();
  const database = await freshDatabase(server.url);
  const room = await openLeaseRoom(database.url);
  return {
    kind: 'postgres',
    open: (member_id) =>
      createNotifyCoordination({
        postgres: { url: database.url },
        fallback: room.member(member_id),
        member_id,
        timing: quick,
      }),
    async stop() {
      await room[Symbol.asyncDispose]();
      await server.stop();
    },
  };
};

describe('in process', () => promises(startInProcess));
describeEngine('redis', () => {
  describe.each([
    { name: 'plain', start: async () => onRedis(await startRedis()) },
    { name: 'password and TLS', start: startWithSecrets },
  ])('$name', ({ start }) => promises(start));
});
describeEngine('postgres', () => promises(onPostgres));

function promises(start: () => Promise<Adapter>): void {
  let adapter: Adapter;
  const opened: Coordination[] = [];
  const open = async (member_id: string = randomUUID()): Promise<Coordination> => {
    const coordination = await adapter.open(member_id);
    opened.push(coordination);
    return coordination;
  };
  beforeAll(async () => {
    adapter = await start();
  });
  afterEach(async () => {
    for (const coordination of opened.splice(0)) await coordination[Symbol.asyncDispose]();
  });
  afterAll(() => adapter.stop());

  test('an event reaches every listener of the channel once, in each process', async () => {
    const [here, there] = [await open(), await open()];
    const heard: string[] = [];
    here.subscribe('news', (message) => heard.push(`first ${message}`));
    const stop = here.subscribe('news', (message) => heard.push(`second ${message}`));
    here.subscribe('other', (message) => heard.push(`other ${message}`));
    const far: string[] = [];
    there.subscribe('news', (message) => far.push(message));
    await here.publish('news', 'one\n"1" ☃');
    expect(heard).toEqual(['first one\n"1" ☃', 'second one\n"1" ☃']);
    stop();
    await here.publish('news', 'two');
    await there.publish('news', 'three');
    if (adapter.kind === 'in_process') {
      expect(heard.slice(2)).toEqual(['first two']);
      expect(far).toEqual(['three']);
      return;
    }
    // A last message behind the others: when it is there, so is every echo that would have come.
    await here.publish('other', 'end');
    await there.publish('other', 'end');
    await vi.waitFor(() => expect(heard.filter((line) => line === 'other end')).toHaveLength(2), 10_000);
    // What two processes say has no common order.
    expect(heard.slice(2).toSorted()).toEqual(['first three', 'first two', 'other end', 'other end']);
    expect(far.toSorted()).toEqual(['one\n"1" ☃', 'two', 'three'].toSorted());
  });

  test('messages of one process arrive in their order, whatever their size', async () => {
    const [here, there] = [await open(), await open()];
    const listening = adapter.kind === 'in_process' ? here : there;
    const got: string[] = [];
    listening.subscribe('sizes', (message) => got.push(message));
    const sizes = [1, 7_900, 7_999, 8_000, 3, 50_000, 2, 8_100, 0];
    const messages = sizes.map((size, i) => `${i}:${'ü'.repeat(size)}`);
    for (const message of messages) await here.publish('sizes', message);
    await vi.waitFor(() => expect(got).toHaveLength(messages.length), 10_000);
    expect(got).toEqual(messages);
  });

  test('a throwing listener harms nobody else', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const here = await open();
    const got: string[] = [];
    here.subscribe('bad', () => {
      throw new Error('out of order');
    });
    here.subscribe('bad', (message) => got.push(message));
    await here.publish('bad', 'x');
    expect(got).toEqual(['x']);
    expect(warned).toHaveBeenCalledOnce();
    warned.mockRestore();
    expect((await here.status()).state).toBe('ok');
  });

  test('a lease has one holder; its token grows; it can be given back and taken away by time', async () => {
    const [a, b] = [await open(), await open()];
    const name = randomUUID();
    const first = await a.acquire(name, 60_000);
    expect(first).toMatchObject({ name, token: 1 });
    expect(await b.acquire(name, 60_000)).toBeUndefined();
    expect(await a.acquire(name, 60_000)).toBeUndefined();
    expect(first?.held()).toBe(true);
    expect(await first?.renew()).toBe(true);
    expect(await b.acquire(name, 60_000)).toBeUndefined();
    await first?.release();
    expect(first?.held()).toBe(false);
    expect(await first?.renew()).toBe(false);
    const second = await b.acquire(name, 60);
    expect(second?.token).toBe(2);
    // It runs out; then somebody else may have it, and the late holder learns that it lost.
    const third = await vi.waitFor(async () => {
      const taken = await a.acquire(name, 60_000);
      expect(taken).toBeDefined();
      return taken;
    }, 10_000);
    expect(third?.token).toBe(3);
    expect(second?.held()).toBe(false);
    expect(await second?.renew()).toBe(false);
    await second?.release();
    expect(await b.acquire(name, 60_000)).toBeUndefined();
    expect(third?.held()).toBe(true);
  });

  test('of many who ask for a lease at once, one gets it', async () => {
    const members = [await open(), await open(), await open()];
    const name = randomUUID();
    const asked = Array.from({ length: 15 }, (_, i) => members[i % 3]!.acquire(name, 60_000));
    expect((await Promise.all(asked)).filter((lease) => lease !== undefined)).toHaveLength(1);
  });

  test('a limit lets its count pass and says when to come again', async () => {
    const [a, b] = [await open(), await open()];
    const limit = { limit_count: 4, window_ms: 3_600_000 };
    const key = randomUUID();
    const verdicts = [];
    for (let i = 0; i < 4; i++) verdicts.push(await (adapter.kind === 'redis' && i % 2 ? b : a).take(key, limit));
    expect(verdicts.map((verdict) => verdict.allowed)).toEqual([true, true, true, true]);
    expect(verdicts.map((verdict) => verdict.remaining_count)).toEqual([3, 2, 1, 0]);
    const refused = await a.take(key, limit);
    expect(refused).toMatchObject({ allowed: false, remaining_count: 0 });
    expect(refused.retry_after_ms).toBeGreaterThan(0);
    expect(refused.retry_after_ms).toBeLessThanOrEqual(900_000);
    expect((await a.take(randomUUID(), limit)).allowed).toBe(true);
    expect((await b.take(key, limit)).allowed).toBe(adapter.kind !== 'redis');
  });

  test('says who is there, until it leaves', async () => {
    const [a, b] = [await open(`a-${randomUUID()}`), await open(`b-${randomUUID()}`)];
    await a.announce({ machine: 'm1', address: '127.0.0.1:1' });
    await b.announce({ machine: 'm2' });
    const others = adapter.kind === 'redis' ? [b.member_id] : [];
    const members = await a.members();
    expect(members.map((member) => member.member_id)).toEqual([a.member_id, ...others]);
    expect(members[0]?.about).toEqual({ machine: 'm1', address: '127.0.0.1:1' });
    expect(members[0]?.since).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    await a.announce({ machine: 'm1', address: 'moved' });
    expect((await a.members())[0]).toEqual({ ...members[0], about: { machine: 'm1', address: 'moved' } });
    await b[Symbol.asyncDispose]();
    expect((await a.members()).map((member) => member.member_id)).toEqual([a.member_id]);
  });

  test('keeps values that never change as they were given', async () => {
    const [a, b] = [await open(), await open()];
    const key = randomUUID();
    const bytes = new Uint8Array([0, 255, 13, 10, 36, ...randomBytes(1000)]);
    expect(await a.cache.get(key)).toBeUndefined();
    await a.cache.set(key, bytes, { ttl_ms: 60_000 });
    expect(await a.cache.get(key)).toEqual(bytes);
    if (adapter.kind === 'redis') expect(await b.cache.get(key)).toEqual(bytes);
    await a.cache.set(`${key}-empty`, new Uint8Array(0), { ttl_ms: 60_000 });
    expect((await a.cache.get(`${key}-empty`)) ?? new Uint8Array(0)).toEqual(new Uint8Array(0));
  });

  test('never serves what was read before a change', async () => {
    const [a, b] = [await open(), await open()];
    const key = randomUUID();
    const early = await b.cache.look(key);
    expect(early.value).toBeUndefined();
    const mark = await a.cache.begin([key, randomUUID()]);
    if (early.value === undefined) await early.fill(new Uint8Array([1]), { ttl_ms: 60_000 });
    expect((await a.cache.look(key)).value).toBeUndefined();
    await mark.settled();
    await mark.settled();
    const late = await b.cache.look(key);
    expect(late.value).toBeUndefined();
    if (late.value === undefined) await late.fill(new Uint8Array([2]), { ttl_ms: 60_000 });
    // Only an engine that hears of every change may keep what changes.
    const kept = adapter.kind === 'redis' ? new Uint8Array([2]) : undefined;
    expect((await a.cache.look(key)).value).toEqual(kept);
    await (await a.cache.begin([])).settled();
  });

  test('describes itself without a secret', async () => {
    const here = await open();
    const status = await here.status();
    expect(status).toMatchObject({ kind: adapter.kind, state: 'ok' });
    if (adapter.kind !== 'in_process') {
      expect(status.version).toMatch(/^\d+\./);
      expect(status.latency_ms).toBeGreaterThan(0);
    }
    if (adapter.secret !== undefined) expect(JSON.stringify(status)).not.toContain(adapter.secret);
  });
}

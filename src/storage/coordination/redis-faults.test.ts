// Redis as it fails in practice: killed, restarted, hanging, cut off, too old, with the wrong password or certificate.
import { randomBytes, randomUUID } from 'node:crypto';
import { createClient } from '@redis/client';
import { afterEach, expect, test, vi } from 'vitest';
import { type RedisServer, startRedis } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { type LeaseRoom, openLeaseRoom, openWire, quick, type Wire } from '../../../test/support/coordination.ts';
import { systemClock } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { Coordination, CoordinationStatus } from './port.ts';
import { createRedisCoordination, type RedisCoordinationOptions } from './redis.ts';
import { createSettling } from './redis-state.ts';

const WAIT = { timeout: 20_000, interval: 10 };
const limit = { limit_count: 3, window_ms: 3_600_000 };
const bytes = (value: number) => new Uint8Array([value]);

describeEngine('redis', () => {
  const cleanup: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const one of cleanup.splice(0).reverse()) await one[Symbol.asyncDispose]();
  });
  const kept = <T extends AsyncDisposable>(one: T): T => {
    cleanup.push(one);
    return one;
  };
  const redis = async (options?: Parameters<typeof startRedis>[0]): Promise<RedisServer> =>
    kept(await startRedis(options));
  const wireTo = async (server: RedisServer, garble?: (text: string) => string): Promise<Wire> =>
    kept(await openWire(server.port, garble));
  const leaseRoom = async (): Promise<LeaseRoom> => kept(await openLeaseRoom());

  /** A process whose Redis is at this port; its status changes are noted. */
  async function open(port: number, options: Partial<RedisCoordinationOptions> & { readonly room?: LeaseRoom } = {}) {
    const room = options.room ?? (await leaseRoom());
    const changes: CoordinationStatus[] = [];
    const member_id = randomUUID();
    const coordination = await createRedisCoordination({
      url: `redis://127.0.0.1:${port}`,
      fallback: room.member(member_id),
      clock: systemClock,
      member_id,
      timing: quick,
      onStateChange: (status) => changes.push(status),
      ...options,
    });
    let gaps = 0;
    coordination.onGap(() => gaps++);
    return Object.assign(kept(coordination), { changes, gaps: () => gaps });
  }
  const untilOk = (coordination: Coordination) =>
    vi.waitFor(async () => expect((await coordination.status()).state).toBe('ok'), WAIT);
  const untilDegraded = (coordination: Coordination) =>
    vi.waitFor(async () => expect((await coordination.status()).state).toBe('degraded'), WAIT);
  async function fill(coordination: Coordination, key: string, value: number): Promise<boolean> {
    const seen = await coordination.cache.look(key);
    if (seen.value === undefined) await seen.fill(bytes(value), { ttl_ms: 60_000 });
    return (await coordination.cache.look(key)).value !== undefined;
  }
  /** One of each call; none may reject. */
  async function everyCall(coordination: Coordination): Promise<void> {
    await coordination.publish('c', 'm');
    await coordination.take(randomUUID(), limit);
    await coordination.members();
    await coordination.announce({ a: 'b' });
    const lease = await coordination.acquire(randomUUID(), 10_000);
    expect(await lease?.renew()).toBe(true);
    await lease?.release();
    await coordination.cache.set('fixed', bytes(1), { ttl_ms: 1000 });
    await coordination.cache.get('fixed');
    await fill(coordination, randomUUID(), 1);
    await (await coordination.cache.begin([randomUUID()])).settled();
  }

  test('killed during calls and started again: every call is answered, others hear again, gaps are told', async () => {
    const server = await redis();
    const room = await leaseRoom();
    const [a, b] = [await open(server.port, { room }), await open(server.port, { room })];
    const heard: string[] = [];
    b.subscribe('c', (message) => heard.push(message));
    await b.announce({ name: 'b' });
    let running = true;
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        let calls = 0;
        for (; running; calls++) await everyCall(a);
        return calls;
      }),
    );
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(5), WAIT);
    await server.kill();
    await vi.waitFor(() => expect(a.changes.map(({ state }) => state)).toEqual(['degraded']), WAIT);
    expect(a.changes[0]).toMatchObject({
      kind: 'redis',
      detail: expect.stringContaining(`127.0.0.1:${server.port}`),
      fix: expect.stringContaining('Start Redis'),
    });
    await untilDegraded(b);
    await everyCall(a);
    const own: string[] = [];
    a.subscribe('own', (message) => own.push(message));
    await a.publish('own', 'still here');
    expect(own).toEqual(['still here']);
    expect((await a.members()).map(({ member_id }) => member_id)).toEqual([a.member_id]);
    await server.restart();
    await Promise.all([untilOk(a), untilOk(b)]);
    running = false;
    for (const calls of await load) expect(calls).toBeGreaterThan(0);
    expect(a.changes.map(({ state }) => state)).toEqual(['degraded', 'ok']);
    expect(a.gaps()).toBeGreaterThan(0);
    expect(b.gaps()).toBeGreaterThan(0);
    heard.length = 0;
    await a.publish('c', 'again');
    await vi.waitFor(() => expect(heard).toContain('again'), WAIT);
    // Presence is told anew without being asked for.
    expect((await a.members()).map(({ member_id }) => member_id).toSorted()).toEqual(
      [a.member_id, b.member_id].toSorted(),
    );
  });

  test('a lease outlives Redis; tokens grow whoever gave it and whether Redis was there', async () => {
    const server = await redis();
    const room = await leaseRoom();
    const [a, b] = [await open(server.port, { room }), await open(server.port, { room })];
    const first = await a.acquire('runner', 60_000);
    expect(first?.token).toBe(1);
    await server.kill();
    await untilDegraded(b);
    expect(await b.acquire('runner', 60_000)).toBeUndefined();
    expect(await first?.renew()).toBe(true);
    await first?.release();
    const second = await b.acquire('runner', 60_000);
    expect(second?.token).toBe(2);
    // Without its data: Redis has forgotten who holds what, the store has not.
    await server.restart();
    await Promise.all([untilOk(a), untilOk(b)]);
    expect(await a.acquire('runner', 60_000)).toBeUndefined();
    expect(await second?.renew()).toBe(true);
    await second?.release();
    expect((await a.acquire('runner', 60_000))?.token).toBe(3);
    expect(await first?.renew()).toBe(false);
  });

  test('a process that Redis alone still knows as holder does not keep others out for longer than its time', async () => {
    const server = await redis();
    const wire = await wireTo(server);
    const room = await leaseRoom();
    const [a, b] = [await open(wire.port, { room }), await open(server.port, { room })];
    const lease = await a.acquire('runner', 300);
    wire.cut();
    await untilDegraded(a);
    await lease?.release();
    const taken = await vi.waitFor(async () => {
      const got = await b.acquire('runner', 60_000);
      expect(got).toBeDefined();
      return got;
    }, WAIT);
    expect(taken?.token).toBe(2);
  });

  test('nothing that changes is cached before every process has had the time to be connected', async () => {
    const server = await redis();
    const [early, late] = [
      await open(server.port, { timing: { ...quick, cache_settle_ms: 3_600_000 } }),
      await open(server.port),
    ];
    expect(await fill(early, 'k', 1)).toBe(false);
    expect(await fill(late, 'k', 1)).toBe(true);
    expect((await early.cache.look('k')).value).toBeUndefined();
    const settling = createSettling(3_600_000);
    settling.begin({ run_id: 'old', uptime_ms: 3_600_000 });
    expect(settling.isOver()).toBe(true);
    settling.begin({ run_id: 'old', uptime_ms: 0 });
    expect(settling.isOver()).toBe(true);
    // It took over from another one: others may still be there.
    settling.begin({ run_id: 'new', uptime_ms: 3_600_000 });
    expect(settling.isOver()).toBe(false);
  });

  test('what a cut off process changed is forgotten before it uses Redis again', async () => {
    const server = await redis();
    const wire = await wireTo(server);
    const room = await leaseRoom();
    const [a, b] = [await open(wire.port, { room }), await open(server.port, { room })];
    for (const key of ['done', 'open', 'untouched']) expect(await fill(b, key, 1)).toBe(true);
    wire.cut();
    await untilDegraded(a);
    const done = await a.cache.begin(['done']);
    await done.settled();
    const stillOpen = await a.cache.begin(['open']);
    // The price of not waiting for Redis: others see the old value until the process is back, at most a minute.
    expect((await b.cache.look('done')).value).toEqual(bytes(1));
    wire.heal();
    await untilOk(a);
    expect((await b.cache.look('done')).value).toBeUndefined();
    expect((await b.cache.look('untouched')).value).toEqual(bytes(1));
    expect(await fill(b, 'done', 2)).toBe(true);
    // The change that is still under way is marked again.
    expect(await fill(b, 'open', 1)).toBe(false);
    await stillOpen.settled();
    expect(await fill(b, 'open', 2)).toBe(true);
  });

  test('a change that settles while cut off is removed, and its mark goes', async () => {
    const server = await redis();
    const wire = await wireTo(server);
    const room = await leaseRoom();
    const [a, b] = [await open(wire.port, { room }), await open(server.port, { room })];
    const mark = await a.cache.begin(['k']);
    wire.cut();
    await untilDegraded(a);
    await mark.settled();
    expect(await fill(b, 'k', 1)).toBe(false);
    wire.heal();
    await untilOk(a);
    // The mark of the dead connection stands until its ten seconds are over; then the key can be kept again.
    await vi.waitFor(async () => expect(await fill(b, 'k', 2)).toBe(true), { timeout: 30_000, interval: 100 });
    expect((await a.cache.look('k')).value).toEqual(bytes(2));
  });

  test('more changes while cut off than are remembered: everything is forgotten', async () => {
    const server = await redis();
    const wire = await wireTo(server);
    const room = await leaseRoom();
    const [a, b] = [await open(wire.port, { room }), await open(server.port, { room })];
    expect(await fill(b, 'untouched', 1)).toBe(true);
    const early = await b.cache.look('early');
    wire.cut();
    await untilDegraded(a);
    const keys = Array.from({ length: limits.shared_cache_missed_keys_max_count + 1 }, (_, i) => `k${i}`);
    await (await a.cache.begin(keys)).settled();
    wire.heal();
    await untilOk(a);
    expect((await b.cache.look('untouched')).value).toBeUndefined();
    // A ticket from before does not fill either.
    if (early.value === undefined) await early.fill(bytes(1), { ttl_ms: 60_000 });
    expect((await b.cache.look('early')).value).toBeUndefined();
    expect(await fill(b, 'untouched', 2)).toBe(true);
  });

  test('after a restart from its own file nothing of what may change is seen, what never changes is', async () => {
    const server = await redis({ persist: true });
    const a = await open(server.port);
    expect(await fill(a, 'k', 1)).toBe(true);
    await a.cache.set('fixed', bytes(9), { ttl_ms: 600_000 });
    await server.kill();
    await untilDegraded(a);
    await server.restart();
    await untilOk(a);
    expect((await a.cache.look('k')).value).toBeUndefined();
    expect(await a.cache.get('fixed')).toEqual(bytes(9));
  });

  test('others are told of a gap where this process could not tell them anything', async () => {
    const server = await redis();
    const wire = await wireTo(server);
    const room = await leaseRoom();
    const [a, b] = [await open(wire.port, { room }), await open(server.port, { room })];
    wire.cut();
    await untilDegraded(a);
    await a.publish('c', 'nobody hears');
    expect(b.gaps()).toBe(0);
    wire.heal();
    await untilOk(a);
    await vi.waitFor(() => expect(b.gaps()).toBe(1), WAIT);
  });

  test('a server that hangs is left after the command timeout, and used again when it answers', async () => {
    const server = await redis();
    const wire = await wireTo(server);
    const a = await open(wire.port, { timing: { ...quick, command_timeout_ms: 200, connect_timeout_ms: 300 } });
    wire.freeze();
    expect((await a.take('k', limit)).allowed).toBe(true);
    const status = await a.status();
    expect(status).toMatchObject({ state: 'degraded', detail: expect.stringContaining('does not answer in time') });
    await everyCall(a);
    wire.heal();
    await untilOk(a);
    await everyCall(a);
  });

  test('a silent death is noticed without anybody asking, on both connections', async () => {
    const server = await redis();
    const wire = await wireTo(server);
    const a = await open(wire.port, { timing: { ...quick, command_timeout_ms: 200, ping_interval_ms: 50 } });
    wire.freeze();
    await vi.waitFor(() => expect(a.changes.map(({ state }) => state)).toEqual(['degraded']), WAIT);
    expect(a.changes[0]?.detail).toContain('does not answer in time');
    wire.heal();
    // The gap is told once the connection for events is a new one.
    await vi.waitFor(() => expect(a.gaps()).toBeGreaterThan(0), WAIT);
    await untilOk(a);
  });

  test('a member that dies without a word is gone after its time; one that lives stays', async () => {
    const server = await redis();
    const wire = await wireTo(server);
    const presence = { ttl_ms: 1_000, refresh_ms: 50 };
    const [a, b] = [await open(server.port, { presence }), await open(wire.port, { presence })];
    await a.announce({});
    await b.announce({});
    const ids = async () => (await a.members()).map(({ member_id }) => member_id).toSorted();
    expect(await ids()).toEqual([a.member_id, b.member_id].toSorted());
    wire.cut();
    await vi.waitFor(async () => expect(await ids()).toEqual([a.member_id]), WAIT);
    wire.heal();
    await vi.waitFor(async () => expect(await ids()).toContain(b.member_id), WAIT);
  });

  test('away at the start is like away later', async () => {
    const server = await redis();
    await server.kill();
    const a = await open(server.port);
    expect(await a.status()).toMatchObject({ state: 'degraded', detail: expect.stringContaining('ECONNREFUSED') });
    await everyCall(a);
    await server.restart();
    await untilOk(a);
    expect(a.gaps()).toBeGreaterThan(0);
    expect(a.changes.map(({ state }) => state)).toEqual(['ok']);
  });

  test('an older Redis is not used, and said to be too old', async () => {
    const server = await redis();
    const wire = await wireTo(server, (text) => text.replace(/redis_version:\d+\.\d+/g, 'redis_version:6.2'));
    const a = await open(wire.port);
    const status = await a.status();
    expect(status).toMatchObject({
      state: 'degraded',
      detail: expect.stringMatching(/version 6\.2[.\d]*, older than 7/),
    });
    expect(status.fix).toContain('Redis 7');
    await everyCall(a);
  });

  test('a full server: calls go on without it, and what must be forgotten still is', async () => {
    const server = await redis();
    const room = await leaseRoom();
    const [a, admin] = [await open(server.port, { room }), await open(server.port, { room })];
    expect(await fill(a, 'k', 1)).toBe(true);
    const client = createClient({ url: server.url });
    await client.connect();
    await client.configSet('maxmemory', '1');
    await everyCall(admin);
    expect(await admin.status()).toMatchObject({ state: 'degraded', detail: expect.stringContaining('is full (OOM)') });
    const mark = await a.cache.begin(['k']);
    await mark.settled();
    await client.configSet('maxmemory', '0');
    await untilOk(admin);
    expect((await admin.cache.look('k')).value).toBeUndefined();
    client.destroy();
  });

  test('a wrong password or an unknown certificate is said in words, without the password', async () => {
    const password = randomBytes(12).toString('hex');
    const wrong = randomBytes(12).toString('hex');
    const server = await redis({ password, tls: true });
    const tls = { ca_file: server.ca_file };
    const url = `rediss://127.0.0.1:${server.port}`;
    const cases = [
      { options: { url, password: wrong, tls }, says: /WRONGPASS/ },
      { options: { url: `rediss://user:${wrong}@127.0.0.1:${server.port}`, tls }, says: /WRONGPASS/ },
      { options: { url, tls }, says: /NOAUTH/ },
      { options: { url, password }, says: /TLS check/ },
      { options: { url, password, tls: { ca_file: '/nowhere/ca.pem' } }, says: /certificate file.*ENOENT/ },
      { options: { url: `redis://127.0.0.1:${server.port}`, password }, says: /closed|reached|answer/ },
    ];
    for (const { options, says } of cases) {
      const a = await open(server.port, options);
      const status = await a.status();
      expect(status.state).toBe('degraded');
      expect(status.detail).toMatch(says);
      expect(status.fix).not.toBe('');
      expect(JSON.stringify([status, a.changes])).not.toContain(password);
      expect(JSON.stringify([status, a.changes])).not.toContain(wrong);
      await everyCall(a);
    }
    const right = await open(server.port, { url: server.url, tls });
    await untilOk(right);
  });

  test('an address that is none is refused without being repeated', async () => {
    const secret = randomBytes(12).toString('hex');
    for (const url of [`http://:${secret}@host`, `redis//${secret}`, `redis://:${secret}@host/x`, '']) {
      const opened = open(0, { url });
      await expect(opened).rejects.toMatchObject({ code: 'config_invalid' });
      await expect(opened.catch((error: unknown) => `${error} ${JSON.stringify(error)}`)).resolves.not.toContain(
        secret,
      );
    }
  });
});

// The shared cache under concurrent readers and writers of several processes: nobody gets what was changed before they looked.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { createClient } from '@redis/client';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { type LeaseRoom, openLeaseRoom, quick } from '../../../test/support/coordination.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { Coordination } from './port.ts';
import { createRedisCoordination } from './redis.ts';

const HUBS = 3;

/** What the hubs would have in SQL: values by key, with commits that take effect at one moment. */
function createStore() {
  const versions = new Map<string, number>();
  return {
    read: (key: string) => versions.get(key) ?? 0,
    commit: (key: string) => versions.set(key, (versions.get(key) ?? 0) + 1),
  };
}

interface Step {
  readonly key: number;
  /** Turns of the event loop between what a reader or writer does. */
  readonly waits: readonly number[];
  readonly writes: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  key: fc.nat(1),
  waits: fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }),
  writes: fc.nat(3).map((dice) => dice === 0),
});

/** What happens beside each other; each lane one after the other. */
const script: fc.Arbitrary<Step[][]> = fc.array(fc.array(step, { maxLength: 8 }), { minLength: 2, maxLength: 9 });

describeEngine('redis', () => {
  let server: RedisServer;
  let room: LeaseRoom;
  let hubs: Coordination[];
  beforeAll(async () => {
    server = await startRedis();
    room = await openLeaseRoom();
    hubs = await Promise.all(
      Array.from({ length: HUBS }, (_, i) =>
        createRedisCoordination({
          url: server.url,
          fallback: room.member(`hub-${i}`),
          clock: systemClock,
          member_id: `hub-${i}`,
          timing: quick,
        }),
      ),
    );
  });
  afterAll(async () => {
    for (const hub of hubs) await hub[Symbol.asyncDispose]();
    await room[Symbol.asyncDispose]();
    await server.stop();
  });

  async function delay(turns: number): Promise<void> {
    for (let i = 0; i < turns; i++) await turn();
    if (turns === 3) await pause(1);
  }

  test('no reader gets a value older than the store had when it looked', async () => {
    let hits = 0;
    await fc.assert(
      fc.asyncProperty(script, async (lanes) => {
        const store = createStore();
        const run = randomUUID();
        const write = async (hub: Coordination, key: string, [a = 0, b = 0, c = 0]: readonly number[]) => {
          await delay(a);
          const mark = await hub.cache.begin([key]);
          await delay(b);
          store.commit(key);
          await delay(c);
          await mark.settled();
        };
        const read = async (hub: Coordination, key: string, [a = 0, b = 0, c = 0]: readonly number[]) => {
          await delay(a);
          const atLeast = store.read(key);
          const seen = await hub.cache.look(key);
          if (seen.value !== undefined) {
            hits++;
            expect(Buffer.from(seen.value).readUInt32LE()).toBeGreaterThanOrEqual(atLeast);
            return;
          }
          await delay(b);
          const found = Buffer.alloc(4);
          found.writeUInt32LE(store.read(key));
          await delay(c);
          await seen.fill(found, { ttl_ms: 60_000 });
        };
        await Promise.all(
          lanes.map(async (steps, lane) => {
            const hub = hubs[lane % HUBS]!;
            for (const { key, waits, writes } of steps) await (writes ? write : read)(hub, `${run}:${key}`, waits);
          }),
        );
        // When all is quiet the cache holds the present or nothing.
        for (const key of [`${run}:0`, `${run}:1`]) {
          const seen = await hubs[0]!.cache.look(key);
          if (seen.value !== undefined) expect(Buffer.from(seen.value).readUInt32LE()).toBe(store.read(key));
        }
      }),
      { numRuns: 150 },
    );
    // Else nothing was tested.
    expect(hits).toBeGreaterThan(100);
  });

  test('many keys of one change, more than go into one script, are all forgotten', async () => {
    const [a, b] = [hubs[0]!, hubs[1]!];
    const keys = Array.from({ length: 1_201 }, () => randomUUID());
    await Promise.all(
      keys.map(async (key) => {
        const seen = await a.cache.look(key);
        if (seen.value === undefined) await seen.fill(new Uint8Array([1]), { ttl_ms: 60_000 });
      }),
    );
    const kept = await Promise.all(keys.map((key) => b.cache.look(key)));
    expect(kept.filter(({ value }) => value !== undefined)).toHaveLength(keys.length);
    const mark = await b.cache.begin(keys);
    const during = await Promise.all(keys.map((key) => a.cache.look(key)));
    expect(during.filter(({ value }) => value !== undefined)).toEqual([]);
    await mark.settled();
  });

  test('a change whose mark ran out before its commit still removes what was kept meanwhile', async () => {
    const [a, b] = [hubs[0]!, hubs[1]!];
    const key = randomUUID();
    const mark = await a.cache.begin([key]);
    const client = createClient({ url: server.url });
    await client.connect();
    // As if its ten seconds were over.
    expect(await client.del(await client.keys(`*:marks:${key}`))).toBe(1);
    client.destroy();
    const seen = await b.cache.look(key);
    if (seen.value === undefined) await seen.fill(new Uint8Array([1]), { ttl_ms: 60_000 });
    expect((await b.cache.look(key)).value).toEqual(new Uint8Array([1]));
    await mark.settled();
    expect((await b.cache.look(key)).value).toBeUndefined();
  });

  test('a value that changes lives a minute at most, counted from the look', async () => {
    const key = randomUUID();
    const seen = await hubs[0]!.cache.look(key);
    if (seen.value === undefined) await seen.fill(new Uint8Array([1]), { ttl_ms: 3_600_000 });
    const client = createClient({ url: server.url });
    await client.connect();
    const [name] = await client.keys(`*:value:${key}`);
    const left_ms = await client.pTTL(name ?? '');
    expect(left_ms).toBeGreaterThan(0);
    expect(left_ms).toBeLessThanOrEqual(60_000);
    // Everything this cache keeps goes away by itself.
    for (const each of await client.keys('*cache:*')) expect(await client.pTTL(each)).toBeGreaterThan(0);
    client.destroy();
  });
});

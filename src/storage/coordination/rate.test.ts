// The rate limiter: its arithmetic against a plain count, and the script on Redis against the arithmetic.
import { randomUUID } from 'node:crypto';
import { createClient } from '@redis/client';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { startRedis } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { virtualClock } from '../../kernel/clock.ts';
import type { RateVerdict } from './port.ts';
import { createMemoryLimits, GCRA_LUA, gcra, gcraTerms } from './rate.ts';
import type { RedisConnection } from './redis-connection.ts';
import { defineScript, runScript } from './redis-script.ts';

const limitOf = fc.record({
  limit_count: fc.integer({ min: 1, max: 50 }),
  window_ms: fc.integer({ min: 1, max: 100_000 }),
});
/** So long that no counter ends by the server's own clock before the test has told it to stay. */
const longLimitOf = fc.record({
  limit_count: fc.integer({ min: 1, max: 50 }),
  window_ms: fc.integer({ min: 300_000, max: 3_600_000 }),
});
const pausesUs = fc.array(fc.integer({ min: 0, max: 20_000_000 }), { minLength: 1, maxLength: 120 });
const START_US = Date.UTC(2026, 10, 22) * 1000;

describe('the generic cell rate algorithm', () => {
  test('lets exactly its count pass at one moment', () => {
    fc.assert(
      fc.property(limitOf, (limit) => {
        let arrival_us = 0;
        const verdicts = Array.from({ length: limit.limit_count + 1 }, () => {
          const result = gcra(arrival_us, START_US, limit);
          arrival_us = result.arrival_us;
          return result.verdict;
        });
        expect(verdicts.map(({ allowed }) => allowed)).toEqual([...Array(limit.limit_count).fill(true), false]);
        expect(verdicts.map(({ remaining_count }) => remaining_count)).toEqual(
          [...Array(limit.limit_count + 1).keys()].map((i) => Math.max(0, limit.limit_count - 1 - i)),
        );
      }),
    );
  });

  test('never lets more than twice its count pass in a window, and a refused call passes after its wait', () => {
    fc.assert(
      fc.property(limitOf, pausesUs, (limit, pauses) => {
        let arrival_us = 0;
        let now_us = START_US;
        const passed: number[] = [];
        for (const pause of pauses) {
          now_us += pause % (limit.window_ms * 300);
          const { verdict, arrival_us: next_us } = gcra(arrival_us, now_us, limit);
          arrival_us = next_us;
          if (verdict.allowed) passed.push(now_us);
          else {
            expect(verdict.retry_after_ms).toBeGreaterThan(0);
            expect(gcra(arrival_us, now_us + verdict.retry_after_ms * 1000, limit).verdict.allowed).toBe(true);
          }
        }
        for (const start of passed) {
          const inWindow = passed.filter((at) => at >= start && at < start + limit.window_ms * 1000).length;
          // A full burst, and what one window pays back.
          expect(inWindow).toBeLessThanOrEqual(2 * limit.limit_count + 1);
        }
      }),
    );
  });

  test('in memory it follows the clock, key by key', () => {
    const clock = virtualClock();
    const take = createMemoryLimits(clock);
    const limit = { limit_count: 2, window_ms: 10_000 };
    const allowed = () => take('k', limit).allowed;
    expect([allowed(), allowed(), allowed()]).toEqual([true, true, false]);
    expect(take('other', limit).allowed).toBe(true);
    expect(take('k', limit).retry_after_ms).toBe(5_000);
    clock.advance(5_000);
    expect([allowed(), allowed()]).toEqual([true, false]);
  });
});

describeEngine('redis', () => {
  test('the script on Redis answers as the arithmetic does, to the millisecond', async () => {
    await using server = await startRedis();
    const client = createClient({ url: server.url }) as unknown as RedisConnection;
    await client.connect();
    const script = defineScript(`local now = tonumber(ARGV[3])\n${GCRA_LUA}`);
    try {
      await fc.assert(
        fc.asyncProperty(longLimitOf, pausesUs, async (limit, pauses) => {
          const key = randomUUID();
          const { interval_us, tolerance_us } = gcraTerms(limit);
          let arrival_us = 0;
          let now_us = START_US;
          for (const pause of pauses) {
            now_us += pause % (limit.window_ms * 300);
            const expected = gcra(arrival_us, now_us, limit);
            arrival_us = expected.arrival_us;
            const answer = await runScript<number[]>(client, script, [key], [interval_us, tolerance_us, now_us]);
            const [allowed, remaining_count, retry_after_ms] = answer as [number, number, number];
            const verdict: RateVerdict = { allowed: allowed === 1, remaining_count, retry_after_ms };
            expect(verdict).toEqual(expected.verdict);
            // The test's time runs ahead of the server's own, by which the counter would end.
            await client.persist(key);
          }
        }),
        { numRuns: 40 },
      );
    } finally {
      client.destroy();
    }
  });
});

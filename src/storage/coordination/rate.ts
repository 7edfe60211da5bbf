// Rate limits: the generic cell rate algorithm, as arithmetic, in this process's memory, and as a script for Redis.
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { RateLimit, RateVerdict } from './port.ts';

const MS_US = 1000;

/** The limit as whole microseconds: the time one call costs, and how far ahead calls may be charged. */
export function gcraTerms({ limit_count, window_ms }: RateLimit): { interval_us: number; tolerance_us: number } {
  // Whole numbers, so that exactly `limit_count` calls fit whatever the rounding; below a microsecond more may pass.
  const interval_us = Math.max(1, Math.floor((window_ms * MS_US) / limit_count));
  return { interval_us, tolerance_us: interval_us * limit_count };
}

/**
 * One call under the generic cell rate algorithm (ATM Forum, Traffic Management Specification 4.0, section 4.4.2, as
 * virtual scheduling). `arrival_us` is the theoretical arrival time kept from the last allowed call, 0 at first. Up to
 * `limit_count` calls pass at once; afterwards they pass evenly, one each `window_ms / limit_count`.
 */
export function gcra(
  arrival_us: number,
  now_us: number,
  limit: RateLimit,
): { verdict: RateVerdict; arrival_us: number } {
  const { interval_us, tolerance_us } = gcraTerms(limit);
  const next_us = Math.max(arrival_us, now_us) + interval_us;
  const ahead_us = next_us - now_us;
  if (ahead_us > tolerance_us) {
    const retry_after_ms = Math.ceil((ahead_us - tolerance_us) / MS_US);
    return { verdict: { allowed: false, remaining_count: 0, retry_after_ms }, arrival_us };
  }
  const remaining_count = Math.floor((tolerance_us - ahead_us) / interval_us);
  return { verdict: { allowed: true, remaining_count, retry_after_ms: 0 }, arrival_us: next_us };
}

/**
 * The same in Redis, where `now` holds microseconds. KEYS: the counter. ARGV: interval and tolerance in microseconds.
 * Answers allowed (1 or 0), remaining calls, milliseconds to wait. Numbers are written without exponent, else they
 * would lose digits as text.
 */
export const GCRA_LUA = `
local interval = tonumber(ARGV[1])
local tolerance = tonumber(ARGV[2])
local arrival = tonumber(redis.call('get', KEYS[1]) or '0')
local next = math.max(arrival, now) + interval
local ahead = next - now
if ahead > tolerance then
  return {0, 0, math.ceil((ahead - tolerance) / 1000)}
end
redis.call('set', KEYS[1], string.format('%.0f', next), 'px', math.ceil(ahead / 1000))
return {1, math.floor((tolerance - ahead) / interval), 0}
`;

/**
 * Limits of this process alone. Beyond the bound on keys the one unused longest is forgotten, which at worst lets its
 * owner begin anew.
 */
export function createMemoryLimits(clock: Clock): (key: string, limit: RateLimit) => RateVerdict {
  const arrivals = new LRUCache<string, number>({ max: limits.rate_limit_keys_max_count });
  return (key, limit) => {
    const { verdict, arrival_us } = gcra(arrivals.get(key) ?? 0, clock.now() * MS_US, limit);
    arrivals.set(key, arrival_us);
    return verdict;
  };
}

// A hub whose clock is wrong goes by the server's.
import { expect, test } from 'vitest';
import { createServerClock } from './server-clock.ts';

const HOUR_MS = 3_600_000;

test.each([HOUR_MS, -HOUR_MS])('a clock that is %i ms off is put right', async (off_ms) => {
  using clock = await createServerClock(async () => Date.now(), { now: () => Date.now() + off_ms });
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(HOUR_MS / 2);
});

test('a server that is a few milliseconds away in time changes nothing', async () => {
  using clock = await createServerClock(async () => 1_000_020, { now: () => 1_000_000 });
  expect(clock.now()).toBe(1_000_000);
});

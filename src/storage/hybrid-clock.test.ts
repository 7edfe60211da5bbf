// The hybrid clock: strictly increasing whatever the wall clock does, and never behind what it has seen.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHybridClock } from './hybrid-clock.ts';

const wall = fc.array(fc.integer({ min: 0, max: 2 ** 47 }), { minLength: 1, maxLength: 50 });

/** A clock that tells the given times one after the other. */
function clockOf(times: readonly number[], origin = 'here') {
  let at = 0;
  return createHybridClock({ now: () => times[Math.min(at++, times.length - 1)] ?? 0 }, origin);
}

test('timestamps increase as text, also when the wall clock stands still or runs backwards', () => {
  fc.assert(
    fc.property(wall, (times) => {
      const clock = clockOf(times);
      const stamps = times.map(() => clock.next());
      for (const [i, stamp] of stamps.entries()) if (i > 0) expect(stamp > stamps[i - 1]!).toBe(true);
    }),
  );
});

test('a timestamp is never before the wall clock', () => {
  fc.assert(
    fc.property(wall, (times) => {
      const clock = clockOf(times);
      for (const time of times) expect(Number.parseInt(clock.next().slice(0, 12), 16)).toBeGreaterThanOrEqual(time);
    }),
  );
});

test('the next timestamp is after every one that was observed', () => {
  fc.assert(
    fc.property(wall, wall, (mine, theirs) => {
      const clock = clockOf(mine);
      const other = clockOf(theirs, 'there');
      for (let i = 0; i < mine.length; i++) {
        const seen = other.next();
        clock.observe(seen);
        expect(clock.next() > seen.slice(0, 17)).toBe(true);
      }
    }),
  );
});

test('more ties than the counter holds move the time on', () => {
  const clock = createHybridClock({ now: () => 1_000 }, 'x');
  let last = clock.next();
  for (let i = 0; i < 0x1_0002; i++) {
    const next = clock.next();
    if (next <= last) expect.fail(`${next} is not after ${last}`);
    last = next;
  }
  expect(last.slice(0, 12)).toBe((1_001).toString(16).padStart(12, '0'));
});

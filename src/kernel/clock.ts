// Time as a dependency, so that tests decide what time it is.

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A clock for tests: stands still until told otherwise. */
export function virtualClock(start_ms = Date.UTC(2026, 0, 1)): Clock & { advance(ms: number): void } {
  let current = start_ms;
  return {
    now: () => current,
    advance(ms) {
      current += ms;
    },
  };
}

/** ISO 8601 in UTC with milliseconds: the one timestamp format of storage and answers; sorts as text. */
export function toIso(ms: number): string {
  return new Date(ms).toISOString();
}

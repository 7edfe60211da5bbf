// Hybrid logical clock (Kulkarni et al., 2014): wall time that never runs backwards, with a counter for ties.
import type { Clock } from '../kernel/clock.ts';

export interface HybridClock {
  /** The next timestamp: 12 hex digits of milliseconds, 4 of counter, then the origin; sorts as text. */
  next(): string;
  /** Moves past a timestamp seen elsewhere. */
  observe(timestamp: string): void;
}

const COUNTER_MAX = 0xffff;

export function createHybridClock(clock: Clock, origin: string): HybridClock {
  let last_ms = 0;
  let counter = 0;
  return {
    next() {
      const now_ms = clock.now();
      if (now_ms > last_ms) {
        last_ms = now_ms;
        counter = 0;
      } else if (counter < COUNTER_MAX) {
        counter++;
      } else {
        last_ms++;
        counter = 0;
      }
      return `${last_ms.toString(16).padStart(12, '0')}-${counter.toString(16).padStart(4, '0')}-${origin}`;
    },
    observe(timestamp) {
      const seen_ms = Number.parseInt(timestamp.slice(0, 12), 16);
      const seen_counter = Number.parseInt(timestamp.slice(13, 17), 16);
      if (seen_ms > last_ms || (seen_ms === last_ms && seen_counter > counter)) {
        last_ms = seen_ms;
        counter = seen_counter;
      }
    },
  };
}

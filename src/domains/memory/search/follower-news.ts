// What the follower says of failures: an engine that is away once when it goes, and once when it is back.
import { HaivemindError } from '../../../kernel/errors.ts';

/** Where work failed: at the rows, or at making vectors of them. */
type Place = 'store' | 'vectors';

export interface FollowerNews {
  failed(at: Place, error: unknown, row_count: number): void;
  well(at: Place): void;
}

/** `tell` gets an error, or undefined for what is back; errors other than `unavailable` each time. */
export function createFollowerNews(tell: (error: unknown, row_count: number) => void): FollowerNews {
  /** What is away, in its own words, by where that was met. */
  const away = new Map<Place, string>();
  return {
    failed(at, error, row_count) {
      if (!(error instanceof HaivemindError) || error.code !== 'unavailable') return tell(error, row_count);
      const known = [...away.values()].includes(error.message);
      away.set(at, error.message);
      if (!known) tell(error, row_count);
    },
    well(at) {
      const back = away.get(at);
      if (back === undefined) return;
      for (const [place, what] of away) if (what === back) away.delete(place);
      tell(undefined, 0);
    },
  };
}

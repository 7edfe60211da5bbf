// An index without entries answers every search with nothing, as one does in which nothing is near. Where the store has
// vectors it is asked which of the two it is, so that searches use words and say why.
import type { Clock } from '../../../kernel/clock.ts';
import { type ErrorBody, failure, type HaivemindError } from '../../../kernel/errors.ts';

/** Searches whose filter leaves nothing cause no more than one question in this time. */
const REMEMBERED_MS = 3_000;

export interface Emptiness {
  /** For searches that were named nothing: rejects with `unavailable` where the index has nothing to name. */
  expectEntries(): Promise<void>;
  /** Asks anew where it was empty or nobody asked lately. Never rejects: whether the index answers is another's question. */
  look(): Promise<void>;
  /** The index was seen to have entries. */
  filled(): void;
  /** That it is empty, as last seen. */
  trouble(): ErrorBody | undefined;
}

export interface EmptinessDeps {
  readonly clock: Clock;
  readonly place: string;
  /** Entries of the index; undefined where it has so many that counting takes long. */
  readonly count: () => Promise<number | undefined>;
  /** The store has vectors that should be there. */
  readonly hasVectors: () => Promise<boolean>;
  /** It was found empty, or has entries again (undefined). Not told again of what is known. */
  readonly onChange: (error: unknown) => void;
}

export function createEmptiness({ clock, place, count, hasVectors, onChange }: EmptinessDeps): Emptiness {
  let empty: HaivemindError | undefined;
  let asked_ms: number | undefined;
  let asking: Promise<void> | undefined;

  function note(is_empty: boolean): void {
    if (is_empty === (empty !== undefined)) return;
    empty = is_empty ? emptyError(place) : undefined;
    onChange(empty);
  }
  async function askNow(): Promise<void> {
    note((await hasVectors()) && (await count()) === 0);
    asked_ms = clock.now();
  }
  function ask(): Promise<void> {
    asking ??= askNow().finally(() => (asking = undefined));
    return asking;
  }
  function isFresh(): boolean {
    const age_ms = asked_ms === undefined ? -1 : clock.now() - asked_ms;
    return age_ms >= 0 && age_ms < REMEMBERED_MS;
  }

  return {
    async expectEntries() {
      if (!isFresh()) await ask();
      if (empty) throw empty;
    },
    async look() {
      if (empty || !isFresh()) await ask().catch(() => undefined);
    },
    filled: () => note(false),
    trouble: () => empty?.toJSON(),
  };
}

function emptyError(place: string): HaivemindError {
  return failure(
    'unavailable',
    `The vector index at ${place} is empty, and the store has vectors.`,
    '`haivemind reindex` fills it; what was stored just now gets there by itself.',
  );
}

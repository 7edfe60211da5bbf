// Asking a server that may be away: after a failure it is left alone for a growing pause, so that an outage costs callers
// nothing. A circuit breaker after M. Nygard, "Release It!" (2007); the probe runs beside the callers, never for one.
import type { Clock } from '../../../kernel/clock.ts';
import { type ErrorBody, failure, HaivemindError, toErrorBody } from '../../../kernel/errors.ts';

const PAUSE_MIN_MS = 250;
const PAUSE_MAX_MS = 10_000;
/** What a search waits for at most, and the probe. */
const SEARCH_TIMEOUT_MS = 3_000;
const PROBE_TIMEOUT_MS = 5_000;

export interface Circuit {
  /** Runs `work` under a deadline for searches; rejects at once with the last failure while the server is left alone. */
  ask<T>(work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /**
   * Something else that was asked of the server failed: looks at once whether it answers at all, and leaves it alone
   * where it does not. Resolves when that is known.
   */
  doubt(): Promise<void>;
  /** Why the server is left alone, if it is. */
  trouble(): ErrorBody | undefined;
  /** Where the server is left alone and the pause is over: looks whether it is back. Resolves when that is known. */
  look(): Promise<void>;
}

export interface CircuitDeps {
  readonly clock: Clock;
  readonly place: string;
  readonly probe: () => Promise<unknown>;
  /** What a caller waits for at most, in milliseconds. */
  readonly search_timeout_ms?: number;
  /** The server went away, or came back (undefined). Not told again of what it knows. */
  readonly onChange: (error: unknown) => void;
}

export function createCircuit({ clock, place, probe, onChange, search_timeout_ms }: CircuitDeps): Circuit {
  const patience_ms = search_timeout_ms ?? SEARCH_TIMEOUT_MS;
  let open: { readonly error: unknown; readonly failures: number; readonly since_ms: number } | undefined;
  let looking: Promise<void> | undefined;

  function failed(error: unknown): void {
    if (!isOfServer(error)) return;
    if (!open) onChange(error);
    open = { error, failures: (open?.failures ?? 0) + 1, since_ms: clock.now() };
  }
  function answered(): void {
    if (open) onChange(undefined);
    open = undefined;
  }
  function pauseIsOver(): boolean {
    if (!open) return false;
    const passed_ms = clock.now() - open.since_ms;
    // A clock that was set back must not keep the server alone for hours.
    return passed_ms < 0 || passed_ms >= pauseOf(open.failures);
  }
  async function lookNow(): Promise<void> {
    try {
      await within(PROBE_TIMEOUT_MS, place, () => probe());
      answered();
    } catch (error) {
      failed(error);
    }
  }
  function probeOnce(): Promise<void> {
    looking ??= lookNow().finally(() => (looking = undefined));
    return looking;
  }
  function look(): Promise<void> {
    return pauseIsOver() ? probeOnce() : (looking ?? Promise.resolve());
  }

  return {
    async ask(work, signal) {
      if (open) {
        void look();
        throw open.error;
      }
      try {
        const result = await within(patience_ms, place, work, signal);
        answered();
        return result;
      } catch (error) {
        signal?.throwIfAborted();
        failed(error);
        throw error;
      }
    },
    async doubt() {
      if (!open) await probeOnce();
    },
    trouble: () => open && toErrorBody(open.error),
    look,
  };
}

/** How long a server is left alone after so many failures in a row, in milliseconds. */
export function pauseOf(failures: number): number {
  return Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** (failures - 1));
}

/** `cancelled`: this process is closing the connection. */
const AWAY = new Set(['unavailable', 'config_invalid', 'cancelled']);

/** Errors of one memory are no reason to leave the server alone. */
export function isOfServer(error: unknown): boolean {
  return !(error instanceof HaivemindError) || AWAY.has(error.code);
}

/** Rejects at the deadline even where `work` does not heed its signal. */
async function within<T>(
  timeout_ms: number,
  place: string,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const late = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const timer = setTimeout(() => {
    const error = failure(
      'unavailable',
      `The vector index at ${place} did not answer within ${timeout_ms} ms.`,
      'Look whether it is overloaded; memories are found by their words meanwhile.',
    );
    late.abort(error);
    reject(error);
  }, timeout_ms);
  try {
    return await Promise.race([work(signal ? AbortSignal.any([signal, late.signal]) : late.signal), promise]);
  } finally {
    clearTimeout(timer);
  }
}

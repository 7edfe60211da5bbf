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
  /** Runs `work` however long it takes. */
  work<T>(work: () => Promise<T>): Promise<T>;
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
    if (!isAway(error)) return;
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
    return passed_ms < 0 || passed_ms >= Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** (open.failures - 1));
  }
  async function lookNow(): Promise<void> {
    try {
      await within(PROBE_TIMEOUT_MS, place, () => probe());
      answered();
    } catch (error) {
      failed(error);
    }
  }
  function look(): Promise<void> {
    if (pauseIsOver()) looking ??= lookNow().finally(() => (looking = undefined));
    return looking ?? Promise.resolve();
  }
  async function run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (open) {
      void look();
      throw open.error;
    }
    try {
      const result = await work();
      answered();
      return result;
    } catch (error) {
      signal?.throwIfAborted();
      failed(error);
      throw error;
    }
  }

  return {
    ask: (work, signal) => run(() => within(patience_ms, place, work, signal), signal),
    work: (work) => run(work),
    trouble: () => open && toErrorBody(open.error),
    look,
  };
}

/** `cancelled`: this process is closing the connection. */
const AWAY = new Set(['unavailable', 'config_invalid', 'cancelled']);

/** Errors of one memory are no reason to leave the server alone. */
function isAway(error: unknown): boolean {
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

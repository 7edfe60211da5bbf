// What work in the background met, in the log: an engine that is away is one line when it goes and one when it is back.
import { HaivemindError } from '../kernel/errors.ts';
import type { Log } from '../surfaces/runtime.ts';

/** Whoever does not say when it is over is heard again after so long. */
const SILENCE_MS = 10 * 60 * 1000;

/**
 * Called with an error and what it means; without an error: that it is over. What is `unavailable` is a warning of one
 * line, and the same one is not repeated while it lasts; anything else is unexpected, and logged with its stack.
 */
export function createTroubleLog(log: Log, now: () => number): (error: unknown, message: string) => void {
  const said = new Map<string, number>();
  return (error, message) => {
    if (error === undefined) {
      said.clear();
      log.info({}, message);
      return;
    }
    if (!(error instanceof HaivemindError) || error.code !== 'unavailable') {
      log.error({ err: error }, message);
      return;
    }
    const line = `${message}: ${error.message}`;
    const before_ms = said.get(line);
    if (before_ms !== undefined && now() - before_ms < SILENCE_MS) return;
    said.set(line, now());
    log.warn({ code: error.code, away: error.message, hint: error.hint }, message);
  };
}

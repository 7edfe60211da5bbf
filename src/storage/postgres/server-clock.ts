// The server's time without asking it each time: hubs whose clocks differ agree on when a claim ends.
import { setInterval } from 'node:timers';
import { type Clock, systemClock } from '../../kernel/clock.ts';

/** A clock of this machine that is set right or wanders is followed within so long. */
const MEASURE_INTERVAL_MS = 5 * 60_000;
/** Less than this is the time of the question itself. */
const NOTICEABLE_MS = 100;

export interface ServerClock extends Clock, Disposable {}

/** `ask` gives the server's time in milliseconds since the epoch. Rejects where it does the first time; later keeps what it knows. */
export async function createServerClock(ask: () => Promise<number>, local: Clock = systemClock): Promise<ServerClock> {
  let ahead_ms = 0;
  const measure = async (): Promise<void> => {
    const before_ms = local.now();
    const server_ms = await ask();
    const measured_ms = server_ms - (before_ms + local.now()) / 2;
    ahead_ms = Math.abs(measured_ms) < NOTICEABLE_MS ? 0 : Math.round(measured_ms);
  };
  await measure();
  const timer = setInterval(() => void measure().catch(() => undefined), MEASURE_INTERVAL_MS);
  timer.unref();
  return {
    now: () => local.now() + ahead_ms,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

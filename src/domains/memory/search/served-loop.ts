// The work a process does for an index that another program holds: at once after its own commits, and every few seconds.
import { orAborted } from './or-aborted.ts';
import type { Step } from './outbox-worker.ts';

const SWEEP_INTERVAL_MS = 2_000;

export interface LoopDeps {
  readonly step: () => Promise<Step>;
  /** Looks whether a server that was away is back, if it is time to. */
  readonly look: () => Promise<void>;
  /** What is due from time to time; says by itself when. */
  readonly survey: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export interface ServedLoop {
  /** This process committed a change. */
  wake(row_ids: readonly number[]): void;
  start(): void;
  /** Resolves when nothing this process changed waits, or the server is away; at once where it changed nothing. */
  settle(signal: AbortSignal): Promise<void>;
  /** Ends after the batch at hand. */
  stop(): Promise<void>;
}

export function createServedLoop({ step, look, survey, onError }: LoopDeps): ServedLoop {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  /** This process has changed rows since it last found nothing waiting. */
  let owes = false;
  let working: Promise<void> | undefined;
  let sweeping: Promise<void> | undefined;

  /** Until nothing waits: a change committed while the store was read has set `owes` again. */
  async function workOff(signal?: AbortSignal): Promise<void> {
    let finished = false;
    try {
      do {
        owes = false;
        let result = await step();
        while (typeof result === 'object' && !stopped && !signal?.aborted) result = await step();
        if (result !== 'empty') return;
      } while (owes && !stopped);
      finished = true;
    } finally {
      if (!finished) owes = true;
    }
  }
  function drain(signal?: AbortSignal): Promise<void> {
    working ??= workOff(signal).finally(() => (working = undefined));
    return working;
  }
  async function sweep(): Promise<void> {
    await look();
    await drain();
    if (!stopped) await survey();
  }

  return {
    wake() {
      owes = true;
      if (!stopped) void drain().catch(onError);
    },
    start() {
      if (timer) return;
      const tick = (): void => {
        sweeping ??= sweep()
          .catch(onError)
          .finally(() => {
            sweeping = undefined;
          });
      };
      timer = setInterval(tick, SWEEP_INTERVAL_MS);
      timer.unref();
      tick();
    },
    async settle(signal) {
      await working;
      if (owes) await orAborted(drain(signal), signal);
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await Promise.allSettled([working, sweeping]);
    },
  };
}

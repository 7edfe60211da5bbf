// Clients that write without a pause through a balancer, and remember what was acknowledged and what failed.
import { setTimeout as pause } from 'node:timers/promises';

export interface Load {
  /** Resolves when every writer was answered so many times more. Rejects where one waits for too long. */
  more(count: number): Promise<void>;
  readonly failed: readonly string[];
  /** Ends the writers; resolves with what each acknowledged write got back. */
  stop(): Promise<readonly Acknowledged[]>;
}

export interface Acknowledged {
  readonly content: string;
  readonly memory_id: string;
}

const MORE_MAX_MS = 20_000;
/** Failures that come at once must not fill the memory. */
const AFTER_FAILURE_MS = 20;

type Write = (content: string) => Promise<string>;

export function startLoad(label: string, writers: readonly Write[]): Load {
  const acknowledged: Acknowledged[] = [];
  const failed: string[] = [];
  const answered = writers.map(() => 0);
  let over = false;

  async function work(write: Write, number: number): Promise<void> {
    for (let call = 0; !over; call++) {
      const content = `${label}: writer ${number}, call ${call}`;
      try {
        acknowledged.push({ content, memory_id: await write(content) });
        answered[number] = (answered[number] ?? 0) + 1;
      } catch (error) {
        failed.push(`${content}: ${error instanceof Error ? error.message : String(error)}`);
        await pause(AFTER_FAILURE_MS);
      }
    }
  }
  const working = writers.map(work);
  return {
    failed,
    async more(count) {
      const wanted = answered.map((now) => now + count);
      const deadline_ms = performance.now() + MORE_MAX_MS;
      while (answered.some((now, index) => now < (wanted[index] ?? 0))) {
        if (performance.now() > deadline_ms) throw new Error(`writers stand still: ${failed.slice(-5).join('\n')}`);
        await pause(20);
      }
    },
    async stop() {
      over = true;
      await Promise.all(working);
      return acknowledged;
    },
  };
}

// Group commit: writes that arrive while one commit waits for the disk share the next one, so that many writers cost few fsyncs.
import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';

const GROUP_MAX_COUNT = 128;

export type WriteQueue<Tables> = <T>(work: (trx: Transaction<Tables>) => Promise<T>) => Promise<T>;

interface Job<Tables> {
  readonly work: (trx: Transaction<Tables>) => Promise<unknown>;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes the store's write door. `work` runs inside a transaction that holds the write lock; the promise resolves only
 * after the commit. A failing work is rolled back alone and does not touch its neighbours in the group.
 */
export function createWriteQueue<Tables>(
  db: Kysely<Tables>,
  /** Turns what the engine throws into what a caller can read. */
  readable: (error: unknown) => unknown,
): WriteQueue<Tables> {
  const waiting: Job<Tables>[] = [];
  let running = false;

  const takeGroup = () => waiting.splice(0, GROUP_MAX_COUNT);

  async function drain(): Promise<void> {
    while (waiting.length > 0) await commitGroup();
    running = false;
  }

  async function commitGroup(): Promise<void> {
    const outcomes: (() => void)[] = [];
    let group: Job<Tables>[] = [];
    try {
      await db.transaction().execute(async (trx) => {
        // Taken once the lock is held: what arrived while another process had it joins this commit.
        group = takeGroup();
        for (const job of group) outcomes.push(await runJob(trx, job));
      });
    } catch (error) {
      if (group.length === 0) group = takeGroup();
      for (const job of group) job.reject(error);
      return;
    }
    for (const settle of outcomes) settle();
  }

  return (work) =>
    new Promise((resolve, reject) => {
      waiting.push({ work, resolve: resolve as (value: never) => void, reject: (error) => reject(readable(error)) });
      if (running) return;
      running = true;
      // One turn of the event loop lets requests that arrived together join the same group.
      setImmediate(() => void drain());
    });
}

async function runJob<Tables>(trx: Transaction<Tables>, job: Job<Tables>): Promise<() => void> {
  await sql`savepoint job`.execute(trx);
  try {
    const value = await job.work(trx);
    await sql`release job`.execute(trx);
    return () => job.resolve(value as never);
  } catch (error) {
    await undoJob(trx, error);
    return () => job.reject(error);
  }
}

/** Where the engine has given up the whole transaction (a full disk does that), the group fails with that first cause. */
async function undoJob<Tables>(trx: Transaction<Tables>, cause: unknown): Promise<void> {
  try {
    await sql`rollback to job`.execute(trx);
    await sql`release job`.execute(trx);
  } catch {
    throw cause;
  }
}

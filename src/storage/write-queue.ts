// Group commit: writes that arrive while one commit waits for the disk share the next one, so that many writers cost few fsyncs.
import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { WritePolicy } from './engine.ts';

const GROUP_MAX_COUNT = 128;
/** After a group was in another's way the next ones are so much smaller, and grow again with each that was not. */
const SHRINK_FACTOR = 4;
const GROWTH_FACTOR = 2;
/** Losing a race several times in a row means that many change the same thing at once. */
const RACES_MAX_COUNT = 8;

export type WriteQueue<Tables> = <T>(work: (trx: Transaction<Tables>) => Promise<T>) => Promise<T>;

interface Job {
  readonly work: (trx: never) => Promise<unknown>;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

type Trx = Kysely<never>;
type Settle = () => void;

/**
 * Makes the store's write door. `work` runs inside a transaction and the promise resolves only after its commit. A
 * failing work is rolled back alone and does not touch its neighbours in the group. Work may run more than once, each
 * time as if it were the first: it must have no effect but through its transaction.
 */
export function createWriteQueue<Tables>(policy: WritePolicy): WriteQueue<Tables> {
  const waiting: Job[] = [];
  let running = false;
  let group_max_count = GROUP_MAX_COUNT;

  /** For a run again after a conflict or a lost connection: the fewer rows a group holds, the fewer meet others'. */
  function shrink(group: Job[]): void {
    group_max_count = Math.max(1, Math.floor(group.length / SHRINK_FACTOR));
    waiting.unshift(...group.splice(group_max_count));
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0) await commitGroup();
    running = false;
  }

  async function commitGroup(): Promise<void> {
    let group: Job[] = [];
    let careful = policy.savepoints === 'always';
    for (;;) {
      const failed: JobFailure = { error: undefined };
      let runs = 0;
      try {
        const outcomes = await policy.transact(async (trx) => {
          if (runs++ > 0) shrink(group);
          // Taken once the lock is held: what arrived while another process had it joins this commit.
          if (group.length === 0) group = waiting.splice(0, group_max_count);
          return runGroup(trx as unknown as Trx, group, careful ? policy : failed);
        });
        for (const settle of outcomes) settle();
        if (runs === 1) group_max_count = Math.min(GROUP_MAX_COUNT, GROWTH_FACTOR * group_max_count);
        return;
      } catch (error) {
        // One job of a group without savepoints failed: the others are run again, and it alone is undone.
        const ofOneJob = error === failed.error || policy.wasAborted(error);
        if (!careful && ofOneJob && (group.length > 1 || policy.lostRace(error))) {
          careful = true;
          continue;
        }
        if (group.length === 0) group = waiting.splice(0, group_max_count);
        for (const job of group) job.reject(error);
        return;
      }
    }
  }

  return (work) =>
    new Promise((resolve, reject) => {
      waiting.push({
        work: work as Job['work'],
        resolve: resolve as Job['resolve'],
        reject: (error) => reject(policy.readable(error)),
      });
      if (running) return;
      running = true;
      // One turn of the event loop lets requests that arrived together join the same group.
      setImmediate(() => void drain());
    });
}

/** With a policy each job has a savepoint; else the first failure ends the transaction and is noted. */
async function runGroup(trx: Trx, group: readonly Job[], how: WritePolicy | JobFailure): Promise<Settle[]> {
  const outcomes: Settle[] = [];
  for (const job of group)
    outcomes.push('error' in how ? await runPlainly(trx, job, how) : await runJob(trx, job, how));
  return outcomes;
}

interface JobFailure {
  error: unknown;
}

async function runPlainly(trx: Trx, job: Job, failed: JobFailure): Promise<Settle> {
  try {
    const value = await job.work(trx as never);
    return () => job.resolve(value as never);
  } catch (error) {
    failed.error = error;
    throw error;
  }
}

async function runJob(trx: Trx, job: Job, policy: WritePolicy): Promise<Settle> {
  for (let race = 1; ; race++) {
    await sql`savepoint job`.execute(trx);
    try {
      const value = await job.work(trx as never);
      await sql`release savepoint job`.execute(trx);
      return () => job.resolve(value as never);
    } catch (error) {
      // The jobs before it may hold what the other side waits for: the group gives up all it has and begins again.
      if (policy.deadlocked(error)) throw error;
      await undoJob(trx, error);
      if (race >= RACES_MAX_COUNT || !policy.lostRace(error)) return () => job.reject(error);
    }
  }
}

/** Where the engine has given up the whole transaction (a full disk does that), the group fails with that first cause. */
async function undoJob(trx: Trx, cause: unknown): Promise<void> {
  try {
    await sql`rollback to savepoint job`.execute(trx);
    await sql`release savepoint job`.execute(trx);
  } catch {
    throw cause;
  }
}

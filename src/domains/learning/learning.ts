// Learning put together: reports become memories, here or in another process, and memories are found where work starts.
import { limits } from '../../kernel/limits.ts';
import type { Database } from '../../storage/database.ts';
import type { MemoryDeps } from '../memory/index.ts';
import { addEvent, claimEvents, type EventRow, type LearningStore, postponeEvent, removeEvents } from './events.ts';
import { relatedTo } from './related.ts';
import { rememberEvent } from './remember.ts';
import type { LearningTables } from './tables.ts';
import type { Learning } from './types.ts';

export interface LearningDeps {
  readonly store: Database;
  readonly memory: MemoryDeps;
  /** Tells of events whose memory could not be made. */
  readonly onError: (error: unknown, message: string) => void;
}

/** Events made into memories under one claim. */
const BATCH_COUNT = 50;
/** How long a process may take for them; what it reports itself is left to it as long. */
const CLAIM_MS = 30_000;
const RETRY_FIRST_MS = 5_000;
const RETRY_MAX_MS = 60 * 60 * 1000;
/** Results kept for callers whose event another call of this process settled. */
const RECENT_MAX_COUNT = 1_000;

export function createLearning({ store: database, memory, onError }: LearningDeps): Learning {
  const store: LearningStore = database.withTables<LearningTables>();
  /** Reported here and not settled: id and until when it is looked for, since its transaction may have been undone. */
  const reported = new Map<string, number>();
  const recent = new Map<string, string>();
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<ReadonlyMap<string, string>> | undefined;

  async function settleAll(): Promise<ReadonlyMap<string, string>> {
    next = undefined;
    try {
      while ((await settleBatch()) === BATCH_COUNT);
    } catch (error) {
      onError(error, 'what was learned could not be stored; it is tried again');
    }
    return new Map(recent);
  }

  async function settleBatch(): Promise<number> {
    const now_ms = store.clock.now();
    const rows = await claimEvents(store, [...reported.keys()], {
      limit: BATCH_COUNT,
      attempts_max_count: limits.learning_attempts_max_count,
      until_ms: now_ms + CLAIM_MS,
    });
    const stored: string[] = [];
    for (const row of rows) {
      reported.delete(row.event_id);
      if (await settleOne(row)) stored.push(row.event_id);
    }
    await removeEvents(store, stored);
    for (const [event_id, until_ms] of reported) if (until_ms < now_ms) reported.delete(event_id);
    return rows.length;
  }

  async function settleOne(row: EventRow): Promise<boolean> {
    recent.delete(row.entity_id);
    try {
      recent.set(row.entity_id, await rememberEvent(memory, row));
      const [oldest] = recent.keys();
      if (recent.size > RECENT_MAX_COUNT && oldest !== undefined) recent.delete(oldest);
      return true;
    } catch (error) {
      const last = row.attempts >= limits.learning_attempts_max_count;
      const what = `what was learned of ${row.entity} ${row.entity_id} could not be stored`;
      onError(
        error,
        last ? `${what} in ${row.attempts} attempts; it stays as ${row.event_id}` : `${what}; it is tried again`,
      );
      const wait_ms = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 4 ** (row.attempts - 1));
      await postponeEvent(store, row, store.clock.now() + wait_ms);
      return false;
    }
  }

  return {
    async report(trx, actor, event) {
      const now_ms = store.clock.now();
      const until_ms = now_ms + CLAIM_MS;
      reported.set(await addEvent(trx, actor, event, now_ms, until_ms), until_ms);
    },
    settle() {
      // Calls that come while one runs share the next: it begins after all of their commits.
      next ??= running.then(settleAll);
      running = next;
      return next;
    },
    related: (words, ctx, how) => relatedTo(memory, words, ctx, how),
  };
}

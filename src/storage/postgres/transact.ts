// Transactions that survive what happens to a server: run again after a conflict or a lost connection, and never twice
// where the connection was lost while the commit was under way.
import { setTimeout } from 'node:timers/promises';
import { type Kysely, sql, type Transaction } from 'kysely';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import type { StorageTables } from '../tables.ts';
import { isConflict, isLinkLost } from './errors.ts';

const PAUSE_MIN_MS = 10;
const PAUSE_MAX_MS = 500;

interface Progress {
  /** Id of the server's transaction, known as soon as it has begun. */
  xid: string | undefined;
  /** The work is done; what fails from here on is the commit. */
  committing: boolean;
}

export type Transact = <T>(work: (trx: Transaction<StorageTables>) => Promise<T>) => Promise<T>;

/**
 * Makes `transact`: READ COMMITTED, repeated for as long as a busy store is waited for. After a connection was lost in
 * the commit, the server is asked by the transaction's id what became of it (pg_xact_status).
 */
export function createTransact(db: Kysely<StorageTables>): Transact {
  return async (work) => {
    const deadline_ms = performance.now() + limits.store_busy_timeout_ms;
    for (let pause_ms = PAUSE_MIN_MS; ; pause_ms = Math.min(PAUSE_MAX_MS, 2 * pause_ms)) {
      const progress: Progress = { xid: undefined, committing: false };
      let result: Awaited<ReturnType<typeof work>> | undefined;
      try {
        return await db.transaction().execute(async (trx) => {
          const begun = await sql<{ xid: string }>`select pg_current_xact_id()::text as xid`.execute(trx);
          progress.xid = begun.rows[0]?.xid;
          result = await work(trx);
          progress.committing = true;
          return result;
        });
      } catch (error) {
        if (!isConflict(error) && !isLinkLost(error)) throw error;
        if (progress.committing && progress.xid !== undefined && (await wasKept(db, progress.xid, deadline_ms)))
          return result as Awaited<ReturnType<typeof work>>;
        if (performance.now() > deadline_ms) throw gaveUp(error);
      }
      // Not always the same pause, so that two that met do not meet again.
      await setTimeout(pause_ms * (0.5 + Math.random()));
    }
  };
}

/** Whether a transaction whose commit nobody answered was committed. Rejects where the server stays away. */
async function wasKept(db: Kysely<StorageTables>, xid: string, deadline_ms: number): Promise<boolean> {
  for (;;) {
    try {
      const answer = await sql<{ status: string | null }>`select pg_xact_status(${xid}::xid8) as status`.execute(db);
      const status = answer.rows[0]?.status;
      if (status === 'committed') return true;
      if (status === 'aborted') return false;
    } catch (error) {
      if (!isLinkLost(error)) throw error;
    }
    if (performance.now() > deadline_ms) {
      throw failure(
        'unavailable',
        'PostgreSQL went away while a change was being confirmed.',
        'Read before you repeat it: the change may have been kept.',
      );
    }
    await setTimeout(PAUSE_MIN_MS * 5);
  }
}

function gaveUp(cause: unknown) {
  return isLinkLost(cause)
    ? failure('unavailable', 'PostgreSQL does not answer; nothing was changed.', 'Try again in a moment.', { cause })
    : failure('unavailable', 'Many change the same at once; nothing was changed.', 'Try again in a moment.', { cause });
}

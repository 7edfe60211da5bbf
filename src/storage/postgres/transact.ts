// Transactions that survive what happens to a server: run again after a conflict with another or a lost connection.
import { setTimeout } from 'node:timers/promises';
import type { Kysely, Transaction } from 'kysely';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import type { StorageTables } from '../tables.ts';
import { isConflict, isLinkLost } from './errors.ts';

const PAUSE_MIN_MS = 10;
const PAUSE_MAX_MS = 500;

export type Transact = <T>(work: (trx: Transaction<StorageTables>) => Promise<T>) => Promise<T>;

/**
 * Makes `transact`: READ COMMITTED, run again for as long as a busy store is waited for. Needs connections whose commit
 * is certain (writing.ts), for what was committed must not be run again.
 */
export function createTransact(db: Kysely<StorageTables>): Transact {
  return async (work) => {
    const deadline_ms = performance.now() + limits.store_busy_timeout_ms;
    for (let pause_ms = PAUSE_MIN_MS; ; pause_ms = Math.min(PAUSE_MAX_MS, 2 * pause_ms)) {
      try {
        return await db.transaction().execute(work);
      } catch (error) {
        if (!isConflict(error) && !isLinkLost(error)) throw error;
        if (performance.now() > deadline_ms) throw gaveUp(error);
      }
      // Not always the same pause, so that two that met do not meet again.
      await setTimeout(pause_ms * (0.5 + Math.random()));
    }
  };
}

function gaveUp(cause: unknown) {
  return isLinkLost(cause)
    ? failure('unavailable', 'PostgreSQL does not answer; nothing was changed.', 'Try again in a moment.', { cause })
    : failure('unavailable', 'Many change the same at once; nothing was changed.', 'Try again in a moment.', { cause });
}

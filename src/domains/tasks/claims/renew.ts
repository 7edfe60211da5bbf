// Signs of life: they keep the claims of the session they come from.
import { toIso } from '../../../kernel/clock.ts';
import type { TaskTrx } from '../deps.ts';
import type { TaskRow } from '../record.ts';
import { extended } from './lease.ts';

/** A session was there. Its key has the user in it: whichever agent it acted as, its claims are its own. */
export interface SignsOfLife {
  readonly session_key: string;
  /** Milliseconds, the earliest first. */
  readonly signs_ms: readonly number[];
}

/**
 * Extends the leases of claims that the session of signs of life made. Signs are written a few seconds late: a lease that
 * held when they were given goes on, although it seemed over in between, unless the task was put back meanwhile. What was
 * over by then stays over, no lease is shortened, and neither version nor history tells of it: nothing about the task has
 * changed.
 */
export async function renewClaims(trx: TaskTrx, sessions: readonly SignsOfLife[]): Promise<void> {
  for (const { session_key, signs_ms } of sessions) {
    const [first] = signs_ms;
    if (first === undefined) continue;
    const held = await trx
      .selectFrom('tasks')
      .select(['task_id', 'fencing_token', 'lease_expires_at', 'lease_seconds'])
      .where('holder_session', '=', session_key)
      .where('lease_expires_at', '>', toIso(first))
      .orderBy('task_id')
      .execute();
    for (const claim of held) {
      const end = signs_ms.reduce(
        (until, at_ms) => keptBy({ ...claim, lease_expires_at: until }, at_ms),
        claim.lease_expires_at,
      );
      if (end === claim.lease_expires_at) continue;
      // Guarded: where the claim ended or was renewed further meanwhile, there is nothing to extend.
      await trx
        .updateTable('tasks')
        .set({ lease_expires_at: end })
        .where('task_id', '=', claim.task_id)
        .where('fencing_token', '=', claim.fencing_token)
        .where('holder_session', '=', session_key)
        .where('lease_expires_at', '<', end)
        .execute();
    }
  }
}

/** The end of a lease after a sign of life: what was over by then stays over. */
function keptBy(claim: Pick<TaskRow, 'lease_expires_at' | 'lease_seconds'>, at_ms: number): string | null {
  const { lease_expires_at } = claim;
  return lease_expires_at === null || Date.parse(lease_expires_at) <= at_ms ? lease_expires_at : extended(claim, at_ms);
}

/** Extends a lease that holds at `now`, from the moment of the sign of life. Returns its end. */
export async function extendLease(
  trx: TaskTrx,
  claim: Pick<TaskRow, 'task_id' | 'fencing_token' | 'lease_expires_at' | 'lease_seconds'>,
  at_ms: number,
  now: string,
): Promise<string | null> {
  const end = extended(claim, at_ms);
  if (end === claim.lease_expires_at) return end;
  // Guarded: where the claim ended or was renewed further meanwhile, there is nothing to extend.
  await trx
    .updateTable('tasks')
    .set({ lease_expires_at: end })
    .where('task_id', '=', claim.task_id)
    .where('fencing_token', '=', claim.fencing_token)
    .where('lease_expires_at', '>', now)
    .where('lease_expires_at', '<', end)
    .execute();
  return end;
}

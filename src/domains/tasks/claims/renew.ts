// Signs of life: they keep the claims of the session they come from.
import { toIso } from '../../../kernel/clock.ts';
import type { TaskStore, TaskTrx } from '../deps.ts';
import type { TaskRow } from '../record.ts';
import { extended } from './lease.ts';

/** An agent called in a session. */
export interface SignOfLife {
  readonly agent_id: string;
  readonly session_key: string;
  /** ISO time of its latest call. */
  readonly at: string;
}

/**
 * Extends the leases of claims that the session of a sign of life made for its agent. What is over by now stays over, no
 * lease is shortened, and neither version nor history tells of it: nothing about the task has changed.
 */
export async function renewClaims(store: TaskStore, trx: TaskTrx, signs: readonly SignOfLife[]): Promise<void> {
  const now = toIso(store.clock.now());
  const latest = new Map<string, SignOfLife>();
  for (const sign of signs) {
    const key = JSON.stringify([sign.agent_id, sign.session_key]);
    const known = latest.get(key);
    if (!known || known.at < sign.at) latest.set(key, sign);
  }
  for (const { agent_id, session_key, at } of latest.values()) {
    const held = await trx
      .selectFrom('tasks')
      .select(['task_id', 'fencing_token', 'lease_expires_at', 'lease_seconds'])
      .where('holder_agent_id', '=', agent_id)
      .where('holder_session', '=', session_key)
      .where('lease_expires_at', '>', now)
      .orderBy('task_id')
      .execute();
    for (const claim of held) await extendLease(trx, claim, Date.parse(at), now);
  }
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

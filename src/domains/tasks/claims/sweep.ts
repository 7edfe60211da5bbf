// Claims that ran out: their tasks go back to the queue, whichever process notices first.
import { toIso } from '../../../kernel/clock.ts';
import { limits } from '../../../kernel/limits.ts';
import type { TaskDeps, TaskTrx } from '../deps.ts';
import type { Readiness } from '../graph/readiness.ts';
import { isLapsed } from '../lapsed.ts';
import type { TaskRow } from '../record.ts';
import { lostClaim } from './lease.ts';
import { hubFor, moveTask } from './moves.ts';

/** Ends the claim of a task this transaction holds if its lease is over, and returns the row as it is then. */
export async function withoutLapsed(deps: TaskDeps, trx: TaskTrx, row: TaskRow, touched: Readiness): Promise<TaskRow> {
  return isLapsed(row, toIso(deps.store.clock.now())) ? endLapsed(deps, trx, row, touched) : row;
}

async function endLapsed(deps: TaskDeps, trx: TaskTrx, row: TaskRow, touched: Readiness): Promise<TaskRow> {
  const { agents, store } = deps;
  const { holder_agent_id: lost, lease_expires_at, fencing_token, task_id, title } = row;
  const hub = hubFor(row, store.machine_id);
  // An agent that died would keep what is assigned to it from everybody else.
  const unassigned = row.assigned_agent_id === lost;
  const next = await moveTask(deps, trx, hub, {
    row,
    values: {
      ...lostClaim(row),
      status: 'todo',
      fencing_token: fencing_token + 1,
      ...(unassigned ? { assigned_agent_id: null } : {}),
    },
    entry: {
      action: 'lease_expired',
      subject_agent_id: lost,
      details: { fencing_token, lease_expires_at, ...(unassigned ? { unassigned } : {}) },
    },
    touched,
  });
  touched.add(task_id);
  if (lost !== null) {
    const body = `Your claim ended at ${lease_expires_at} without a sign of life; the task is back in the queue: ${title}`;
    await agents.tell(trx, hub, { to_agent_id: lost, kind: 'note', body, task_id, work: row });
  }
  return next;
}

/**
 * Puts the tasks of claims that are over back into the queue, the longest over first, `limits.task_sweep_max_count` at
 * most. Signs of life that this process noted are written before; those of another process may still be on their way,
 * for which its claims are waited `limits.agent_heartbeat_flush_ms` longer. Costs one look at an index where there are
 * none. Returns how many tasks changed by it.
 */
export async function sweep(deps: TaskDeps): Promise<number> {
  const { store, heartbeats, changed } = deps;
  if ((await lapsed(deps)).length === 0) return 0;
  await heartbeats.flush();
  const over = (await lapsed(deps)).filter((claim) => isDue(deps, claim)).map(({ task_id }) => task_id);
  if (over.length === 0) return 0;
  const touched = await store.write(async (trx) => {
    const ids: Readiness = new Set();
    const rows = trx.selectFrom('tasks').selectAll().where('task_id', 'in', over).orderBy('task_id');
    // Another process may be at it: nobody waits for what is being done anyway.
    for (const row of await store.dialect.unclaimed(rows).execute()) await withoutLapsed(deps, trx, row, ids);
    return ids;
  });
  for (const task_id of touched) changed(task_id);
  return touched.size;
}

type Lapsed = Pick<TaskRow, 'task_id' | 'holder_session' | 'lease_expires_at' | 'lease_seconds'>;

function lapsed({ store }: TaskDeps): Promise<Lapsed[]> {
  return store.db
    .selectFrom('tasks')
    .select(['task_id', 'holder_session', 'lease_expires_at', 'lease_seconds'])
    .where('lease_expires_at', '<=', toIso(store.clock.now()))
    .orderBy('lease_expires_at')
    .limit(limits.task_sweep_max_count)
    .execute();
}

/** Nothing can come any more that keeps it: its session was heard last in this process, or it has been waited for. */
function isDue({ store, heartbeats }: TaskDeps, claim: Lapsed): boolean {
  const { holder_session, lease_expires_at, lease_seconds } = claim;
  const late_ms = limits.agent_heartbeat_flush_ms;
  const end_ms = Date.parse(lease_expires_at ?? '');
  if (end_ms <= store.clock.now() - late_ms) return true;
  const heard_ms = holder_session === null ? undefined : heartbeats.heardAt(holder_session);
  // The latest sign that was written is older than the lease by its length; a call takes a moment until it counts.
  return heard_ms !== undefined && heard_ms >= end_ms - (lease_seconds ?? 0) * 1_000 - late_ms;
}

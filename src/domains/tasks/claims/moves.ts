// A task moves from column to column: what waits for it follows, and whoever can now begin is told.
import type { Updateable } from 'kysely';
import type { OperationContext } from '../../../kernel/operation.ts';
import type { TaskDeps, TaskTrx } from '../deps.ts';
import { afterStatusChange, chunks, type Readiness } from '../graph/readiness.ts';
import type { TaskRow } from '../record.ts';
import { type HistoryEntry, updateTask } from '../repository.ts';
import type { Status } from '../statuses.ts';
import type { TaskTable } from '../tables.ts';

export interface Move {
  readonly row: TaskRow;
  readonly values: Updateable<TaskTable>;
  readonly entry: HistoryEntry;
  /** Readiness that changed in this transaction already; more is added. */
  readonly touched?: Readiness;
}

/**
 * Writes a task this transaction holds, with a change of its status. Assignees of tasks that became ready are told.
 * Returns the row as it is now; `touched` holds the ids whose readiness changed.
 */
export async function moveTask(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  { row, values, entry, touched = new Set() }: Move,
): Promise<TaskRow> {
  const from = row.status as Status;
  const to = (values.status ?? from) as Status;
  const moved = from !== to;
  if (moved) for (const id of await afterStatusChange(trx, row, from, to)) touched.add(id);
  const columns = moved ? { from_status: from, to_status: to } : {};
  const now = await updateTask(deps.store, trx, row, values, ctx.principal, { ...columns, ...entry });
  // Who assigns a task tells of that himself.
  const assigned = values.assigned_agent_id !== undefined;
  const others = [...touched].filter((id) => !assigned || id !== row.task_id);
  await tellReady(deps, trx, ctx, others);
  return now;
}

/** Tells the agents that tasks are assigned to that these can be begun now. */
async function tellReady(
  { agents }: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  task_ids: readonly string[],
): Promise<void> {
  for (const ids of chunks(task_ids)) {
    const ready = await trx
      .selectFrom('tasks')
      .select(['task_id', 'title', 'assigned_agent_id', 'scope', 'user_id', 'team_id'])
      .where('task_id', 'in', ids)
      .where('is_ready', '=', 1)
      .where('assigned_agent_id', 'is not', null)
      .orderBy('task_id')
      .execute();
    for (const { task_id, title, assigned_agent_id, ...work } of ready) {
      if (assigned_agent_id === null || assigned_agent_id === ctx.principal.agent_id) continue;
      const body = `Ready to begin, nothing is open before it any more: ${title}`;
      await agents.tell(trx, ctx, { to_agent_id: assigned_agent_id, kind: 'task', body, task_id, work });
    }
  }
}

/** The hub itself, on behalf of the user whose task it is: what happens because time passed. */
export function hubFor(row: Pick<TaskRow, 'user_id'>, machine_id: string): OperationContext {
  return {
    principal: { user_id: row.user_id, agent_id: 'haivemind', machine_id },
    session: { key: 'ses_hub', transport: 'internal' },
    request_id: 'hub',
    signal: new AbortController().signal,
    reportProgress: () => {},
  };
}

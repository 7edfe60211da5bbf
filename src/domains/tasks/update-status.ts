// What a change of status needs and brings with it besides the status.
import type { Updateable } from 'kysely';
import { toIso } from '../../kernel/clock.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import { assignedToAnother, boardIsFull } from './claims/errors.ts';
import { NO_CLAIM } from './claims/lease.ts';
import { assertNothingOpen, assertPartsOver } from './claims/open-work.ts';
import type { TaskDeps, TaskTrx } from './deps.ts';
import { illegalTransition, reasonNeeded, storyIsOver } from './errors.ts';
import type { TaskRow } from './record.ts';
import { isOver, nextOf, type Status } from './statuses.ts';
import type { TaskTable } from './tables.ts';
import { fullFor, limitsOf } from './wip.ts';

export interface StatusChange {
  readonly to: Status;
  /** What the call says of how it ended. */
  readonly resolution?: string | null | undefined;
  readonly comment?: string | undefined;
  /** Board it is on after the call. */
  readonly project_id: string | null;
}

/**
 * Columns that go with a new status; those of a claim are made by `claimTask`. `row` is as this transaction has left it so
 * far. Errors: `conflict` for a way the board does not have, for a task that waits for others or is assigned to another,
 * `limit_exceeded` for a full column, `invalid_input` for a failure without a reason.
 */
export async function valuesOfStatus(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  row: TaskRow,
  change: StatusChange,
): Promise<Updateable<TaskTable>> {
  const { to, project_id } = change;
  const from = row.status as Status;
  if (!nextOf(from).includes(to)) throw illegalTransition(row.task_id, from, to);
  if (to === 'in_progress') await assertMayBegin(trx, ctx, row);
  if (to === 'done') await assertPartsOver(trx, row, ctx.principal);
  if (isOver(from) && !isOver(to)) await assertStoryOpen(deps, trx, row);
  await assertRoom(deps, trx, ctx, { ...row, project_id }, to);
  return {
    status: to,
    ...(from === 'in_progress' ? NO_CLAIM : {}),
    ...(isOver(to) ? ended(deps, row, change) : {}),
    ...(isOver(from) && !isOver(to) ? { finished_at: null, resolution: null, progress: 0 } : {}),
  };
}

/** Refuses to begin what is somebody else's or waits for others. */
async function assertMayBegin(trx: TaskTrx, { principal }: OperationContext, row: TaskRow): Promise<void> {
  const { assigned_agent_id } = row;
  if (assigned_agent_id !== null && assigned_agent_id !== principal.agent_id) throw assignedToAnother(row);
  await assertNothingOpen(trx, row, principal);
}

/** Refuses a column, or an agent, that has as much as it may have. */
export async function assertRoom(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  row: TaskRow,
  to: Status,
): Promise<void> {
  const holder = to === 'in_progress' ? ctx.principal.agent_id : undefined;
  const full = await fullFor(deps, trx, await limitsOf(deps, ctx, row), { place: row, status: to, holder });
  if (full) throw boardIsFull(row.task_id, to, full);
}

/** A part cannot be open below a story that is over. */
async function assertStoryOpen({ store }: TaskDeps, trx: TaskTrx, { parent_id }: TaskRow): Promise<void> {
  if (parent_id === null) return;
  const query = trx.selectFrom('tasks').select('status').where('task_id', '=', parent_id);
  const status = (await store.dialect.forChange(query).executeTakeFirst())?.status as Status | undefined;
  if (status !== undefined && isOver(status)) throw storyIsOver(parent_id, status);
}

function ended({ store }: TaskDeps, row: TaskRow, { to, resolution, comment }: StatusChange): Updateable<TaskTable> {
  const said = resolution ?? row.resolution;
  if (to === 'failed' && said === null && comment === undefined) throw reasonNeeded(row.task_id);
  return {
    finished_at: toIso(store.clock.now()),
    ...(to === 'done' ? { progress: 100 } : {}),
    ...(to === 'failed' && said === null && comment !== undefined ? { resolution: comment } : {}),
  };
}

// Deleting tasks: what hangs on one is shown first, and then goes with it or is cut off, as the caller decides.

import { toIso } from '../../kernel/clock.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import type { VersionVector } from '../../storage/changes.ts';
import { assertAllowed, mayManageWork, maySeeWork } from '../access/index.ts';
import { isHeld, isOwnClaim } from './claims/lease.ts';
import type { TaskDeps, TaskTrx } from './deps.ts';
import { hasDependants, heldTasks, hiddenDependants, taskNotFound } from './errors.ts';
import { removeDependencies } from './graph/edges.ts';
import { chunks, countChildren, holdGraph, type Readiness } from './graph/readiness.ts';
import type { TaskRow } from './record.ts';
import { addHistory, holdVisible, updateTask } from './repository.ts';
import { isOver, type Status } from './statuses.ts';
import { moveUnder } from './update-place.ts';

export interface DeleteRequest {
  readonly task_id: string;
  /** What waits for it and its parts go too, and what hangs on those. */
  readonly cascade: boolean;
  /** What waits for it waits no longer; its parts stand alone. */
  readonly detach: boolean;
  /** Also where another agent works on it. */
  readonly force: boolean;
  readonly reason?: string | undefined;
}

export interface Deleted {
  readonly deleted: readonly TaskRow[];
  /** Cut off, and still there. */
  readonly detached: readonly TaskRow[];
}

/**
 * Deletes a task for good: its edges go, its history stays and ends with a row that says who deleted it. Errors:
 * `not_found`; `forbidden` where the caller may not manage one of them; `conflict` naming what waits for it or is a part
 * of it without `cascade` and `detach`, and naming those that other sessions hold without `force`.
 */
export async function deleteTask(deps: TaskDeps, ctx: OperationContext, request: DeleteRequest): Promise<Deleted> {
  const clean = request.reason === undefined ? undefined : (await deps.redact(request.reason)).text;
  const { outcome, touched } = await deps.store.write(async (trx) => {
    const changed: Readiness = new Set();
    return { outcome: await deleteIn(deps, trx, ctx, { ...request, reason: clean }, changed), touched: changed };
  });
  const ids = new Set([...touched, ...[...outcome.deleted, ...outcome.detached].map(({ task_id }) => task_id)]);
  for (const task_id of ids) deps.changed(task_id);
  return outcome;
}

async function deleteIn(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  request: DeleteRequest,
  changed: Readiness,
): Promise<Deleted> {
  const { store } = deps;
  const { principal } = ctx;
  await holdGraph(store, trx);
  const row = await holdVisible(store, trx, request.task_id, principal);
  assertAllowed(mayManageWork(principal, row), () => taskNotFound(row.task_id));
  const hanging = await hangingOn(deps, trx, [row]);
  const detaches = request.detach && !request.cascade;
  if (hanging.length > 0 && !request.cascade && !detaches) {
    const seen = hanging.filter((task) => maySeeWork(principal, task).allowed);
    throw hasDependants(row.task_id, seen, hanging.length);
  }
  const doomed = request.cascade ? await everythingOn(deps, trx, row) : [row];
  const hidden = doomed.filter((task) => !maySeeWork(principal, task).allowed).length;
  if (hidden > 0) throw hiddenDependants(row.task_id, hidden);
  for (const task of doomed) assertAllowed(mayManageWork(principal, task), () => taskNotFound(task.task_id));
  refuseHeld(doomed, ctx, request.force, toIso(store.clock.now()));
  const detached = detaches ? await cutOff(deps, trx, ctx, row, hanging, changed) : [];
  await remove(deps, trx, ctx, doomed, request.reason, changed);
  return { deleted: doomed, detached };
}

/** Tasks that wait for one of these or are a part of one, kept from changing. */
async function hangingOn({ store }: TaskDeps, trx: TaskTrx, tasks: readonly TaskRow[]): Promise<TaskRow[]> {
  const found = new Map<string, TaskRow>();
  for (const ids of chunks(tasks.map(({ task_id }) => task_id))) {
    const query = trx
      .selectFrom('tasks')
      .selectAll()
      .where((eb) =>
        eb.or([
          eb('parent_id', 'in', ids),
          eb('task_id', 'in', (inner) =>
            inner.selectFrom('task_dependencies').select('task_dependencies.task_id').where('depends_on_id', 'in', ids),
          ),
        ]),
      )
      .orderBy('task_id');
    for (const row of await store.dialect.forChange(query).execute()) found.set(row.task_id, row);
  }
  return [...found.values()];
}

/** A task with all that hangs on it, by whatever way. */
async function everythingOn(deps: TaskDeps, trx: TaskTrx, row: TaskRow): Promise<TaskRow[]> {
  const all = new Map([[row.task_id, row]]);
  for (let level: readonly TaskRow[] = [row]; level.length > 0; ) {
    const next = (await hangingOn(deps, trx, level)).filter(({ task_id }) => !all.has(task_id));
    for (const task of next) all.set(task.task_id, task);
    level = next;
  }
  return [...all.values()];
}

function refuseHeld(doomed: readonly TaskRow[], ctx: OperationContext, force: boolean, now: string): void {
  const held = doomed.filter((task) => isHeld(task, now) && !isOwnClaim(task, ctx, now));
  if (held.length > 0 && !force) throw heldTasks(held);
}

/** Edges to a task that is to go are taken away; its parts are no parts any more. */
async function cutOff(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  row: TaskRow,
  hanging: readonly TaskRow[],
  changed: Readiness,
): Promise<TaskRow[]> {
  const out: TaskRow[] = [];
  for (const task of hanging) {
    const isPart = task.parent_id === row.task_id;
    if (isPart) await moveUnder(deps, trx, ctx, task, null, changed);
    const removed = await removeDependencies(deps.store, trx, task, [row.task_id], changed);
    const details = {
      from: row.task_id,
      ...(isPart ? { part: true } : {}),
      ...(removed[0] ? { dependency: true } : {}),
    };
    const values = isPart ? { parent_id: null } : {};
    out.push(await updateTask(deps.store, trx, task, values, ctx.principal, { action: 'detached', details }));
  }
  return out;
}

async function remove(
  { agents, store }: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  doomed: readonly TaskRow[],
  reason: string | undefined,
  changed: Readiness,
): Promise<void> {
  const ids = new Set(doomed.map(({ task_id }) => task_id));
  for (const { parent_id, status } of doomed)
    if (parent_id !== null && !ids.has(parent_id) && !isOver(status as Status))
      await countChildren(trx, parent_id, -1, changed);
  for (const part of chunks([...ids])) {
    await trx
      .deleteFrom('task_dependencies')
      .where((eb) => eb.or([eb('task_id', 'in', part), eb('depends_on_id', 'in', part)]))
      .execute();
    await trx.deleteFrom('tasks').where('task_id', 'in', part).execute();
  }
  for (const row of doomed) {
    const { task_id, status, holder_agent_id, assigned_agent_id, title } = row;
    changed.delete(task_id);
    const before = JSON.parse(row.version_vector) as VersionVector;
    await store.recordChange(trx, { entity: 'task', entity_id: task_id, kind: 'delete', before });
    await addHistory(store, trx, { ...row, version: row.version + 1 }, ctx.principal, {
      action: 'deleted',
      from_status: status,
      subject_agent_id: holder_agent_id,
      comment: reason ?? null,
      details: { title },
    });
    const whose = holder_agent_id ?? assigned_agent_id;
    if (whose === null || whose === ctx.principal.agent_id) continue;
    const body = `Deleted by ${ctx.principal.agent_id}, nothing is left to do: ${title}`;
    await agents.tell(trx, ctx, { to_agent_id: whose, kind: 'note', body, task_id, work: row });
  }
}

// Edges of the task graph: what waits for what. Added only where no circle comes about, and where everybody who sees a
// task may also see what it waits for.
import { toIso } from '../../../kernel/clock.ts';
import type { Principal } from '../../../kernel/operation.ts';
import { visibleWork, type WorkPlace } from '../../access/index.ts';
import type { TaskStore, TaskTrx } from '../deps.ts';
import { hiddenBlocker, taskNotFound } from '../errors.ts';
import type { TaskRow } from '../record.ts';
import { type Status, satisfies } from '../statuses.ts';
import { endOf, gateOf, refuseCircle } from './cycles.ts';
import { chunks, countDependencies, holdGraph, type Readiness } from './readiness.ts';

/**
 * The tasks to be depended upon, kept from changing until the transaction ends. Errors: `not_found` naming the first
 * that is absent or may not be seen.
 */
export async function holdDependencies(
  store: TaskStore,
  trx: TaskTrx,
  task_ids: readonly string[],
  principal: Principal,
): Promise<TaskRow[]> {
  const rows: TaskRow[] = [];
  for (const ids of chunks(task_ids)) {
    const query = trx
      .selectFrom('tasks')
      .selectAll()
      .where('task_id', 'in', ids)
      .where(visibleWork(principal, 'tasks'))
      .orderBy('task_id');
    rows.push(...(await store.dialect.forChange(query).execute()));
  }
  const known = new Set(rows.map(({ task_id }) => task_id));
  for (const task_id of task_ids) if (!known.has(task_id)) throw taskNotFound(task_id);
  return rows;
}

/** What a place comes to: whoever sees `place` has to see the other as well. Solo is within the reach of its user only. */
export function mayWaitFor(place: WorkPlace, other: Pick<TaskRow, 'task_id' | 'scope' | 'team_id'>): boolean {
  if (other.scope === 'shared' || place.scope === 'solo') return true;
  return place.scope === 'team' && other.scope === 'team' && other.team_id === place.team_id;
}

/** Refuses edges to tasks that some who see `place` could not see: they would wait for something they cannot find. */
export function refuseHiddenBlockers(place: WorkPlace, dependencies: readonly TaskRow[]): void {
  const hidden = dependencies.find((dependency) => !mayWaitFor(place, dependency));
  if (hidden) throw hiddenBlocker(hidden.task_id, place);
}

/**
 * Makes a task that this transaction holds wait for others too; those it waits for already are passed over. Readiness
 * of the task and all below it is brought up to date. Returns the ids that were added. Errors: `not_found` naming a
 * dependency, `conflict` with the circle it would close, `invalid_input` for one that not all who see the task can see.
 */
export async function addDependencies(
  store: TaskStore,
  trx: TaskTrx,
  row: TaskRow,
  depends_on_ids: readonly string[],
  principal: Principal,
  changed: Readiness = new Set(),
): Promise<string[]> {
  const wanted = [...new Set(depends_on_ids)];
  if (wanted.length === 0) return [];
  await holdGraph(store, trx);
  const found = await holdDependencies(store, trx, wanted, principal);
  const has = new Set(await dependenciesOf(trx, row.task_id));
  const added = found.filter(({ task_id }) => !has.has(task_id));
  if (added.length === 0) return [];
  refuseHiddenBlockers(row as TaskRow & WorkPlace, added);
  const to = added.map(({ task_id }) => endOf(task_id));
  await refuseCircle(trx, { from: gateOf(row.task_id), to, principal });
  await insertEdges(store, trx, row.task_id, added);
  const open = added.filter(({ status }) => !satisfies(status as Status)).length;
  await countDependencies(trx, [row.task_id], open, changed);
  return added.map(({ task_id }) => task_id);
}

/** The opposite; ids it does not wait for are passed over. Returns the ids that were removed. */
export async function removeDependencies(
  store: TaskStore,
  trx: TaskTrx,
  row: TaskRow,
  depends_on_ids: readonly string[],
  changed: Readiness = new Set(),
): Promise<string[]> {
  const wanted = new Set(depends_on_ids);
  const ids = (await dependenciesOf(trx, row.task_id)).filter((id) => wanted.has(id));
  if (ids.length === 0) return [];
  // Held, so that nobody counts one off for being done while it is counted off here.
  const query = trx.selectFrom('tasks').selectAll().where('task_id', 'in', ids).orderBy('task_id');
  const rows = await store.dialect.forChange(query).execute();
  await trx
    .deleteFrom('task_dependencies')
    .where('task_id', '=', row.task_id)
    .where('depends_on_id', 'in', ids)
    .execute();
  const open = rows.filter(({ status }) => !satisfies(status as Status)).length;
  await countDependencies(trx, [row.task_id], -open, changed);
  return ids;
}

export async function insertEdges(
  store: TaskStore,
  trx: TaskTrx,
  task_id: string,
  dependencies: readonly Pick<TaskRow, 'task_id'>[],
): Promise<void> {
  if (dependencies.length === 0) return;
  const created_at = toIso(store.clock.now());
  await trx
    .insertInto('task_dependencies')
    .values(dependencies.map((dependency) => ({ task_id, depends_on_id: dependency.task_id, created_at })))
    .execute();
}

export async function dependenciesOf(db: Pick<TaskTrx, 'selectFrom'>, task_id: string): Promise<string[]> {
  const rows = await db
    .selectFrom('task_dependencies')
    .select('depends_on_id')
    .where('task_id', '=', task_id)
    .orderBy('depends_on_id')
    .execute();
  return rows.map(({ depends_on_id }) => depends_on_id);
}

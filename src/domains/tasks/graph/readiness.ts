// Keeps the columns that say whether a task can be begun: what it waits for, its parts, and what is above it. They follow
// from statuses and edges, so they are changed without a version or a change record. All in the caller's transaction.
import { type RawBuilder, sql } from 'kysely';
import type { TaskStore, TaskTrx } from '../deps.ts';
import type { TaskRow } from '../record.ts';
import { isOver, type Status, satisfies } from '../statuses.ts';

type Counter = 'open_dependencies' | 'open_children' | 'blocked_ancestors';

/** Columns of this file's making: whoever writes other columns of a task leaves them alone. */
export const DERIVED = ['open_dependencies', 'open_children', 'blocked_ancestors', 'is_ready'] as const;

/** Ids of tasks that became ready, or are no longer. */
export type Readiness = Set<string>;

const CHUNK_IDS = 400;

/** `is_ready` of a row with this status, from the counters the row has in the store. */
export function readyWith(status: string): RawBuilder<number> {
  return sql<number>`case when cast(${status} as text) = 'todo' and open_dependencies = 0 and open_children = 0 and blocked_ancestors = 0 then 1 else 0 end`;
}

/**
 * Whoever adds edges between tasks that exist waits here for others who do, until their transactions end: two halves of
 * a circle look harmless.
 */
export async function holdGraph(store: Pick<TaskStore, 'dialect'>, trx: TaskTrx): Promise<void> {
  await store.dialect.serialise(trx, 'task_graph');
}

/**
 * To be called in the transaction that moves a task from one status to another: brings those up to date that depend on
 * it, its parent, and all below a task that begins or ceases to wait. The task's own `is_ready` is set by `updateTask`.
 * Best before `updateTask`: rows first, the machine's counter of changes last, as in every transaction on tasks, so
 * that two of them do not wait for each other. Returns the ids whose readiness changed, the task's own among them.
 */
export async function afterStatusChange(trx: TaskTrx, row: TaskRow, from: Status, to: Status): Promise<Readiness> {
  const changed: Readiness = new Set();
  const open = row.open_dependencies + row.open_children + row.blocked_ancestors;
  if (open === 0 && (from === 'todo') !== (to === 'todo')) changed.add(row.task_id);
  if (satisfies(from) !== satisfies(to)) {
    const dependants = trx
      .selectFrom('task_dependencies')
      .select('task_id')
      .where('depends_on_id', '=', row.task_id)
      .orderBy('task_id');
    const ids = (await dependants.execute()).map(({ task_id }) => task_id);
    await countDependencies(trx, ids, satisfies(to) ? -1 : 1, changed);
  }
  if (isOver(from) !== isOver(to) && row.parent_id !== null)
    await count(trx, [row.parent_id], 'open_children', isOver(to) ? -1 : 1, changed);
  return changed;
}

/** These tasks wait for so many more tasks (or fewer): whatever is below one that begins or ceases to wait follows. */
export async function countDependencies(
  trx: TaskTrx,
  task_ids: readonly string[],
  by: number,
  changed: Readiness,
): Promise<void> {
  const rows = await count(trx, task_ids, 'open_dependencies', by, changed);
  const began = rows.filter((row) => row.open_dependencies > 0 && row.open_dependencies - by <= 0);
  const ceased = rows.filter((row) => row.open_dependencies <= 0 && row.open_dependencies - by > 0);
  for (const [tasks, step] of [
    [began, 1],
    [ceased, -1],
  ] as const)
    await countAncestors(trx, new Map(tasks.map(({ task_id }) => [task_id, step])), changed);
}

/** One part more or fewer that is not over. */
export async function countChildren(trx: TaskTrx, parent_id: string, by: number, changed: Readiness): Promise<void> {
  await count(trx, [parent_id], 'open_children', by, changed);
}

/**
 * All below these tasks, level by level: each adds its own number to every task below it. Found and changed in one
 * statement, so that a task somebody moves away at this moment is left to them.
 */
export async function countAncestors(
  trx: TaskTrx,
  above: ReadonlyMap<string, number>,
  changed: Readiness,
): Promise<void> {
  let level = above;
  while (level.size > 0) {
    const next = new Map<string, number>();
    for (const [by, tasks] of Map.groupBy(level, ([, number]) => number)) {
      const ids = tasks.map(([task_id]) => task_id);
      for (const { task_id } of await count(trx, ids, 'blocked_ancestors', by, changed, 'parent_id'))
        next.set(task_id, by);
    }
    level = next;
  }
}

interface Counted extends Pick<TaskRow, 'task_id' | 'status' | Counter> {}

async function count(
  trx: TaskTrx,
  of_ids: readonly string[],
  counter: Counter,
  by: number,
  changed: Readiness,
  column_of_ids: 'task_id' | 'parent_id' = 'task_id',
): Promise<Counted[]> {
  if (by === 0) return [];
  const all: Counted[] = [];
  for (const ids of chunks(of_ids)) {
    const column = sql.ref(counter);
    const others = (['open_dependencies', 'open_children', 'blocked_ancestors'] as const)
      .filter((other) => other !== counter)
      .map((other) => sql.ref(other));
    const ready = sql<number>`case when status = 'todo' and ${column} + ${sql.lit(by)} = 0 and ${sql.join(others, sql` + `)} = 0 then 1 else 0 end`;
    const rows = await trx
      .updateTable('tasks')
      .set({ [counter]: sql<number>`${column} + ${sql.lit(by)}`, is_ready: ready })
      .where(column_of_ids, 'in', ids)
      .returning(['task_id', 'status', 'open_dependencies', 'open_children', 'blocked_ancestors'])
      .execute();
    for (const row of rows) {
      const after = row.open_dependencies + row.open_children + row.blocked_ancestors;
      if (row.status === 'todo' && (after === 0) !== (after - by === 0)) toggle(changed, row.task_id);
    }
    all.push(...rows);
  }
  return all;
}

/** Ready and then again not within one transaction is no change. */
function toggle(changed: Readiness, task_id: string): void {
  if (!changed.delete(task_id)) changed.add(task_id);
}

export function chunks<T>(items: readonly T[], size = CHUNK_IDS): T[][] {
  const out: T[][] = [];
  for (let start = 0; start < items.length; start += size) out.push(items.slice(start, start + size));
  return out;
}

// Locks in one order: who changes edges, or a status that others count, holds the graph first, then the task with all that
// the change reaches, and only then looks at any of them.
//
// A task that ends takes its own row and then those that wait for it; one that ceases to wait takes its own row and then
// what it waited for. On PostgreSQL the two would hold what the other one wants. On SQLite one writes at a time anyway.
import type { TaskStore, TaskTrx } from '../deps.ts';
import { isOver, type Status, satisfies } from '../statuses.ts';
import { dependenciesOf } from './edges.ts';
import { chunks, holdGraph } from './readiness.ts';

/** What a call is going to change of one task, as far as others are reached by it. */
export interface Reach {
  readonly task_id: string;
  readonly status?: Status | undefined;
  readonly parent_id?: string | null | undefined;
  readonly add_dependencies?: readonly string[] | undefined;
  readonly remove_dependencies?: readonly string[] | undefined;
}

/**
 * Call it before the transaction holds any task. Does nothing for what touches no other task: claims, progress, words,
 * and the end of a task that stands alone.
 */
export async function holdReach(store: TaskStore, trx: TaskTrx, reach: Reach): Promise<void> {
  const { task_id, add_dependencies = [], remove_dependencies = [], parent_id } = reach;
  const moves = parent_id !== undefined || add_dependencies.length + remove_dependencies.length > 0;
  if (!moves && !(await isCounted(trx, reach))) return;
  await holdGraph(store, trx);
  const known = new Set(await dependenciesOf(trx, task_id));
  // Of what the call names only what it may see is in reach: edges that are there, and those that addDependencies finds.
  const removed = remove_dependencies.filter((id) => known.has(id));
  const ids = [task_id, ...removed, ...(await counting(trx, task_id))];
  for (const some of chunks([...new Set(ids)].sort())) {
    const query = trx.selectFrom('tasks').select('task_id').where('task_id', 'in', some).orderBy('task_id');
    await store.dialect.forChange(query).execute();
  }
}

/** Others count whether this task is over, and that is about to change. */
async function isCounted(trx: TaskTrx, { task_id, status: to }: Reach): Promise<boolean> {
  if (to === undefined) return false;
  const row = await trx
    .selectFrom('tasks')
    .select(['status', 'parent_id'])
    .where('task_id', '=', task_id)
    .executeTakeFirst();
  if (!row) return false;
  const from = row.status as Status;
  if (isOver(from) === isOver(to) && satisfies(from) === satisfies(to)) return false;
  return row.parent_id !== null || (await counting(trx, task_id)).length > 0;
}

/** The story of a task and those that wait for it. */
async function counting(trx: TaskTrx, task_id: string): Promise<string[]> {
  const dependants = await trx
    .selectFrom('task_dependencies')
    .select('task_id')
    .where('depends_on_id', '=', task_id)
    .execute();
  const story = await trx.selectFrom('tasks').select('parent_id').where('task_id', '=', task_id).executeTakeFirst();
  return [...dependants.map((edge) => edge.task_id), ...(story?.parent_id ? [story.parent_id] : [])];
}

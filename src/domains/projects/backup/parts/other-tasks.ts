// Tasks that a task of a backup may be tied to: those that come with it, and those that the caller may change here.
import { changeableWork } from '../../../access/index.ts';
import { chunksOf } from './columns.ts';
import type { AnyReader, RestoreContext } from './part.ts';
import { CHUNK_COUNT } from './table-rows.ts';

export async function reachableTasks(
  db: AnyReader,
  task_ids: readonly string[],
  { inBackup, principal }: RestoreContext,
): Promise<ReadonlySet<string>> {
  const out = new Set(task_ids.filter((task_id) => inBackup('tasks', [task_id])));
  const others = [...new Set(task_ids)].filter((task_id) => !out.has(task_id));
  for (const some of chunksOf(others, CHUNK_COUNT)) {
    const rows = await db
      .selectFrom('tasks')
      .select('task_id')
      .where('task_id', 'in', some)
      .where(changeableWork(principal, 'tasks'))
      .execute();
    for (const { task_id } of rows) out.add(String(task_id));
  }
  return out;
}

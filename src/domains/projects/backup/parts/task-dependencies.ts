// What tasks of the project wait for.
import { sql } from 'kysely';
import { visibleWork } from '../../../access/index.ts';
import { reachableTasks } from './other-tasks.ts';
import type { AnyReader, Found, Key, ProjectScope, RestoreContext } from './part.ts';
import { tablePart } from './table-part.ts';
import { keysWithin } from './table-rows.ts';

const within = ({ project_id, principal }: ProjectScope) =>
  sql<boolean>`task_dependencies.task_id in (
    select tasks.task_id from tasks where tasks.project_id = ${project_id} and ${visibleWork(principal, 'tasks')})` as never;

const table = 'task_dependencies';
const key = ['task_id', 'depends_on_id'] as const;

export const dependenciesPart = tablePart({
  name: 'task_dependencies',
  table,
  key,
  // That it is there is all it says.
  ignored: ['created_at'],
  columns: { task_id: 'line', depends_on_id: 'line', created_at: 'moment' },
  within,
  needs: (record) => [{ part: 'tasks', key: [String(record.task_id)] }],
  judge,
  removable: (db, project) => keysWithin({ table, key, within }, db, project),
  async remove(trx, keys) {
    for (const [task_id, depends_on_id] of keys as readonly Key[])
      await trx.deleteFrom(table).where('task_id', '=', task_id).where('depends_on_id', '=', depends_on_id).execute();
  },
});

/** It is waited only for what comes with the backup, or is the caller's to change here. */
async function judge(db: AnyReader, found: readonly Found[], ctx: RestoreContext): Promise<readonly Found[]> {
  const open = found.filter(({ finding }) => finding.kind !== 'same');
  const reachable = await reachableTasks(
    db,
    open.map(({ record }) => String(record.depends_on_id)),
    ctx,
  );
  return found.map((one) => {
    if (one.finding.kind === 'same' || reachable.has(String(one.record.depends_on_id))) return one;
    return { ...one, finding: { kind: 'kept', reason: 'what it waits for is not here, or not yours to change' } };
  });
}

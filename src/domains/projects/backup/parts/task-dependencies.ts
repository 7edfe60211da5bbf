// What tasks of the project wait for.
import { sql } from 'kysely';
import { visibleWork } from '../../../access/index.ts';
import type { Key, ProjectScope } from './part.ts';
import { keysWithin, tablePart } from './table-part.ts';

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
  columns: { task_id: 'text', depends_on_id: 'text', created_at: 'text' },
  within,
  needs: (record) => [{ part: 'tasks', key: [String(record.task_id)] }],
  removable: (db, project) => keysWithin({ table, key, within }, db, project),
  async remove(trx, keys) {
    for (const [task_id, depends_on_id] of keys as readonly Key[])
      await trx.deleteFrom(table).where('task_id', '=', task_id).where('depends_on_id', '=', depends_on_id).execute();
  },
});

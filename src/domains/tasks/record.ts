// Rows of tasks as records.
import type { Selectable } from 'kysely';
import type { Task } from './schema.ts';
import { priorityOf, type Status } from './statuses.ts';
import type { TaskTable } from './tables.ts';

export type TaskRow = Selectable<TaskTable>;

export function toTask(row: TaskRow): Task {
  const { due_at, is_ready, priority, status, scope } = row;
  return {
    ...row,
    status: status as Status,
    scope: scope as Task['scope'],
    priority: priorityOf(priority),
    tags: JSON.parse(row.tags) as string[],
    required_capabilities: JSON.parse(row.required_capabilities) as string[],
    due: due_at,
    ready: is_ready === 1,
  };
}

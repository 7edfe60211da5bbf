// The operations of this domain, in the order tools are listed.
import { createKanbanTask } from './create_kanban_task.ts';
import { getTaskAnalytics } from './get_task_analytics.ts';

export const taskOperations = [createKanbanTask, getTaskAnalytics] as const;

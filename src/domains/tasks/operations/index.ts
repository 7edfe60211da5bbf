// The operations of this domain, in the order tools are listed.
import { claimNext } from './claim_next.ts';
import { createKanbanTask } from './create_kanban_task.ts';
import { getTaskAnalytics } from './get_task_analytics.ts';
import { updateKanbanTask } from './update_kanban_task.ts';

export const taskOperations = [createKanbanTask, updateKanbanTask, claimNext, getTaskAnalytics] as const;

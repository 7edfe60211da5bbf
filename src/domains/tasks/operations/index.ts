// The operations of this domain, in the order tools are listed.
import { assignKanbanTask } from './assign_kanban_task.ts';
import { claimNext } from './claim_next.ts';
import { createKanbanTask } from './create_kanban_task.ts';
import { deleteKanbanTask } from './delete_kanban_task.ts';
import { exportTasks } from './export_tasks.ts';
import { getKanbanTask } from './get_kanban_task.ts';
import { getTaskAnalytics } from './get_task_analytics.ts';
import { importTasks } from './import_tasks.ts';
import { listKanbanTasks } from './list_kanban_tasks.ts';
import { updateKanbanTask } from './update_kanban_task.ts';

export const taskOperations = [
  createKanbanTask,
  assignKanbanTask,
  updateKanbanTask,
  getKanbanTask,
  listKanbanTasks,
  deleteKanbanTask,
  claimNext,
  getTaskAnalytics,
  importTasks,
  exportTasks,
] as const;

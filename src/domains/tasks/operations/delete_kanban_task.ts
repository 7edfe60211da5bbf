// delete_kanban_task: for good; what hangs on the task is shown first.
import { z } from 'zod';
import { limits } from '../../../kernel/limits.ts';
import { DELETES, defineOperation } from '../../../kernel/operation.ts';
import { deleteTask } from '../delete.ts';
import type { TaskDeps } from '../deps.ts';
import { taskIdField } from '../schema.ts';
import { shortTaskSchema, stored, taskLine, toShort } from '../shown.ts';

const input = z.strictObject({
  task_id: taskIdField,
  cascade: z.boolean().default(false).describe('Dependants and parts go too.'),
  detach: z.boolean().default(false).describe('Dependants and parts stay, cut off.'),
  force: z.boolean().default(false).describe('Even while an agent holds it.'),
  reason: z.string().trim().min(1).max(limits.reason_length_max_chars).describe('Why.').optional(),
});

const output = z.object({
  task_id: z.string().describe('Id of the task.'),
  deleted: z.array(shortTaskSchema).describe('Gone, the task first.'),
  detached: z.array(shortTaskSchema).describe('Cut off from it.'),
});

export const deleteKanbanTask = defineOperation<TaskDeps, typeof input, typeof output>({
  name: 'delete_kanban_task',
  title: 'Delete task',
  description:
    'Deletes a task for good. Others that wait for it or are parts of it are named first: cascade or detach.',
  toolset: 'tasks',
  input,
  output,
  effects: DELETES,
  permission: 'task.delete',
  rest: { method: 'DELETE', path: '/tasks/{task_id}' },
  cli: { group: 'tasks', verb: 'delete', positional: ['task_id'] },
  examples: [{ title: 'A task and what hangs on it', input: { task_id: 'task_123', cascade: true } }],
  async handle(deps, request, ctx) {
    const { deleted, detached } = await deleteTask(deps, ctx, request);
    return { task_id: request.task_id, deleted: deleted.map(toShort), detached: detached.map(toShort) };
  },
  text({ task_id, deleted, detached }) {
    const others = deleted.length > 1 ? ` and ${deleted.length - 1} with it` : '';
    const cut = detached.length > 0 ? ` Cut off: ${detached.length}.` : '';
    return [
      { kind: 'text', text: `Deleted ${task_id}${others}.${cut}` },
      ...stored([...deleted, ...detached].map(taskLine)),
    ];
  },
});

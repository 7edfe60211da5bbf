// assign_kanban_task: a task is given to an agent, to the best one, or to none.
import { z } from 'zod';
import { idField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, UPDATES } from '../../../kernel/operation.ts';
import { assignByCall } from '../assign.ts';
import type { TaskDeps } from '../deps.ts';
import { toTask } from '../record.ts';
import { taskIdField, taskSchema } from '../schema.ts';
import { stored, taskLine } from '../shown.ts';

const input = z.strictObject({
  task_id: taskIdField,
  agent_id: idField('Whose it is to be.').optional(),
  auto_assign: z.boolean().default(false).describe('The best agent that is there.'),
  unassign: z.boolean().default(false).describe("Nobody's, back in the queue."),
  comment: z.string().trim().min(1).max(limits.reason_length_max_chars).describe('Why.').optional(),
  fencing_token: z.number().int().min(0).describe('Of your claim, to hand it over.').optional(),
});

const output = z.object({
  task: taskSchema.describe('The task as it is now.'),
  assigned_agent_id: z.string().nullable().describe('Whose it is.'),
  explanation: z.string().describe('Why this agent, or why none.'),
  taken_from: z.string().nullable().describe('Whose claim ended by it.'),
});

export const assignKanbanTask = defineOperation<TaskDeps, typeof input, typeof output>({
  name: 'assign_kanban_task',
  title: 'Assign task',
  description:
    'Assigns a task to an agent, or to the best one there by capability, load and history; ends another’s claim.',
  toolset: 'tasks',
  input,
  output,
  effects: UPDATES,
  permission: 'task.write',
  rest: { method: 'POST', path: '/tasks/{task_id}/assign' },
  cli: { group: 'tasks', verb: 'assign', positional: ['task_id', 'agent_id'] },
  examples: [{ title: 'The best available agent', input: { task_id: 'task_123', auto_assign: true } }],
  async handle(deps, wanted, ctx) {
    const { row, explanation, taken_from } = await assignByCall(deps, ctx, wanted);
    const task = toTask(row);
    return { task, assigned_agent_id: task.assigned_agent_id, explanation, taken_from };
  },
  text({ task, assigned_agent_id, explanation, taken_from }) {
    const taken = taken_from === null ? '' : ` ${taken_from}'s claim has ended.`;
    // It names what the task needs, in the words of whoever made it.
    return [
      {
        kind: 'text',
        text: `${task.task_id} is ${assigned_agent_id === null ? 'nobody’s' : `for ${assigned_agent_id}`}.${taken}`,
      },
      ...stored([explanation, taskLine(task)]),
    ];
  },
});

// create_kanban_task: a new task, with what is known about such work.
import { z } from 'zod';
import { idField } from '../../../kernel/fields.ts';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import type { TaskDeps } from '../deps.ts';
import { createByCall } from '../new-task.ts';
import { toTask } from '../record.ts';
import { newTaskFields, taskSchema } from '../schema.ts';
import { relatedField, relatedLimitField, relatedLines, relatedTo, stored, taskLine } from '../shown.ts';

const input = z.strictObject({
  ...newTaskFields,
  assigned_agent_id: idField('Agent it is for.').optional(),
  auto_assign: z.boolean().default(false).describe('Assign the best agent that is there.'),
  related_limit: relatedLimitField,
});

const output = z.object({
  task: taskSchema.describe('The task.'),
  assignment: z.string().nullable().describe('Why this agent, or why none.'),
  related: relatedField,
});

export const createKanbanTask = defineOperation<TaskDeps, typeof input, typeof output>({
  name: 'create_kanban_task',
  title: 'Create task',
  description: 'Creates a task, assigned if wanted, after others if dependencies say so. Returns related knowledge.',
  toolset: 'tasks',
  input,
  output,
  effects: WRITES,
  permission: 'task.write',
  rest: { method: 'POST', path: '/tasks', status: 201 },
  cli: { group: 'tasks', verb: 'create', positional: ['title'] },
  examples: [
    {
      title: 'A task that needs a capability',
      input: {
        title: 'Optimize Elasticsearch queries',
        description: 'Improve search performance',
        priority: 'high',
        required_capabilities: ['elasticsearch_ops'],
      },
    },
  ],
  async handle(deps, { related_limit, ...wanted }, ctx) {
    const { row, assignment } = await createByCall(deps, ctx, wanted);
    return { task: toTask(row), assignment, related: await relatedTo(deps, row, ctx, related_limit) };
  },
  text({ task, assignment, related }) {
    // It names what the task needs, in the words of whoever made it.
    const why = assignment === null ? [] : [assignment];
    return [
      { kind: 'text', text: `Created ${task.task_id}.` },
      ...stored([...why, taskLine(task), ...(related.length > 0 ? ['Related:', ...relatedLines(related)] : [])]),
    ];
  },
});

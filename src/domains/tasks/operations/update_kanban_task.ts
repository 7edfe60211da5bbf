// update_kanban_task: status, progress, comments, fields and dependencies of a task; also the sign of life of a claim.
import { z } from 'zod';
import { idField, tagsField, timeField, unlisted } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, UPDATES } from '../../../kernel/operation.ts';
import type { TaskDeps } from '../deps.ts';
import { toTask } from '../record.ts';
import {
  capabilitiesField,
  descriptionField,
  estimateField,
  priorityField,
  statusField,
  taskIdField,
  taskSchema,
  titleField,
} from '../schema.ts';
import { stored, taskLine } from '../shown.ts';
import { updateByCall } from '../update.ts';

const said = (what: string) =>
  z.string().trim().min(1).max(limits.task_text_length_max_chars).describe(what).optional();
const edges = (what: string) => z.array(taskIdField).max(limits.task_dependencies_max_count).describe(what).optional();

const input = z.strictObject({
  task_id: taskIdField,
  status: statusField.optional(),
  progress: z.number().int().min(0).max(100).describe('Percent.').optional(),
  comment: said('For the history.'),
  resolution: said('What came of it, what was learned.'),
  title: titleField.optional(),
  description: descriptionField.optional(),
  priority: priorityField.optional(),
  tags: tagsField('Labels.').optional(),
  due: timeField('When it is due; null: never.').nullable().optional(),
  estimate_minutes: unlisted(estimateField.optional()),
  required_capabilities: capabilitiesField.optional(),
  project_id: idField('Project; null: none.').nullable().optional(),
  parent_id: idField('Story; null: none.').nullable().optional(),
  add_dependencies: edges('It waits for these too.'),
  remove_dependencies: edges('And no longer for these.'),
  expected_version: z.number().int().min(1).describe('Version you read.').optional(),
  fencing_token: z.number().int().min(0).describe('Of your claim.').optional(),
});

const output = z.object({
  task: taskSchema.describe('The task as it is now.'),
  fencing_token: z.number().nullable().describe('Of your claim; null: you hold it no longer.'),
  lease_expires_at: z.string().nullable().describe('Your claim ends then.'),
  memory_id: z.string().nullable().describe('What was learned of it.'),
  no_memory: z.string().nullable().describe('Why nothing was.'),
});

export const updateKanbanTask = defineOperation<TaskDeps, typeof input, typeof output>({
  name: 'update_kanban_task',
  title: 'Update task',
  description:
    'Changes a task. Of a claimed one only the holder writes status, progress, resolution. failed needs a reason. With fencing_token alone: keeps the claim.',
  toolset: 'tasks',
  input,
  output,
  effects: UPDATES,
  permission: 'task.write',
  rest: { method: 'PATCH', path: '/tasks/{task_id}' },
  cli: { group: 'tasks', verb: 'update', positional: ['task_id'] },
  examples: [
    { title: 'Begin, a quarter is done', input: { task_id: 'task_123', status: 'in_progress', progress: 25 } },
    {
      title: 'Done, with what was learned',
      input: { task_id: 'task_123', status: 'done', resolution: 'Half of the memory for the heap is enough.' },
    },
  ],
  async handle(deps, wanted, ctx) {
    const { row, own, memory_id, no_memory } = await updateByCall(deps, ctx, wanted);
    const claim = own
      ? { fencing_token: row.fencing_token, lease_expires_at: row.lease_expires_at }
      : { fencing_token: null, lease_expires_at: null };
    return { task: toTask(row), ...claim, memory_id, no_memory };
  },
  text({ task, fencing_token, lease_expires_at, memory_id, no_memory }) {
    const until = lease_expires_at === null ? '' : ` until ${lease_expires_at}`;
    const claim = fencing_token === null ? '' : ` It is yours${until}, fencing_token ${fencing_token}.`;
    const none = no_memory === null ? '' : ` Nothing of it is remembered: ${no_memory}`;
    const learned = memory_id === null ? none : ` What was learned is memory ${memory_id}.`;
    return [
      { kind: 'text', text: `${task.task_id} is at version ${task.version}.${claim}${learned}` },
      ...stored([taskLine(task)]),
    ];
  },
});

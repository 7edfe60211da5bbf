// What a task is, and the inputs and answers that its operations share.
import { z } from 'zod';
import { idField, nameField, tagsField, timeField, unlisted } from '../../kernel/fields.ts';
import { limits } from '../../kernel/limits.ts';
import { PRIORITIES, STATUSES } from './statuses.ts';

export const statusField = z.enum(STATUSES).describe('Column of the board.');
export const priorityField = z.enum(PRIORITIES).describe('Urgency.');
export const taskIdField = idField('Id of the task.');
export const titleField = nameField('What is to be done, in one line.');
export const descriptionField = z.string().max(limits.task_text_length_max_chars).describe('Details.');
export const capabilitiesField = tagsField('Capabilities an agent needs for it.');
export const estimateField = z.number().int().min(1).max(1_000_000).describe('Expected work.');
export const placeFields = {
  scope: unlisted(
    z.enum(['solo', 'team', 'shared']).describe('Who sees it; default: as its project, else the mode.').optional(),
  ),
  team_id: unlisted(idField('Team it is for.').optional()),
};

/** What a task is made of, wherever one is made: by a call, a delegation, an import. */
export const newTaskFields = {
  title: titleField,
  description: descriptionField.optional(),
  priority: priorityField.default('medium'),
  status: z.enum(['backlog', 'todo']).default('todo').describe('Column it begins in.'),
  project_id: idField('Project; default: the one switched to.').optional(),
  parent_id: idField('Story it is a part of.').optional(),
  dependencies: z
    .array(taskIdField)
    .max(limits.task_dependencies_max_count)
    .describe('Tasks that have to be over first.')
    .optional(),
  required_capabilities: capabilitiesField.optional(),
  tags: tagsField('Labels.').optional(),
  due: timeField('When it is due.').optional(),
  estimate_minutes: unlisted(estimateField.optional()),
  ...placeFields,
};

export const newTaskSchema = z.strictObject(newTaskFields);
export type NewTask = z.output<typeof newTaskSchema>;

/** The record as every operation returns it. Times are ISO 8601 in UTC. */
export const taskSchema = z.object({
  task_id: z.string().describe('Id.'),
  title: z.string().describe('One line.'),
  description: z.string().describe('Details.'),
  status: statusField,
  priority: priorityField,
  progress: z.number().describe('Percent.'),
  project_id: z.string().nullable().describe('Project.'),
  parent_id: z.string().nullable().describe('Story.'),
  tags: z.array(z.string()).describe('Labels.'),
  required_capabilities: z.array(z.string()).describe('Needed of an agent.'),
  due: z.string().nullable().describe('Due.'),
  estimate_minutes: z.number().nullable().describe('Expected work.'),
  assigned_agent_id: z.string().nullable().describe('Whose it is.'),
  holder_agent_id: z.string().nullable().describe('Who works on it now, under a claim.'),
  lease_expires_at: z.string().nullable().describe('The claim ends then, unless renewed.'),
  ready: z.boolean().describe('Can be claimed.'),
  open_dependencies: z.number().describe('Dependencies that are not over.'),
  open_children: z.number().describe('Parts that are not over.'),
  resolution: z.string().nullable().describe('What came of it.'),
  scope: z.enum(['solo', 'team', 'shared']).describe('Who sees it.'),
  team_id: z.string().nullable().describe('Team.'),
  user_id: z.string().describe('Owner.'),
  agent_id: z.string().describe('Made by.'),
  machine_id: z.string().describe('Made on.'),
  created_at: z.string().describe('Made.'),
  updated_at: z.string().describe('Changed.'),
  started_at: z.string().nullable().describe('First begun.'),
  finished_at: z.string().nullable().describe('Over since.'),
  version: z.number().describe('Counts the changes.'),
});

export type Task = z.output<typeof taskSchema>;

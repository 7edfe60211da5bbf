// What is said of agents, their tasks and their messages, wherever an operation says it.
import { z } from 'zod';
import { idField, nameField, tagsField } from '../../kernel/fields.ts';
import { limits } from '../../kernel/limits.ts';
import { MESSAGE_KINDS } from './messages.ts';
import { AGENT_STATUSES } from './presence.ts';

export const agentIdField = idField('Id of the agent.');
export const roleField = nameField('What it is there for.');
export const machineField = idField('Machine it works on.');
export const capabilitiesField = tagsField('What it can do.');
export const statusField = z.enum(AGENT_STATUSES).describe('By its calls.');
export const messageIdField = idField('Id of the message.');
export const bodyField = z.string().trim().min(1).max(limits.agent_message_length_max_chars).describe('The text.');
export const expiryField = z
  .number()
  .int()
  .min(1)
  .max(limits.agent_message_ttl_max_minutes)
  .describe('Default: a week.');

/** A task as an agent is told of it. */
export const agentTaskSchema = z.object({
  task_id: z.string().describe('Id.'),
  title: z.string().describe('One line.'),
  status: z.string().describe('Column of the board.'),
  priority: z.string().describe('Priority.'),
  project_id: z.string().nullable().describe('Project.'),
  held: z.boolean().describe('Under a claim of the agent.'),
  fencing_token: z.number().nullable().describe('Of the claim, where this session made it.'),
  lease_expires_at: z.string().nullable().describe('The claim ends then, unless renewed.'),
});

export const messageSchema = z.object({
  message_id: z.string().describe('Id: the same one is the same message.'),
  kind: z.enum(MESSAGE_KINDS).describe('What it is.'),
  from_agent_id: z.string().describe('Written by.'),
  from_user_id: z.string().describe('Of this user.'),
  body: z.string().describe('The text.'),
  severity: z.string().nullable().describe('Of a discovery.'),
  deliveries: z.number().describe('1: read for the first time.'),
  reply_to: z.string().nullable().describe('Message it answers.'),
  task_id: z.string().nullable().describe('Task it is about.'),
  memory_id: z.string().nullable().describe('Memory it is about.'),
  created_at: z.string().describe('Written.'),
  expires_at: z.string().describe('Not shown from then on.'),
});

export type ShownMessage = z.output<typeof messageSchema>;

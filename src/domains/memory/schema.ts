// What a memory is, and the inputs and answers that operations share.
import { z } from 'zod';
import { idField, metadataField, nameField, tagsField, timeField } from '../../kernel/fields.ts';
import { limits } from '../../kernel/limits.ts';

export const CATEGORIES = [
  'project',
  'conversation',
  'agent',
  'global',
  'infrastructure',
  'incidents',
  'deployments',
  'monitoring',
  'runbooks',
  'security',
] as const;

export const SCOPES = ['solo', 'team', 'shared'] as const;

export type Category = (typeof CATEGORIES)[number];
export type Scope = (typeof SCOPES)[number];

export const categoryField = z.enum(CATEGORIES).describe('Kind of knowledge.');
export const scopeField = z.enum(SCOPES).describe('Who sees it: solo (its owner), team, shared (everybody).');
/** Scopes to look in: a list, or names separated by commas. */
export const scopesField = z
  .union([z.array(z.enum(SCOPES)), z.string()])
  .transform((value) => (typeof value === 'string' ? value.split(',').map((name) => name.trim()) : value))
  .pipe(z.array(z.enum(SCOPES)).min(1))
  .describe('Default: what the mode reaches.');
export const memoryIdField = idField('Id of the memory.');

export const contentField = z
  .string()
  .max(
    limits.content_length_max_chars,
    `is longer than ${limits.content_length_max_chars} characters; split it, or import it`,
  )
  .refine((text) => text.trim() !== '', 'is empty')
  .describe('What to remember.');

export const contextField = z
  .string()
  .max(limits.context_length_max_chars)
  .describe('Circumstances: where it came from, why it matters.');

export const importanceField = z.number().min(0).max(1).describe('0 (trivia) to 1 (vital); 0.5 if unsaid.');

/** The record as every operation returns it. Times are ISO 8601 in UTC. */
export const memorySchema = z.object({
  memory_id: z.string().describe('Id of the memory.'),
  content: z.string().describe('What was remembered.'),
  category: categoryField,
  context: z.string().nullable().describe('Circumstances.'),
  tags: z.array(z.string()).describe('Labels.'),
  metadata: z.record(z.string(), z.json()).describe('Free fields of the writer.'),
  project_id: z.string().nullable().describe('Id of the project.'),
  project: z.string().nullable().describe('Name of the project.'),
  scope: scopeField,
  importance: z.number().describe('0 to 1.'),
  session_id: z.string().nullable().describe('Sequence it belongs to: a conversation, an incident.'),
  sequence: z.number().nullable().describe('Position in that session.'),
  occurred_at: z.string().nullable().describe('When it happened.'),
  valid_from: z.string().nullable().describe('True from.'),
  valid_until: z.string().nullable().describe('True until.'),
  supersedes: z.string().nullable().describe('Memory it replaces.'),
  superseded_by: z.string().nullable().describe('Memory that replaces it.'),
  user_id: z.string().describe('Owner.'),
  agent_id: z.string().describe('Agent that wrote it.'),
  machine_id: z.string().describe('Machine it was written on.'),
  team_id: z.string().nullable().describe('Team, where scope is team.'),
  source: z.string().describe('Where it came from: agent, import:<format>, merge.'),
  format_version: z.enum(['v1', 'v2']).describe('v1 verbose, v2 compressed notation.'),
  version: z.number().describe('Counts the changes.'),
  created_at: z.string().describe('First stored.'),
  updated_at: z.string().describe('Last changed.'),
});

export type Memory = z.output<typeof memorySchema>;

/** Everything a writer may say about a new memory. */
export const newMemoryFields = {
  content: contentField,
  category: categoryField.default('global'),
  context: contextField.optional(),
  tags: tagsField('Labels, list or comma-separated.').optional(),
  metadata: metadataField('Free fields, JSON.').optional(),
  scope: scopeField.optional(),
  project: nameField('Name of the project; default: the one the caller works in.').optional(),
  project_id: idField('Id of the project.').optional(),
  session_id: idField('Sequence it belongs to: a conversation, an incident.').optional(),
  sequence: z.number().int().min(0).describe('Position in that session.').optional(),
  occurred_at: timeField('When it happened, ISO 8601.').optional(),
  valid_from: timeField('True from.').optional(),
  valid_until: timeField('True until.').optional(),
  supersedes: idField('Memory this one replaces.').optional(),
  importance: importanceField.optional(),
};

export const newMemorySchema = z.strictObject(newMemoryFields);
export type NewMemory = z.output<typeof newMemorySchema>;

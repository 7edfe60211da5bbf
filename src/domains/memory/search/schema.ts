// What a search takes and gives back.
import { z } from 'zod';
import {
  cursorField,
  idField,
  limitField,
  nameField,
  namesField,
  nextCursorField,
  sinceField,
  tagsField,
  timeField,
} from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { CATEGORIES, categoryField, memorySchema, scopesField } from '../schema.ts';

export const searchInput = z.strictObject({
  query: z
    .string()
    .max(limits.query_length_max_chars)
    .default('')
    .describe('Question or key words; empty lists by filter.'),
  category: z
    .union([categoryField, z.array(z.enum(CATEGORIES))])
    .optional()
    .describe('One category or several.'),
  tags: tagsField('Any of these tags.').optional(),
  tags_all: tagsField('All of these tags.').optional(),
  tags_none: tagsField('None of these tags.').optional(),
  project: nameField('Project by name.').optional(),
  project_id: idField('Project by id.').optional(),
  session_id: idField('Sequence: a conversation, an incident.').optional(),
  machine_id: namesField('Written on these machines.').optional(),
  exclude_machines: namesField('Not written on these.').optional(),
  agent_id: namesField('Written by these agents.').optional(),
  scope: scopesField.optional(),
  since: sinceField('Happened since: span (7d) or ISO time.').optional(),
  until: timeField('Happened before.').optional(),
  valid_at: timeField('True at this time; default now.').optional(),
  include_superseded: z.boolean().default(false).describe('Also replaced and expired memories.'),
  semantic: z.boolean().default(true).describe('false: words only.'),
  limit: limitField(10, 200),
  cursor: cursorField,
  max_tokens: z
    .number()
    .int()
    .min(50)
    .max(limits.answer_tokens_max)
    .optional()
    .describe(`Budget of the answer; ${limits.answer_tokens_default} for agents.`),
  detail: z.enum(['ids', 'summary', 'full']).default('full').describe('How much of each memory.'),
  neighbours: z
    .number()
    .int()
    .min(0)
    .max(5)
    .default(0)
    .describe('Turns before and after each hit of a sequence to include.'),
  explain: z.boolean().default(false).describe("Each score's parts."),
});

const neighbourSchema = z.object({
  memory_id: z.string().describe('Id.'),
  sequence: z.number().nullable().describe('Position.'),
  content: z.string().describe('Text.'),
});

const resultSchema = memorySchema.partial().extend({
  memory_id: z.string().describe('Id.'),
  happened_at: z.string().optional().describe('When it happened, or was stored where that is unknown.'),
  score: z.number().describe('0 to 1 within this answer; 0 in a list.'),
  content_truncated: z.boolean().optional().describe('True where the budget cut the text.'),
  duplicates: z.array(z.string()).optional().describe('Near-identical memories folded into this one.'),
  neighbours: z.array(neighbourSchema).optional().describe('Turns around it.'),
  explain: z.record(z.string(), z.number()).optional().describe("The score's parts."),
});

export const searchOutput = z.object({
  results: z.array(resultSchema).describe('Best first.'),
  next_cursor: nextCursorField,
  mode: z.enum(['hybrid', 'text', 'list']).describe('How it was searched.'),
  notice: z.string().nullable().describe('What limits this answer.'),
});

export type SearchInput = z.output<typeof searchInput>;
export type SearchOutput = z.input<typeof searchOutput>;
export type SearchResult = z.input<typeof resultSchema>;

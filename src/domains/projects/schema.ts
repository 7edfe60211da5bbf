// What a project is, and the inputs and answers that its operations share.
import { z } from 'zod';
import { idField, metadataField, nameField, tagsField, unlisted } from '../../kernel/fields.ts';
import { limits } from '../../kernel/limits.ts';
import { DIMENSIONS } from './health-scores.ts';

export const PROJECT_STATUSES = ['active', 'paused', 'completed', 'archived'] as const;
export type ProjectStatus = (typeof PROJECT_STATUSES)[number];

export const PROJECT_PRIORITIES = ['critical', 'high', 'medium', 'low'] as const;
export type ProjectPriority = (typeof PROJECT_PRIORITIES)[number];

/** Ids and exact names: whoever knows a project knows its name. */
export const projectField = nameField('Id, or exact name.');
export const projectNameField = nameField('Name.');
export const projectTypeField = nameField('Kind.');
export const projectStatusField = z.enum(PROJECT_STATUSES).describe('Where it stands.');
export const projectPriorityField = z.enum(PROJECT_PRIORITIES).describe('Urgency.');
export const projectTextField = z.string().trim().max(limits.task_text_length_max_chars).describe('What for.');

const wip = (what: string) => z.number().int().min(1).max(1_000).describe(what).optional();

/** Limits of work in progress, as they are given and kept. */
export const wipLimitsSchema = z.strictObject({
  todo: wip('In todo.'),
  in_progress: wip('In progress.'),
  blocked: wip('Blocked.'),
  review: wip('In review.'),
  per_agent: wip('Held by one agent.'),
});
export type StoredWipLimits = z.output<typeof wipLimitsSchema>;

/** Told in words to models: five fields with bounds of their own would cost every conversation more than the rest. */
export const wipLimitsField = z
  .record(z.string(), z.number())
  .transform((value, ctx) => {
    const parsed = wipLimitsSchema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const { message, path } of parsed.error.issues) ctx.addIssue({ code: 'custom', message, path: [...path] });
    return {};
  })
  .describe('Most tasks in todo, in_progress, blocked, review, and per_agent.');

/** What is kept in the column `settings`. */
export interface ProjectSettings {
  readonly wip_limits?: StoredWipLimits;
}

export const newProjectFields = {
  name: projectNameField,
  description: projectTextField.default(''),
  owner_agent_id: idField('Default: you.').optional(),
  project_type: projectTypeField.default('general'),
  priority: projectPriorityField.default('medium'),
  tags: tagsField('Labels.').optional(),
  metadata: metadataField('Further facts.').optional(),
  wip_limits: unlisted(wipLimitsField.optional()),
  scope: unlisted(z.enum(['solo', 'team', 'shared']).describe('Default: by mode.').optional()),
  team_id: unlisted(idField('Team.').optional()),
};

/** The record as every operation returns it. Times are ISO 8601 in UTC. */
export const projectSchema = z.object({
  project_id: z.string().describe('Id.'),
  name: z.string().describe('Name.'),
  description: z.string().describe('What it is about.'),
  status: projectStatusField,
  project_type: z.string().describe('Kind.'),
  priority: projectPriorityField,
  owner_agent_id: z.string().nullable().describe('Agent in charge.'),
  tags: z.array(z.string()).describe('Labels.'),
  metadata: z.record(z.string(), z.json()).describe('Further facts.'),
  wip_limits: wipLimitsSchema.describe('Limits of its board.'),
  scope: z.enum(['solo', 'team', 'shared']).describe('Who sees it.'),
  team_id: z.string().nullable().describe('Team.'),
  user_id: z.string().describe('Whose it is.'),
  agent_id: z.string().describe('Made by.'),
  machine_id: z.string().describe('Made on.'),
  created_at: z.string().describe('Made.'),
  updated_at: z.string().describe('Changed.'),
  version: z.number().describe('Counts the changes.'),
});

export type Project = z.output<typeof projectSchema>;

/** Answer of what makes or changes one. */
export const oneProjectSchema = z.object({
  project_id: z.string().describe('Id.'),
  project: projectSchema.describe('As it is now.'),
});

/** A brief as it was cut to its budget. */
export const briefSchema = z.object({
  sections: z
    .array(
      z.object({
        name: z.string().describe('What it is about.'),
        note: z.string().nullable().describe('What is to be said of it.'),
        items: z
          .array(
            z.object({ ref: z.string().describe('Id of what it is about.'), text: z.string().describe('One line.') }),
          )
          .describe('Most important first.'),
        left_out: z.number().describe('How many more there are.'),
      }),
    )
    .describe('Most important first.'),
  tokens: z.number().describe('Estimated size.'),
});
export type ShownBrief = z.output<typeof briefSchema>;

const dimensionField = z.enum(DIMENSIONS);
const scoreField = z.number().min(0).max(100);

const dimensionSchema = z.object({
  name: dimensionField.describe('What was measured.'),
  score: scoreField.nullable().describe('0 bad, 100 good; null: there is nothing to measure.'),
  weight: z.number().describe('In the total.'),
  evidence: z
    .array(
      z.object({
        what: z.string().describe('What was counted.'),
        count: z.number().describe('How many.'),
        ids: z.array(z.string()).describe(`Of some of them, at most ${limits.health_evidence_max_ids}.`),
      }),
    )
    .describe('The rows it came from.'),
  recommendation: z.string().nullable().describe('What to do about it.'),
});
export type HealthDimension = z.output<typeof dimensionSchema>;

const trendSchema = z.object({
  checks: z
    .array(z.object({ at: z.string().describe('When.'), score: scoreField.describe('Total.') }))
    .describe('Earlier checks, newest first.'),
  changes: z
    .array(
      z.object({
        name: dimensionField.describe('What was measured.'),
        before: scoreField.describe('In the last check.'),
        change: z.number().describe('Since then.'),
      }),
    )
    .describe('Against the last check.'),
});
export type HealthTrend = z.output<typeof trendSchema>;

export const healthSchema = z.object({
  project_id: z.string().describe('Project.'),
  name: z.string().describe('Its name.'),
  at: z.string().describe('When.'),
  since: z.string().describe('Begin of the period.'),
  score: scoreField.nullable().describe('Weighted mean of what was measured.'),
  recorded: z.boolean().describe('Kept for the trend.'),
  dimensions: z.array(dimensionSchema).describe('What was measured.'),
  trend: trendSchema.describe('How it was before.'),
});
export type Health = z.output<typeof healthSchema>;

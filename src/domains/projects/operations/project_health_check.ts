// project_health_check: how a project does, with the rows that say so.
import { z } from 'zod';
import { failure } from '../../../kernel/errors.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import type { ProjectDeps } from '../deps.ts';
import { checkHealth } from '../health.ts';
import { healthText } from '../render.ts';
import { healthSchema, projectField } from '../schema.ts';

const input = z.strictObject({
  project_id: projectField.describe('Id or name; default: where you work.').optional(),
  days: z
    .number()
    .int()
    .min(1)
    .max(limits.health_window_max_days)
    .default(limits.health_window_default_days)
    .describe('Period.'),
});

const output = healthSchema;

export const projectHealthCheck = defineOperation<ProjectDeps, typeof input, typeof output>({
  name: 'project_health_check',
  title: 'Project health',
  description:
    'Scores task flow, staleness, incidents, drift, knowledge and backups of a project, with evidence, advice and trend.',
  toolset: 'projects',
  input,
  output,
  effects: WRITES,
  permission: 'project.read',
  rest: { method: 'POST', path: '/projects/health-checks' },
  cli: {
    group: 'project',
    verb: 'health',
    positional: ['project_id'],
    table: { rows: 'dimensions', columns: ['name', 'score', 'weight', 'recommendation'] },
  },
  examples: [{ title: 'How it does', input: { project_id: 'proj_abc123' } }],
  async handle(deps, { project_id, days }, ctx) {
    const wanted = project_id ?? ctx.project?.project_id;
    if (wanted === undefined)
      throw failure(
        'invalid_input',
        'project_health_check: this session works in no project.',
        'Give project_id, or call switch_project_context first.',
      );
    return checkHealth(deps, { project_id: wanted, days }, ctx);
  },
  text: healthText,
});

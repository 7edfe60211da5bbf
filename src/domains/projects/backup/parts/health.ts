// Results of health checks of the project: lines that never change.
import { sql } from 'kysely';
import { z } from 'zod';
import { limits } from '../../../../kernel/limits.ts';
import { healthSchema } from '../../schema.ts';
import type { Json } from '../canonical.ts';
import { between } from './fields.ts';
import { TAKEN } from './rights.ts';
import { tablePart } from './table-part.ts';

export const healthPart = tablePart({
  name: 'project_health',
  table: 'project_health',
  key: ['check_id'],
  immutable: true,
  columns: { check_id: 'line', project_id: 'line', at: 'moment', score: 'integer', dimensions: 'json' },
  narrower: {
    score: between(0, 100),
    dimensions: z.strictObject({
      days: between(1, limits.health_window_max_days),
      dimensions: healthSchema.shape.dimensions as unknown as z.ZodType<Json>,
    }),
  },
  within: ({ project_id }) => sql`project_health.project_id = ${project_id}`,
  needs: (record) => [{ part: 'project', key: [String(record.project_id)] }],
  refuse: (record, row) => (row && row.project_id !== record.project_id ? TAKEN : undefined),
});

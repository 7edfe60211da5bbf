// Results of health checks of the project: lines that never change.
import { sql } from 'kysely';
import { tablePart } from './table-part.ts';

export const healthPart = tablePart({
  name: 'project_health',
  table: 'project_health',
  key: ['check_id'],
  immutable: true,
  columns: { check_id: 'text', project_id: 'text', at: 'text', score: 'integer', dimensions: 'json' },
  within: ({ project_id }) => sql`project_health.project_id = ${project_id}`,
  needs: (record) => [{ part: 'project', key: [String(record.project_id)] }],
});

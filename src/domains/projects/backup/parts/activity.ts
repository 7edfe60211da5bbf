// What happened in the project: lines that never change.
import { sql } from 'kysely';
import { tablePart } from './table-part.ts';

export const activityPart = tablePart({
  name: 'project_activity',
  table: 'project_activity',
  key: ['activity_id'],
  immutable: true,
  columns: {
    activity_id: 'text',
    project_id: 'text',
    at: 'text',
    action: 'text',
    user_id: 'text',
    agent_id: 'text',
    machine_id: 'text',
    reason: 'text?',
    details: 'json',
  },
  within: ({ project_id }) => sql`project_activity.project_id = ${project_id}`,
  needs: (record) => [{ part: 'project', key: [String(record.project_id)] }],
});

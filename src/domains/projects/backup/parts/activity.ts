// What happened in the project: lines that never change.
import { sql } from 'kysely';
import { limits } from '../../../../kernel/limits.ts';
import { text } from './fields.ts';
import { TAKEN, vouchedLine } from './rights.ts';
import { tablePart } from './table-part.ts';

export const activityPart = tablePart({
  name: 'project_activity',
  table: 'project_activity',
  key: ['activity_id'],
  immutable: true,
  columns: {
    activity_id: 'line',
    project_id: 'line',
    at: 'moment',
    action: 'line',
    user_id: 'line',
    agent_id: 'line',
    machine_id: 'line',
    reason: 'text?',
    details: 'object',
  },
  narrower: { reason: text(limits.reason_length_max_chars).nullable() },
  texts: { reason: 'text' },
  within: ({ project_id }) => sql`project_activity.project_id = ${project_id}`,
  needs: (record) => [{ part: 'project', key: [String(record.project_id)] }],
  refuse: (record, row) => (row && row.project_id !== record.project_id ? TAKEN : undefined),
  settled: (record, _project, ctx) => vouchedLine(record, ctx),
});

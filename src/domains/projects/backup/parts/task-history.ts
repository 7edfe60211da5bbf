// What happened to the tasks of the project: lines that never change, from which all analytics are made.
import { sql } from 'kysely';
import { visibleWork } from '../../../access/index.ts';
import { tablePart } from './table-part.ts';

export const taskHistoryPart = tablePart({
  name: 'task_history',
  table: 'task_history',
  key: ['entry_id'],
  history: true,
  immutable: true,
  columns: {
    entry_id: 'text',
    task_id: 'text',
    project_id: 'text?',
    at: 'text',
    action: 'text',
    from_status: 'text?',
    to_status: 'text?',
    scope: 'text',
    user_id: 'text',
    team_id: 'text?',
    agent_id: 'text',
    machine_id: 'text',
    subject_agent_id: 'text?',
    comment: 'text?',
    details: 'json',
    version: 'integer',
  },
  within: ({ project_id, principal }) => sql`(task_history.task_id in (
    select tasks.task_id from tasks where tasks.project_id = ${project_id} and ${visibleWork(principal, 'tasks')})
    and ${visibleWork(principal, 'task_history')})`,
  needs: (record) => [{ part: 'tasks', key: [String(record.task_id)] }],
  // Who did it stays; who sees it follows the task.
  placed: (record, { placement }) =>
    placement && record.scope !== 'solo' ? { ...record, scope: placement.scope, team_id: placement.team_id } : record,
});

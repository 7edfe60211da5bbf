// What happened to the tasks of the project: lines that never change, from which all analytics are made.
import { sql } from 'kysely';
import { z } from 'zod';
import { limits } from '../../../../kernel/limits.ts';
import { maySeeWork, visibleWork, type WorkFacts } from '../../../access/index.ts';
import { STATUSES } from '../../../tasks/index.ts';
import type { JsonRecord } from '../canonical.ts';
import { text } from './fields.ts';
import type { Admitted, RestoreContext, Row } from './part.ts';
import { TAKEN, vouchedLine } from './rights.ts';
import { tablePart } from './table-part.ts';

const status = z.enum(STATUSES).nullable();

export const taskHistoryPart = tablePart({
  name: 'task_history',
  table: 'task_history',
  key: ['entry_id'],
  history: true,
  immutable: true,
  columns: {
    entry_id: 'line',
    task_id: 'line',
    project_id: 'line?',
    at: 'moment',
    action: 'line',
    from_status: 'line?',
    to_status: 'line?',
    scope: 'scope',
    user_id: 'line',
    team_id: 'line?',
    agent_id: 'line',
    machine_id: 'line',
    subject_agent_id: 'line?',
    comment: 'text?',
    details: 'object',
    version: 'version',
  },
  narrower: { from_status: status, to_status: status, comment: text(limits.task_text_length_max_chars).nullable() },
  texts: { comment: 'text' },
  within: ({ project_id, principal }) => sql`(task_history.task_id in (
    select tasks.task_id from tasks where tasks.project_id = ${project_id} and ${visibleWork(principal, 'tasks')})
    and ${visibleWork(principal, 'task_history')})`,
  needs: (record) => [{ part: 'tasks', key: [String(record.task_id)] }],
  refuse,
  settled,
});

function refuse(record: JsonRecord, row: Row | undefined, { principal }: RestoreContext): string | undefined {
  if (!row) return undefined;
  const seen = row.task_id === record.task_id && maySeeWork(principal, row as unknown as WorkFacts).allowed;
  return seen ? undefined : TAKEN;
}

/** Who sees it follows the task, and so does its project; what was private to the caller stays private. */
function settled(record: JsonRecord, task: Admitted | undefined, ctx: RestoreContext): JsonRecord {
  const line = vouchedLine(record, ctx);
  if (!task) return line;
  const { scope, team_id, project_id } = task;
  if (record.scope === 'solo' && record.user_id === ctx.principal.user_id)
    return { ...line, scope: 'solo', team_id: null, project_id };
  return { ...line, scope, team_id, project_id };
}

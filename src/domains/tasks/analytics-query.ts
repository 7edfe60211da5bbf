// The history rows that analytics are made of: those that changed a column, ended a claim or made or removed a task.
import { sql } from 'kysely';
import type { Principal } from '../../kernel/operation.ts';
import { visibleWork } from '../access/index.ts';
import { DELETED, EXPIRED, type FlowRow, flowsOf, type TaskFlow } from './analytics-flows.ts';
import type { TaskReader } from './deps.ts';

export interface FlowQuery {
  readonly project_id?: string | undefined;
  readonly agent_id?: string | undefined;
  readonly capability?: string | undefined;
  /** ISO time: tasks that ended before it are left out. They count neither in a window that begins then nor as open. */
  readonly since?: string | undefined;
}

/** Tasks the caller may see, by their history alone: the table of tasks is not read. One query. */
export async function readFlows(db: TaskReader, principal: Principal, wanted: FlowQuery): Promise<TaskFlow[]> {
  let query = counting(db, principal)
    .select(['entry_id', 'task_id', 'project_id', 'at', 'action', 'from_status', 'to_status', 'agent_id'])
    .select(['subject_agent_id', 'version'])
    // Details are long and told of the first row only.
    .select(sql<string | null>`case when from_status is null and to_status is not null then details end`.as('details'));
  const { project_id, agent_id, capability, since } = wanted;
  if (since !== undefined) query = query.where('task_id', 'not in', endedBefore(db, principal, since));
  if (project_id !== undefined) {
    query = query.where('task_id', 'in', (eb) =>
      eb.selectFrom('task_history as own').select('own.task_id').where('own.project_id', '=', project_id),
    );
  }
  const rows: FlowRow[] = await query.execute();
  return flowsOf(rows).filter(
    (flow) =>
      // A task that moved away counts where it is now.
      (project_id === undefined || flow.project_id === project_id) &&
      (capability === undefined || flow.capabilities.includes(capability)) &&
      (agent_id === undefined || flow.worker === agent_id || flow.events.some((event) => event.agent_id === agent_id)),
  );
}

/** The rows that count, of what the principal may see. */
function counting(db: TaskReader, principal: Principal) {
  return db
    .selectFrom('task_history')
    .where((eb) =>
      eb.or([
        eb('to_status', 'is not', null),
        eb('action', 'in', [EXPIRED, DELETED]),
        // Moved to another project.
        eb.and([eb('action', '=', 'updated'), eb('details', 'like', '%"project_id"%')]),
      ]),
    )
    .where(visibleWork(principal, 'task_history'));
}

const OVER = ['done', 'failed', 'cancelled'] as const;

/**
 * Tasks with nothing since then whose last move ended them. Not those that were imported: when these ended, their details
 * say. The engine groups rows much faster than they can be brought here and put together.
 */
function endedBefore(db: TaskReader, principal: Principal, since: string) {
  const ended = sql<boolean>`(to_status in (${sql.join(OVER)}) or action = ${DELETED})`;
  return counting(db, principal)
    .select('task_id')
    .groupBy('task_id')
    .having((eb) => eb(eb.fn.max('at'), '<', since))
    .having(sql<boolean>`max(case when action = 'imported' then 1 else 0 end) = 0`)
    .having(
      sql<boolean>`max(case when ${ended} then version else -1 end) > max(case when to_status is not null and not ${ended} then version else -1 end)`,
    );
}

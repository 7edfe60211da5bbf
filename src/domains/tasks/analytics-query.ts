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
}

/** Tasks the caller may see, by their history alone: the table of tasks is not read. One query. */
export async function readFlows(db: TaskReader, principal: Principal, wanted: FlowQuery): Promise<TaskFlow[]> {
  let query = db
    .selectFrom('task_history')
    .select(['entry_id', 'task_id', 'project_id', 'at', 'action', 'from_status', 'to_status', 'agent_id'])
    .select(['subject_agent_id', 'version'])
    // Details are long and told of the first row only.
    .select(sql<string | null>`case when from_status is null and to_status is not null then details end`.as('details'))
    .where((eb) =>
      eb.or([
        eb('to_status', 'is not', null),
        eb('action', 'in', [EXPIRED, DELETED]),
        // Moved to another project.
        eb.and([eb('action', '=', 'updated'), eb('details', 'like', '%"project_id"%')]),
      ]),
    )
    .where(visibleWork(principal, 'task_history'));
  const { project_id, agent_id, capability } = wanted;
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

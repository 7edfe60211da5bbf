// Who has how much to do: open tasks by agent and status.
import { sql } from 'kysely';
import { isOver, type Status } from '../statuses.ts';
import { type filtered, overdue } from './filter.ts';

export interface AgentWorkload {
  /** Null: tasks that are nobody's. */
  readonly agent_id: string | null;
  /** Under a claim now. */
  readonly held: number;
  /** Assigned to it, and not begun. */
  readonly assigned: number;
  readonly overdue: number;
  readonly by_status: Readonly<Record<string, number>>;
}

/** Of the tasks that are not over: the busiest first, what is nobody's at the end. A held task is its holder's. */
export async function workloadOf(query: ReturnType<typeof filtered>, now: string): Promise<AgentWorkload[]> {
  const rows = await query
    .select(['status', 'holder_agent_id', 'assigned_agent_id'])
    .select((eb) => eb.fn.countAll<number>().as('tasks'))
    .select(sql<number>`sum(case when ${overdue(now)} then 1 else 0 end)`.as('late'))
    .groupBy(['status', 'holder_agent_id', 'assigned_agent_id'])
    .execute();
  const agents = new Map<string | null, { held: number; assigned: number; overdue: number; by: Map<string, number> }>();
  for (const { status, holder_agent_id, assigned_agent_id, tasks, late } of rows) {
    if (isOver(status as Status)) continue;
    const agent_id = holder_agent_id ?? assigned_agent_id;
    const load = agents.get(agent_id) ?? { held: 0, assigned: 0, overdue: 0, by: new Map() };
    agents.set(agent_id, load);
    if (holder_agent_id !== null) load.held += Number(tasks);
    else if (agent_id !== null) load.assigned += Number(tasks);
    load.overdue += Number(late);
    load.by.set(status, (load.by.get(status) ?? 0) + Number(tasks));
  }
  return [...agents]
    .map(([agent_id, { by, ...load }]) => ({ agent_id, ...load, by_status: Object.fromEntries(by) }))
    .sort(
      (a, b) =>
        Number(a.agent_id === null) - Number(b.agent_id === null) ||
        b.held + b.assigned - (a.held + a.assigned) ||
        (String(a.agent_id) < String(b.agent_id) ? -1 : 1),
    );
}

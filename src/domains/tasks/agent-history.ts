// What agents did, for those who delegate work and ask what an agent knows: from tasks and their history.
import type { OperationContext } from '../../kernel/operation.ts';
import { visibleWork } from '../access/index.ts';
import type { TaskStore } from './deps.ts';

/** A task as others learn from it. */
export interface AgentWork {
  readonly task_id: string;
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly resolution: string | null;
  readonly machine_id: string;
  readonly updated_at: string;
}

/** An agent with its user: a name alone may be what another user's program calls itself. */
export interface AgentName {
  readonly agent_id: string;
  readonly user_id: string;
}

export interface Outcomes {
  done: number;
  failed: number;
}

/** Statuses that an agent brings its work to. */
const FINISHED = ['review', 'done', 'failed'];

/** Tasks the agent holds, is assigned or brought to an end, newest first; only what the caller may see. */
export function workOf(
  store: TaskStore,
  { agent_id, user_id }: AgentName,
  { principal }: Pick<OperationContext, 'principal'>,
  limit: number,
): Promise<AgentWork[]> {
  return store.db
    .selectFrom('tasks')
    .select(['task_id', 'title', 'description', 'status', 'resolution', 'machine_id', 'updated_at'])
    .where(visibleWork(principal, 'tasks'))
    .where((eb) =>
      eb.or([
        eb.and([
          eb.or([eb('holder_agent_id', '=', agent_id), eb('assigned_agent_id', '=', agent_id)]),
          // Another user's own task is not its.
          eb.or([eb('scope', '<>', 'solo'), eb('user_id', '=', user_id)]),
        ]),
        eb(
          'task_id',
          'in',
          eb
            .selectFrom('task_history')
            .select('task_history.task_id')
            .where('task_history.agent_id', '=', agent_id)
            .where('task_history.user_id', '=', user_id)
            .where('task_history.to_status', 'in', FINISHED),
        ),
      ]),
    )
    .orderBy('updated_at', 'desc')
    .orderBy('task_id', 'desc')
    .limit(limit)
    .execute();
}

/**
 * How tasks ended that agents worked on, by agent: of those that need at least one of these capabilities (none given:
 * of all) since an ISO time. A task that ended twice counts twice: it was done twice.
 */
export async function outcomesOf(
  store: TaskStore,
  agents: readonly AgentName[],
  capabilities: readonly string[],
  since: string,
): Promise<ReadonlyMap<string, Outcomes>> {
  const outcomes = new Map<string, Outcomes>();
  if (agents.length === 0) return outcomes;
  const users = new Map(agents.map(({ agent_id, user_id }) => [agent_id, user_id]));
  const rows = await store.db
    .selectFrom('task_history')
    .innerJoin('tasks', 'tasks.task_id', 'task_history.task_id')
    .select((eb) => [
      'task_history.agent_id',
      'task_history.user_id',
      'task_history.to_status',
      'tasks.required_capabilities',
      eb.fn.countAll<number>().as('count'),
    ])
    .where('task_history.at', '>=', since)
    .where('task_history.to_status', 'in', ['done', 'failed'])
    .whereRef('task_history.from_status', '<>', 'task_history.to_status')
    .where('task_history.agent_id', 'in', [...users.keys()])
    .groupBy(['task_history.agent_id', 'task_history.user_id', 'task_history.to_status', 'tasks.required_capabilities'])
    .execute();
  const wanted = new Set(capabilities);
  for (const { agent_id, user_id, to_status, required_capabilities, count } of rows) {
    if (users.get(agent_id) !== user_id) continue;
    const needed = JSON.parse(required_capabilities) as string[];
    if (wanted.size > 0 && !needed.some((capability) => wanted.has(capability))) continue;
    const known = outcomes.get(agent_id) ?? { done: 0, failed: 0 };
    known[to_status === 'done' ? 'done' : 'failed'] += Number(count);
    outcomes.set(agent_id, known);
  }
  return outcomes;
}

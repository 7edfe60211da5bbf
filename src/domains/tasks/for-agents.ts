// What agents are told of tasks: how busy each is, what it holds, what waits for somebody who can do it.
import { sql } from 'kysely';
import { toIso } from '../../kernel/clock.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import { changeableWork, visibleWork } from '../access/index.ts';
import type { AgentName } from './agent-history.ts';
import { createTask, type NewTaskOrigin, prepareTask } from './create.ts';
import type { TaskDeps, TaskTrx } from './deps.ts';
import { chunks } from './graph/readiness.ts';
import { asNow, heldNow } from './lapsed.ts';
import type { TaskRow } from './record.ts';
import { newTaskSchema } from './schema.ts';
import { priorityOf } from './statuses.ts';

const OVER = ['done', 'failed', 'cancelled'] as const;
const RECORD_DAYS_MS = 30 * 86_400_000;
/** Delegated tasks that wait are looked through in portions of so many. */
const QUEUE_PORTION = 200;

interface Load {
  held: number;
  assigned_open: number;
  done_30d: number;
  failed_30d: number;
  current_task: { readonly task_id: string; readonly title: string } | null;
}

/** The user whose own a task is; null for what a team or all have. */
const ownerOf = sql<string | null>`case when tasks.scope = 'solo' then tasks.user_id end`.as('owner');

/** What a program of another user, which calls itself as the agent is named, does among its user's own tasks. */
function isOthers(owner: string | null, user_id: string | undefined): boolean {
  return owner !== null && owner !== user_id;
}

/** Of each of these agents; the numbers count all tasks, whoever may see them. */
export async function loadOf(
  { store }: TaskDeps,
  agents: readonly AgentName[],
  { principal }: OperationContext,
): Promise<ReadonlyMap<string, Load>> {
  const now_ms = store.clock.now();
  const now = toIso(now_ms);
  const loads = new Map<string, Load>(
    agents.map(({ agent_id }) => [
      agent_id,
      { held: 0, assigned_open: 0, done_30d: 0, failed_30d: 0, current_task: null },
    ]),
  );
  const users = new Map(agents.map(({ agent_id, user_id }) => [agent_id, user_id]));
  for (const ids of chunks([...users.keys()])) {
    const held = store.db
      .selectFrom('tasks')
      .select([
        'holder_agent_id',
        'task_id',
        'title',
        ownerOf,
        sql<number>`${visibleWork(principal, 'tasks')}`.as('visible'),
      ])
      .where('holder_agent_id', 'in', ids)
      .where(heldNow(now))
      .orderBy('updated_at', 'desc')
      .orderBy('task_id');
    for (const { holder_agent_id, task_id, title, owner, visible } of await held.execute()) {
      const load = loads.get(holder_agent_id ?? '');
      if (!load || isOthers(owner, users.get(holder_agent_id ?? ''))) continue;
      load.held++;
      if (visible) load.current_task ??= { task_id, title };
    }
    const assigned = store.db
      .selectFrom('tasks')
      .select((eb) => ['assigned_agent_id', ownerOf, eb.fn.countAll<number>().as('open')])
      .where('assigned_agent_id', 'in', ids)
      .where('status', 'not in', OVER)
      .where((eb) => eb.not(heldNow(now)))
      .groupBy(['assigned_agent_id', 'owner']);
    for (const { assigned_agent_id, owner, open } of await assigned.execute()) {
      const load = loads.get(assigned_agent_id ?? '');
      if (load && !isOthers(owner, users.get(assigned_agent_id ?? ''))) load.assigned_open += Number(open);
    }
    const ended = store.db
      .selectFrom('task_history')
      .select((eb) => ['agent_id', 'user_id', 'to_status', eb.fn.countAll<number>().as('ended')])
      .where('agent_id', 'in', ids)
      .where('to_status', 'in', ['done', 'failed'])
      .where('from_status', 'is not', null)
      .where('at', '>=', toIso(now_ms - RECORD_DAYS_MS))
      .groupBy(['agent_id', 'user_id', 'to_status']);
    for (const { agent_id, user_id, to_status, ended: count } of await ended.execute()) {
      const load = loads.get(agent_id);
      if (load && users.get(agent_id) === user_id)
        load[to_status === 'done' ? 'done_30d' : 'failed_30d'] = Number(count);
    }
  }
  return loads;
}

/** What the agent holds, then what is assigned to it and not over, most urgent first. */
export async function tasksOf({ store }: TaskDeps, agent_id: string, ctx: OperationContext, limit: number) {
  const now = toIso(store.clock.now());
  const held = sql<number>`case when tasks.holder_agent_id = ${agent_id} and ${heldNow(now)} then 0 else 1 end`;
  const rows = await store.db
    .selectFrom('tasks')
    .selectAll()
    .where(visibleWork(ctx.principal, 'tasks'))
    .where('status', 'not in', OVER)
    .where((eb) =>
      eb.or([
        eb.and([eb('holder_agent_id', '=', agent_id), heldNow(now)]),
        eb.and([eb('assigned_agent_id', '=', agent_id), eb.not(heldNow(now))]),
      ]),
    )
    .orderBy(held)
    .orderBy('priority')
    .orderBy('created_at')
    .orderBy('task_id')
    .limit(limit)
    .execute();
  return rows.map((row) => toAgentTask(asNow(row, now), agent_id, ctx));
}

/** Delegated, ready, nobody's, changeable for the caller, and in need of no more than these capabilities. */
export async function queuedFor(
  { store }: TaskDeps,
  capabilities: readonly string[],
  ctx: OperationContext,
  limit: number,
) {
  const has = new Set(capabilities);
  const fitting: TaskRow[] = [];
  for (let offset = 0; fitting.length < limit; offset += QUEUE_PORTION) {
    const rows = await store.db
      .selectFrom('tasks')
      .selectAll()
      .where('is_ready', '=', 1)
      .where('delegated_by', 'is not', null)
      .where('assigned_agent_id', 'is', null)
      .where(changeableWork(ctx.principal, 'tasks'))
      .orderBy('priority')
      .orderBy('created_at')
      .orderBy('task_id')
      .limit(QUEUE_PORTION)
      .offset(offset)
      .execute();
    fitting.push(
      ...rows.filter((row) => (JSON.parse(row.required_capabilities) as string[]).every((need) => has.has(need))),
    );
    if (rows.length < QUEUE_PORTION) break;
  }
  return fitting.slice(0, limit).map((row) => toAgentTask(row, '', ctx));
}

type Delegated = Record<string, unknown> & Pick<NewTaskOrigin, 'assigned_agent_id' | 'assigned_user_id'>;

/**
 * Looks at a task before the transaction, where nobody waits for it; the function that comes back makes it in one, and
 * may be run again in another. No message is sent. Errors as of `prepareTask` and `createTask`.
 */
export async function prepareDelegated(deps: TaskDeps, ctx: OperationContext, task: Delegated) {
  const { assigned_agent_id, assigned_user_id, ...fields } = task;
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const prepared = await prepareTask(deps, ctx, newTaskSchema.parse(given), {
    ...{ action: 'delegated', assigned_agent_id, assigned_user_id },
    delegated_by: ctx.principal.agent_id,
  });
  return async (trx: TaskTrx) => {
    const { row } = await createTask(deps, trx, ctx, prepared);
    return { task_id: row.task_id, title: row.title, status: row.status };
  };
}

function toAgentTask(row: TaskRow, agent_id: string, { session }: OperationContext) {
  const { task_id, title, status, project_id, fencing_token, lease_expires_at } = row;
  const held = row.holder_agent_id === agent_id;
  return {
    ...{ task_id, title, status, project_id, held, lease_expires_at },
    priority: priorityOf(row.priority),
    fencing_token: held && row.holder_session === session.key && session.derived !== true ? fencing_token : null,
  };
}

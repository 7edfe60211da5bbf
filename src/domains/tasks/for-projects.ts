// What projects are told of tasks: how many are open, which come next, how they flow. Only what the caller may see.
import { sql } from 'kysely';
import { toIso } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import { inPlace, visibleWork, type WorkFacts } from '../access/index.ts';
import { quantile } from './analytics-percentiles.ts';
import type { TaskStore } from './deps.ts';
import { asNow, heldNow, readyNow } from './lapsed.ts';
import type { TaskRow } from './record.ts';
import { priorityOf } from './statuses.ts';

const OVER = ['done', 'failed', 'cancelled'] as const;
const BEGUN: ReadonlySet<string> = new Set(['in_progress', 'blocked', 'review']);

const FLOW_COLUMNS = [
  'task_id',
  'parent_id',
  'status',
  'due_at',
  'created_at',
  'started_at',
  'finished_at',
  'resolution',
  'holder_agent_id',
  'lease_expires_at',
] as const satisfies readonly (keyof TaskRow)[];
type FlowRow = Pick<TaskRow, (typeof FLOW_COLUMNS)[number]>;

/** A project and where it is. */
interface ProjectPlace extends WorkFacts {
  readonly project_id: string;
}

export function tasksForProjects(store: TaskStore) {
  const visible = ({ principal }: OperationContext) =>
    store.db.selectFrom('tasks').where(visibleWork(principal, 'tasks'));
  return {
    /** Tasks that are not over, by project. */
    async openCounts(project_ids: readonly string[], ctx: OperationContext): Promise<ReadonlyMap<string, number>> {
      if (project_ids.length === 0) return new Map();
      const rows = await visible(ctx)
        .select((eb) => ['project_id', eb.fn.countAll<number>().as('open')])
        .where('project_id', 'in', project_ids)
        .where('status', 'not in', OVER)
        .groupBy('project_id')
        .execute();
      return new Map(rows.map(({ project_id, open }) => [project_id ?? '', Number(open)]));
    },

    /** The caller's own first, then ready ones by priority and age, then the rest. */
    async openTasks(project_id: string, ctx: OperationContext, limit: number) {
      const now = toIso(store.clock.now());
      const { agent_id } = ctx.principal;
      const held = heldNow(now);
      const own = sql<number>`case when (tasks.holder_agent_id = ${agent_id} and ${held}) or (tasks.assigned_agent_id = ${agent_id} and not ${held}) then 0 else 1 end`;
      const rows = await visible(ctx)
        .selectAll()
        .where('project_id', '=', project_id)
        .where('status', 'not in', OVER)
        .orderBy(own)
        .orderBy(readyNow(now), 'desc')
        .orderBy('priority')
        .orderBy('created_at')
        .orderBy('task_id')
        .limit(limit)
        .execute();
      return rows.map((row) => {
        const task = asNow(row, now);
        const { task_id, title, status, holder_agent_id, assigned_agent_id, open_dependencies } = task;
        return {
          ...{ task_id, title, status, holder_agent_id, assigned_agent_id, open_dependencies },
          priority: priorityOf(task.priority),
          ready: task.is_ready === 1,
          due: task.due_at,
        };
      });
    },

    /** `since`: ISO time at which the period begins. Of tasks in the project's own place: all who see it see those. */
    async flow({ project_id, ...place }: ProjectPlace, ctx: OperationContext, since: string) {
      const now = toIso(store.clock.now());
      const rows = await visible(ctx)
        .select(FLOW_COLUMNS)
        .where('project_id', '=', project_id)
        .where(inPlace(place, 'tasks'))
        .orderBy('task_id')
        .execute();
      const last = await store.db
        .selectFrom('task_history')
        .select((eb) => eb.fn.max('at').as('at'))
        .where('project_id', '=', project_id)
        .where(visibleWork(ctx.principal, 'task_history'))
        .where(inPlace(place, 'task_history'))
        .executeTakeFirst();
      return { ...flowOf(rows, since, now), last_change_at: last?.at ?? null };
    },
  };
}

function flowOf(rows: readonly FlowRow[], since: string, now: string) {
  const open = rows.filter(({ status }) => !isOneOf(OVER, status));
  const finished = rows.filter(
    ({ status, finished_at }) => status === 'done' && finished_at !== null && finished_at >= since,
  );
  return {
    created: counted(rows.filter(({ created_at }) => created_at >= since)),
    finished: counted(finished),
    resolved: counted(finished.filter(({ resolution }) => resolution !== null && resolution !== '')),
    open: counted(open),
    blocked: counted(blockedIn(open)),
    overdue: counted(open.filter(({ due_at }) => due_at !== null && due_at < now)),
    begun: open.flatMap(({ task_id, status, started_at, lease_expires_at }) => {
      const lapsed = lease_expires_at !== null && lease_expires_at <= now;
      return BEGUN.has(status) && !lapsed && started_at !== null ? [{ task_id, since: started_at }] : [];
    }),
    cycle_p85_ms: cycleOf(rows),
  };
}

/** In the column `blocked`, or below something that is. */
function blockedIn(open: readonly FlowRow[]): FlowRow[] {
  const byId = new Map(open.map((row) => [row.task_id, row]));
  const isBlocked = (row: FlowRow | undefined, depth = 0): boolean =>
    row !== undefined &&
    depth <= limits.task_depth_max_levels &&
    (row.status === 'blocked' || isBlocked(byId.get(row.parent_id ?? ''), depth + 1));
  return open.filter((row) => isBlocked(row));
}

function cycleOf(rows: readonly FlowRow[]): number | null {
  const cycles = rows.flatMap(({ status, started_at, finished_at }) =>
    status === 'done' && started_at !== null && finished_at !== null
      ? [Date.parse(finished_at) - Date.parse(started_at)]
      : [],
  );
  if (cycles.length < limits.health_cycles_min_count) return null;
  return (
    quantile(
      cycles.toSorted((a, b) => a - b),
      0.85,
    ) ?? null
  );
}

function counted(rows: readonly FlowRow[]) {
  return { count: rows.length, ids: rows.slice(0, limits.health_evidence_max_ids).map(({ task_id }) => task_id) };
}

function isOneOf(statuses: readonly string[], status: string): boolean {
  return statuses.includes(status);
}

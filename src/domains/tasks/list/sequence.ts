// A list in the order of the plan: the plan is that of the whole board, the list shows the part that was asked for.
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.ts';
import type { Principal } from '../../../kernel/operation.ts';
import { visibleWork } from '../../access/index.ts';
import type { TaskReader } from '../deps.ts';
import { chunks } from '../graph/readiness.ts';
import type { TaskRow } from '../record.ts';
import { sequencePlan } from '../sequence/plan.ts';
import type { PlanRow } from '../sequence/types.ts';
import { filtered, type TaskFilter } from './filter.ts';

export interface SequencePage {
  readonly rows: readonly { readonly row: TaskRow; readonly plan: PlanRow }[];
  readonly next_cursor: string | null;
}

/** Labels do not change with the filter: they are those of the project's plan, or of everything where none is named. */
export async function sequencePage(
  db: TaskReader,
  principal: Principal,
  filter: TaskFilter,
  how: { readonly limit: number; readonly cursor?: string | undefined; readonly now: string },
): Promise<SequencePage> {
  const all = await planOf(db, principal, filter.project_id);
  const { project_id: _, ...narrower } = filter;
  const isNarrowed = Object.values(narrower).some((value) => value !== undefined);
  const shown = isNarrowed ? await idsOf(db, principal, filter, how.now) : undefined;
  const plan = shown ? all.filter(({ task_id }) => shown.has(task_id)) : all;
  const start = startOf(plan, how.cursor);
  const page = plan.slice(start, start + how.limit);
  const rows = await rowsOf(db, page);
  const last = start + how.limit < plan.length ? page.at(-1) : undefined;
  return {
    rows: page.flatMap((entry) => {
      const row = rows.get(entry.task_id);
      return row ? [{ row, plan: entry }] : [];
    }),
    next_cursor: last ? encodeCursor([last.task_id, start + page.length]) : null,
  };
}

/** After the last task of the page before, where that is in the plan still; else as far down as it was. */
function startOf(plan: readonly PlanRow[], cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const [task_id, next] = decodeCursor(cursor, 2);
  const at = plan.findIndex((row) => row.task_id === task_id);
  return at < 0 ? Number(next) : at + 1;
}

/**
 * The plan of what the principal may see, of one project or of everything. Of the dependencies only those of these tasks
 * are read, however many others the store has.
 */
export async function planOf(db: TaskReader, principal: Principal, project_id?: string): Promise<PlanRow[]> {
  let tasks = db
    .selectFrom('tasks')
    .select(['task_id', 'parent_id', 'status', 'priority', 'estimate_minutes', 'created_at'])
    .where(visibleWork(principal, 'tasks'));
  if (project_id !== undefined) tasks = tasks.where('project_id', '=', project_id);
  const edges = db
    .selectFrom('task_dependencies')
    .select(['task_id', 'depends_on_id'])
    .where('task_id', 'in', tasks.clearSelect().select('task_id'));
  return sequencePlan(await tasks.execute(), await edges.execute());
}

async function idsOf(db: TaskReader, principal: Principal, filter: TaskFilter, now: string): Promise<Set<string>> {
  const rows = await filtered(db, principal, filter, now).select('task_id').execute();
  return new Set(rows.map(({ task_id }) => task_id));
}

async function rowsOf(db: TaskReader, page: readonly PlanRow[]): Promise<Map<string, TaskRow>> {
  const rows = new Map<string, TaskRow>();
  for (const ids of chunks(page.map(({ task_id }) => task_id)))
    for (const row of await db.selectFrom('tasks').selectAll().where('task_id', 'in', ids).execute())
      rows.set(row.task_id, row);
  return rows;
}

// Tasks on their way out: with the names their sources gave them, and with what was said about them.
import type { Principal } from '../../../kernel/operation.ts';
import { visibleWork } from '../../access/index.ts';
import type { TaskReader } from '../deps.ts';
import { chunks } from '../graph/readiness.ts';
import { asNow } from '../lapsed.ts';
import type { TaskRow } from '../record.ts';
import { priorityOf, type Status } from '../statuses.ts';
import type { Item } from './item.ts';
import { OWN } from './known.ts';
import { BOARD_FORMAT, BOARD_VERSION } from './parse.ts';

export interface ExportQuery {
  readonly project_id?: string | undefined;
  /** Tasks after this id. */
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

/** Tasks the caller may see, by id. */
export async function exportRows(db: TaskReader, principal: Principal, wanted: ExportQuery, now: string) {
  let query = db.selectFrom('tasks').selectAll().where(visibleWork(principal, 'tasks')).orderBy('task_id');
  const { project_id, after, limit } = wanted;
  if (project_id !== undefined) query = query.where('project_id', '=', project_id);
  if (after !== undefined) query = query.where('task_id', '>', after);
  if (limit !== undefined) query = query.limit(limit);
  return (await query.execute()).map((row) => asNow(row, now));
}

/** The same as items of the own format. References to tasks the caller may not see are left out. */
export async function itemsOf(db: TaskReader, principal: Principal, rows: readonly TaskRow[]): Promise<Item[]> {
  const ids = rows.map(({ task_id }) => task_id);
  const edges = await edgesOf(db, ids);
  const others = [
    ...edges.map(({ depends_on_id }) => depends_on_id),
    ...rows.flatMap(({ parent_id }) => parent_id ?? []),
  ];
  const names = await namesOf(db, principal, rows, others);
  const comments = await commentsOf(db, principal, ids);
  const dependencies = Map.groupBy(edges, ({ task_id }) => task_id);
  return rows.map((row) => {
    const waits = (dependencies.get(row.task_id) ?? []).flatMap(({ depends_on_id }) => names.get(depends_on_id) ?? []);
    return itemOf(row, names, waits.sort(), comments.get(row.task_id) ?? []);
  });
}

const ASSIGNEE = 'assignee:';

function itemOf(
  row: TaskRow,
  names: ReadonlyMap<string, string>,
  depends_on: string[],
  comments: Item['comments'],
): Item {
  const tags = JSON.parse(row.tags) as string[];
  // Somebody who was no agent where the task came to is kept as a label there.
  const label = row.assigned_agent_id === null ? tags.find((tag) => tag.startsWith(ASSIGNEE)) : undefined;
  return {
    external_id: names.get(row.task_id) ?? `${OWN}${row.task_id}`,
    title: row.title,
    description: row.description,
    status: row.status as Status,
    priority: priorityOf(row.priority),
    progress: row.progress,
    project_id: row.project_id,
    parent: row.parent_id === null ? null : (names.get(row.parent_id) ?? null),
    depends_on,
    tags: tags.filter((tag) => tag !== label),
    required_capabilities: JSON.parse(row.required_capabilities) as string[],
    due: row.due_at,
    estimate_minutes: row.estimate_minutes,
    assignee: row.assigned_agent_id ?? label?.slice(ASSIGNEE.length) ?? null,
    resolution: row.resolution,
    created_at: row.created_at,
    started_at: row.started_at,
    finished_at: row.finished_at,
    version: row.version,
    comments,
  };
}

async function edgesOf(db: TaskReader, task_ids: readonly string[]) {
  const edges: { task_id: string; depends_on_id: string }[] = [];
  for (const ids of chunks(task_ids)) {
    const query = db.selectFrom('task_dependencies').select(['task_id', 'depends_on_id']);
    edges.push(...(await query.where('task_id', 'in', ids).orderBy('depends_on_id').execute()));
  }
  return edges;
}

/** A task goes out under the name of its first source, so that it is known again; of two with one name the older. */
async function namesOf(
  db: TaskReader,
  principal: Principal,
  rows: readonly TaskRow[],
  others: readonly string[],
): Promise<Map<string, string>> {
  const own = new Set(rows.map(({ task_id }) => task_id));
  const all: Pick<TaskRow, 'task_id' | 'external_id'>[] = [...rows];
  for (const ids of chunks([...new Set(others)].filter((task_id) => !own.has(task_id)))) {
    const query = db.selectFrom('tasks').select(['task_id', 'external_id']).where('task_id', 'in', ids);
    all.push(...(await query.where(visibleWork(principal, 'tasks')).execute()));
  }
  const taken = new Set<string>();
  const names = new Map<string, string>();
  for (const { task_id, external_id } of all.sort((a, b) => (a.task_id < b.task_id ? -1 : 1))) {
    const name = external_id === null || taken.has(external_id) ? `${OWN}${task_id}` : external_id;
    taken.add(name);
    names.set(task_id, name);
  }
  return names;
}

async function commentsOf(db: TaskReader, principal: Principal, task_ids: readonly string[]) {
  const comments = new Map<string, Item['comments']>();
  for (const ids of chunks(task_ids)) {
    const rows = await db
      .selectFrom('task_history')
      .select(['entry_id', 'task_id', 'agent_id', 'at', 'comment', 'details'])
      .where('task_id', 'in', ids)
      .where('comment', 'is not', null)
      .where(visibleWork(principal, 'task_history'))
      .orderBy('version')
      .orderBy('entry_id')
      .execute();
    for (const { entry_id, task_id, agent_id, at, comment, details } of rows) {
      const told = JSON.parse(details) as { comment_id?: string; author?: string; said_at?: string };
      const list = comments.get(task_id) ?? [];
      comments.set(task_id, list);
      const { comment_id = entry_id, author = agent_id, said_at = told.comment_id === undefined ? at : null } = told;
      list.push({ comment_id, author, at: said_at, text: comment ?? '' });
    }
  }
  return comments;
}

/** JSON Lines: a first line that names the format, then a task a line. Pages of one board are one file together. */
export function jsonLines(items: readonly Item[], first: boolean): string {
  const head = first ? [{ format: BOARD_FORMAT, version: BOARD_VERSION }] : [];
  return [...head, ...items].map((value) => `${JSON.stringify(value)}\n`).join('');
}

// A board as text: pages of JSON Lines by the ids of tasks, Markdown as a whole and handed out in parts.
import type { OperationContext } from '../../../kernel/operation.ts';
import type { TaskDeps } from '../deps.ts';
import { chunks } from '../graph/readiness.ts';
import type { TaskRow } from '../record.ts';
import { sequencePlan } from '../sequence/plan.ts';
import type { PlannedEdge } from '../sequence/types.ts';
import { exportRows, itemsOf, jsonLines } from './export-items.ts';
import { boardMarkdown } from './export-markdown.ts';

interface Page {
  readonly content: string;
  readonly tasks: number;
}

/** `next`: id of the last task of a page that is not the last. */
export async function exportJson(
  { store }: TaskDeps,
  { principal }: OperationContext,
  wanted: { readonly project_id?: string | undefined; readonly limit: number; readonly after?: string | undefined },
  now: string,
): Promise<Page & { readonly next: string | undefined }> {
  const rows = await exportRows(store.db, principal, { ...wanted, limit: wanted.limit + 1 }, now);
  const page = rows.slice(0, wanted.limit);
  const items = await itemsOf(store.db, principal, page);
  const next = rows.length > page.length ? page.at(-1)?.task_id : undefined;
  return { content: jsonLines(items, wanted.after === undefined), tasks: items.length, next };
}

const PART_CHARS = 1_000_000;

/** Parts end at line breaks; `from` is where the part before ended. */
export async function exportMarkdown(
  { store, projects }: TaskDeps,
  ctx: OperationContext,
  { project_id, from }: { readonly project_id?: string | undefined; readonly from: number },
  now: string,
): Promise<Page & { readonly next: number | undefined }> {
  const project = project_id === undefined ? undefined : await projects.projectFor(project_id, ctx);
  const rows = await exportRows(store.db, ctx.principal, { project_id }, now);
  const items = await itemsOf(store.db, ctx.principal, rows);
  const byId = new Map(rows.map((row, i) => [row.task_id, items[i]]));
  const plan = sequencePlan(rows, await edgesOf(store.db, rows));
  const tasks = plan.flatMap((at) => {
    const item = byId.get(at.task_id);
    return item ? [{ item, plan: at }] : [];
  });
  const text = boardMarkdown(project?.name ?? 'Tasks', tasks);
  const cut = text.length - from <= PART_CHARS ? text.length : text.lastIndexOf('\n', from + PART_CHARS) + 1;
  const end = cut > from ? cut : text.length;
  return { content: text.slice(from, end), tasks: tasks.length, next: end < text.length ? end : undefined };
}

async function edgesOf(db: TaskDeps['store']['db'], rows: readonly TaskRow[]): Promise<PlannedEdge[]> {
  const edges: PlannedEdge[] = [];
  for (const ids of chunks(rows.map(({ task_id }) => task_id)))
    edges.push(
      ...(await db
        .selectFrom('task_dependencies')
        .select(['task_id', 'depends_on_id'])
        .where('task_id', 'in', ids)
        .execute()),
    );
  return edges;
}

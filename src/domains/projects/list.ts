// Projects in lists: what the caller may see of them, newest first.
import { sql } from 'kysely';
import { limits } from '../../kernel/limits.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import { mayCall, visibleWork } from '../access/index.ts';
import type { ProjectDeps } from './deps.ts';
import { toProject } from './record.ts';
import type { Project, ProjectStatus } from './schema.ts';

export interface ProjectFilter {
  readonly project_id?: string | undefined;
  readonly status_filter?: ProjectStatus | undefined;
  readonly owner_filter?: string | undefined;
  readonly project_type_filter?: string | undefined;
  /** All of them. */
  readonly tags?: readonly string[] | undefined;
  readonly limit: number;
  /** The last project of the page before. */
  readonly before?: string | undefined;
}

/** `open_tasks` is null where the caller's credential may not read tasks. */
export interface ListedProject extends Project {
  readonly open_tasks: number | null;
}

export async function listProjects(
  { store, tasks }: Pick<ProjectDeps, 'store' | 'tasks'>,
  filter: ProjectFilter,
  ctx: OperationContext,
): Promise<readonly ListedProject[]> {
  let query = store.db.selectFrom('projects').selectAll().where(visibleWork(ctx.principal, 'projects'));
  if (filter.project_id !== undefined) query = query.where('project_id', '=', filter.project_id);
  if (filter.status_filter !== undefined) query = query.where('status', '=', filter.status_filter);
  if (filter.owner_filter !== undefined) query = query.where('owner_agent_id', '=', filter.owner_filter);
  if (filter.project_type_filter !== undefined) query = query.where('project_type', '=', filter.project_type_filter);
  for (const tag of filter.tags ?? [])
    query = query.where(sql`tags`, 'like', sql<string>`${containing(tag)} escape '!'`);
  if (filter.before !== undefined) query = query.where('project_id', '<', filter.before);
  const rows = await query
    .orderBy('project_id', 'desc')
    .limit(Math.min(filter.limit, limits.page_max_items + 1))
    .execute();
  const ids = rows.map(({ project_id }) => project_id);
  const counts =
    mayCall(ctx.principal, 'task.read').allowed && ids.length > 0 ? await tasks.openCounts(ids, ctx) : undefined;
  return rows.map((row) => ({
    ...toProject(row),
    open_tasks: counts ? (counts.get(row.project_id) ?? 0) : null,
  }));
}

/** A pattern for a JSON list of texts that has this one among them: quotes inside a text are escaped by JSON. */
function containing(tag: string): string {
  return `%${JSON.stringify(tag).replace(/[!%_]/g, '!$&')}%`;
}

// Which tasks a list is about, as SQL. Everything is about what the caller may see.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Principal } from '../../../kernel/operation.ts';
import { visibleWork } from '../../access/index.ts';
import type { TaskReader } from '../deps.ts';
import { isOver, type Priority, rankOf, STATUSES, type Status } from '../statuses.ts';

/** Times are ISO 8601. */
export interface TaskFilter {
  readonly status?: readonly Status[] | undefined;
  readonly project_id?: string | undefined;
  readonly parent_id?: string | undefined;
  /** Assigned to it, or held by it. */
  readonly assigned_agent_id?: string | undefined;
  /** All of them. */
  readonly tags?: readonly string[] | undefined;
  readonly priority?: readonly Priority[] | undefined;
  readonly capability?: string | undefined;
  readonly ready?: boolean | undefined;
  readonly overdue?: boolean | undefined;
  /** Words that all stand in the title. */
  readonly query?: string | undefined;
  readonly created_since?: string | undefined;
  readonly updated_since?: string | undefined;
}

export const OVER = STATUSES.filter(isOver);

/** `now`: ISO time, for what is overdue. */
export function filtered(db: TaskReader, principal: Principal, filter: TaskFilter, now: string) {
  let query = db.selectFrom('tasks').where(visibleWork(principal, 'tasks'));
  for (const condition of conditionsOf(filter, now)) query = query.where(condition);
  return query;
}

function conditionsOf(filter: TaskFilter, now: string): RawBuilder<SqlBool>[] {
  const { status, priority, ready, assigned_agent_id: agent } = filter;
  const all: RawBuilder<SqlBool>[] = [];
  const equals = (column: string, value: string | undefined) => {
    if (value !== undefined) all.push(sql`${sql.ref(`tasks.${column}`)} = ${value}`);
  };
  equals('project_id', filter.project_id);
  equals('parent_id', filter.parent_id);
  if (status) all.push(sql`tasks.status in (${sql.join(status)})`);
  if (priority) all.push(sql`tasks.priority in (${sql.join(priority.map(rankOf))})`);
  if (agent !== undefined) all.push(sql`(tasks.assigned_agent_id = ${agent} or tasks.holder_agent_id = ${agent})`);
  for (const tag of filter.tags ?? []) all.push(lists('tags', tag));
  if (filter.capability !== undefined) all.push(lists('required_capabilities', filter.capability));
  // Written out, not a parameter: else no engine takes the index of ready tasks.
  if (ready !== undefined) all.push(ready ? sql`tasks.is_ready = 1` : sql`tasks.is_ready = 0`);
  if (filter.overdue !== undefined) all.push(filter.overdue ? overdue(now) : sql`not ${overdue(now)}`);
  for (const word of filter.query?.split(/\s+/).filter((part) => part !== '') ?? [])
    all.push(sql`lower(tasks.title) like ${`%${escaped(word.toLowerCase())}%`} escape '!'`);
  if (filter.created_since !== undefined) all.push(sql`tasks.created_at >= ${filter.created_since}`);
  if (filter.updated_since !== undefined) all.push(sql`tasks.updated_at >= ${filter.updated_since}`);
  return all;
}

/** Past its due time, and not over. */
export function overdue(now: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`(tasks.due_at is not null and tasks.due_at < ${now} and tasks.status not in (${sql.join(OVER)}))`;
}

/** A JSON list of texts has this one. */
function lists(column: 'tags' | 'required_capabilities', text: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`${sql.ref(`tasks.${column}`)} like ${`%${escaped(JSON.stringify(text))}%`} escape '!'`;
}

function escaped(text: string): string {
  return text.replace(/[!%_]/g, '!$&');
}

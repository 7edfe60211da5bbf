// What happened to a task, read from its history.
import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import { decodeCursor, encodeCursor } from '../../kernel/cursor.ts';
import type { TaskReader } from './deps.ts';
import type { TaskHistoryTable } from './tables.ts';

export type HistoryRow = Selectable<TaskHistoryTable>;

export interface HistoryPage {
  /** In the order in which it happened. */
  readonly rows: readonly HistoryRow[];
  /** Leads to what happened before. */
  readonly next_cursor: string | null;
}

/** The newest part of a task's history, or the part before a cursor. Rows of one version are told apart by their ids. */
export async function historyOf(
  db: TaskReader,
  task_id: string,
  limit: number,
  cursor: string | undefined,
): Promise<HistoryPage> {
  let query = db.selectFrom('task_history').selectAll().where('task_id', '=', task_id);
  if (cursor !== undefined) {
    const [entry_id, version] = decodeCursor(cursor, 2);
    query = query.where(sql<boolean>`(version, entry_id) < (${version}, ${entry_id})`);
  }
  const rows = await query
    .orderBy('version', 'desc')
    .orderBy('entry_id', 'desc')
    .limit(limit + 1)
    .execute();
  const page = rows.slice(0, limit);
  const first = rows.length > limit ? page.at(-1) : undefined;
  return { rows: page.reverse(), next_cursor: first ? encodeCursor([first.entry_id, first.version]) : null };
}

/** The newest words about a task, in the order in which they were written. */
export async function commentsOf(db: TaskReader, task_id: string, limit: number): Promise<HistoryRow[]> {
  const rows = await db
    .selectFrom('task_history')
    .selectAll()
    .where('task_id', '=', task_id)
    .where('comment', 'is not', null)
    .orderBy('version', 'desc')
    .orderBy('entry_id', 'desc')
    .limit(limit)
    .execute();
  return rows.reverse();
}

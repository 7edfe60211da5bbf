// What a task is connected with, as its reader may see it: others are counted, and not named.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Principal } from '../../kernel/operation.ts';
import { visibleWork } from '../access/index.ts';
import type { TaskReader } from './deps.ts';
import { asNow } from './lapsed.ts';
import type { TaskRow } from './record.ts';
import { type ShortTask, toShort } from './shown.ts';

/** Of each kind at most so many are shown. */
export const SHOWN_MAX_COUNT = 200;

export interface Neighbours {
  /** The oldest first. */
  readonly tasks: readonly ShortTask[];
  readonly count: number;
}

type Kind = 'dependencies' | 'dependants' | 'children';

/** Which rows of `tasks` are meant. */
function connected(kind: Kind, task_id: string): RawBuilder<SqlBool> {
  switch (kind) {
    case 'dependencies':
      return sql`tasks.task_id in (select depends_on_id from task_dependencies where task_dependencies.task_id = ${task_id})`;
    case 'dependants':
      return sql`tasks.task_id in (select task_dependencies.task_id from task_dependencies where depends_on_id = ${task_id})`;
    case 'children':
      return sql`tasks.parent_id = ${task_id}`;
  }
}

/** `count` is of all of them, whoever may see them. */
export async function neighboursOf(
  db: TaskReader,
  principal: Principal,
  { task_id, kind, now }: { readonly task_id: string; readonly kind: Kind; readonly now: string },
): Promise<Neighbours> {
  const all = db.selectFrom('tasks').where(connected(kind, task_id));
  const { count } = await all.select((eb) => eb.fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
  if (Number(count) === 0) return { tasks: [], count: 0 };
  const rows = await all
    .selectAll()
    .where(visibleWork(principal, 'tasks'))
    .orderBy('created_at')
    .orderBy('task_id')
    .limit(SHOWN_MAX_COUNT)
    .execute();
  return { tasks: rows.map((row) => toShort(asNow(row, now))), count: Number(count) };
}

/** The story a task is a part of, and what that is a part of, the nearest first. */
export async function storiesAbove(db: TaskReader, principal: Principal, row: TaskRow): Promise<ShortTask[]> {
  const line: ShortTask[] = [];
  for (let above = row.parent_id; above !== null; ) {
    const story = await db
      .selectFrom('tasks')
      .selectAll()
      .where('task_id', '=', above)
      .where(visibleWork(principal, 'tasks'))
      .executeTakeFirst();
    if (!story) break;
    line.push(toShort(story));
    above = story.parent_id;
  }
  return line;
}

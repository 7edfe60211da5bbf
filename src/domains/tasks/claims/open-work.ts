// What a task waits for, named to whoever wants to begin or to finish it too early.
import type { Principal } from '../../../kernel/operation.ts';
import { visibleWork } from '../../access/index.ts';
import type { TaskTrx } from '../deps.ts';
import type { TaskRow } from '../record.ts';
import { isOver, STATUSES, satisfies } from '../statuses.ts';
import { waitsForOthers } from './errors.ts';

const NAMED_MAX_COUNT = 10;
const UNSATISFIED = STATUSES.filter((status) => !satisfies(status));
const NOT_OVER = STATUSES.filter((status) => !isOver(status));

type Waiting = Pick<TaskRow, 'task_id' | 'open_dependencies' | 'open_children' | 'blocked_ancestors' | 'parent_id'>;

/** Refuses to begin a task that waits for others, naming them. Its own parts do not keep anybody from looking after it. */
export async function assertNothingOpen(trx: TaskTrx, row: Waiting, principal: Principal): Promise<void> {
  const { task_id, open_dependencies, blocked_ancestors } = row;
  if (open_dependencies > 0) {
    const open = await trx
      .selectFrom('task_dependencies')
      .innerJoin('tasks', 'tasks.task_id', 'task_dependencies.depends_on_id')
      .select(['tasks.task_id', 'tasks.title', 'tasks.status'])
      .where('task_dependencies.task_id', '=', task_id)
      .where('tasks.status', 'in', UNSATISFIED)
      .where(visibleWork(principal, 'tasks'))
      .orderBy('tasks.task_id')
      .limit(NAMED_MAX_COUNT)
      .execute();
    throw waitsForOthers(row, open, open_dependencies, 'dependencies');
  }
  if (blocked_ancestors > 0)
    throw waitsForOthers(row, await waitingAbove(trx, row, principal), blocked_ancestors, 'stories above it');
}

async function waitingAbove(trx: TaskTrx, row: Waiting, principal: Principal) {
  const waiting: Pick<TaskRow, 'task_id' | 'title' | 'status'>[] = [];
  for (let above = row.parent_id; above !== null; ) {
    const story = await trx
      .selectFrom('tasks')
      .select(['task_id', 'title', 'status', 'parent_id', 'open_dependencies'])
      .where('task_id', '=', above)
      .where(visibleWork(principal, 'tasks'))
      .executeTakeFirst();
    if (!story) break;
    if (story.open_dependencies > 0) waiting.push(story);
    above = story.parent_id;
  }
  return waiting;
}

/** Refuses to call a story done whose parts are not over, naming them. */
export async function assertPartsOver(trx: TaskTrx, row: Waiting, principal: Principal): Promise<void> {
  if (row.open_children === 0) return;
  const open = await trx
    .selectFrom('tasks')
    .select(['task_id', 'title', 'status'])
    .where('parent_id', '=', row.task_id)
    .where('status', 'in', NOT_OVER)
    .where(visibleWork(principal, 'tasks'))
    .orderBy('task_id')
    .limit(NAMED_MAX_COUNT)
    .execute();
  throw waitsForOthers(row, open, row.open_children, 'parts');
}

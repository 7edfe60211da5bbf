// Stories and their parts: what is above a task.
import { limits } from '../../../kernel/limits.ts';
import type { Principal } from '../../../kernel/operation.ts';
import type { TaskStore, TaskTrx } from '../deps.ts';
import { tooDeep } from '../errors.ts';
import type { TaskRow } from '../record.ts';
import { holdVisible } from '../repository.ts';

export interface Story {
  readonly row: TaskRow;
  /** It and what is above it, nearest first. */
  readonly line: readonly TaskRow[];
  /** How many of these wait for a dependency: so does every part. */
  readonly waiting: number;
}

/**
 * A task as the parent of another, kept from changing with all above it until the transaction ends: whether the parts
 * wait follows from them. `below` is how many levels the part brings along. Errors: `not_found`, `limit_exceeded`.
 */
export async function holdStory(
  store: TaskStore,
  trx: TaskTrx,
  parent_id: string,
  principal: Principal,
  below = 1,
): Promise<Story> {
  const row = await holdVisible(store, trx, parent_id, principal);
  const line = [row];
  for (let above = row.parent_id; ; ) {
    if (line.length + below > limits.task_depth_max_levels) throw tooDeep(parent_id, limits.task_depth_max_levels);
    if (above === null) break;
    const query = trx.selectFrom('tasks').selectAll().where('task_id', '=', above);
    const next = await store.dialect.forChange(query).executeTakeFirst();
    if (!next) break;
    line.push(next);
    above = next.parent_id;
  }
  return { row, line, waiting: line.filter(({ open_dependencies }) => open_dependencies > 0).length };
}

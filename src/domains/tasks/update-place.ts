// A task moves under another story or to another project: edges and counters follow, and it stays where others see it.
import { HaivemindError } from '../../kernel/errors.ts';
import type { OperationContext, Principal } from '../../kernel/operation.ts';
import { assertAllowed, mayChangeWork } from '../access/index.ts';
import type { ProjectPort, TaskDeps, TaskTrx } from './deps.ts';
import { partElsewhere, projectElsewhere, storyIsOver, taskNotFound } from './errors.ts';
import { endOf, gateOf, refuseCircle } from './graph/cycles.ts';
import { chunks, countAncestors, countChildren, holdGraph, type Readiness } from './graph/readiness.ts';
import { holdStory, type Story } from './graph/stories.ts';
import type { TaskRow } from './record.ts';
import { isOver, type Status } from './statuses.ts';

/** Refuses a project in another place: those who see the board there would not see the task, or the other way round. */
export function refuseOtherPlace(row: TaskRow, { place }: Awaited<ReturnType<ProjectPort['projectFor']>>): void {
  if (place.scope !== row.scope || place.team_id !== row.team_id) throw projectElsewhere(row.task_id);
}

/**
 * Puts a task this transaction holds under another story, or under none: counters of both stories and of everything
 * below follow. Call it before the row itself is written. Refused, it has written nothing. Errors: `not_found`,
 * `forbidden`, `conflict` with the circle it would close, `invalid_input` for a story in another place, `limit_exceeded`
 * too deep down.
 */
export async function moveUnder(
  { store }: TaskDeps,
  trx: TaskTrx,
  { principal }: OperationContext,
  row: TaskRow,
  parent_id: string | null,
  touched: Readiness,
): Promise<void> {
  await holdGraph(store, trx);
  const open = !isOver(row.status as Status);
  // Circles are looked for without the story it leaves: what that waits for will not be in the way any more.
  if (row.parent_id !== null)
    await trx.updateTable('tasks').set({ parent_id: null }).where('task_id', '=', row.task_id).execute();
  const story = await storyFor(store, trx, principal, row, parent_id).catch(async (error: unknown) => {
    // Who leaves the move out and goes on has the task where it was.
    if (error instanceof HaivemindError && row.parent_id !== null)
      await trx.updateTable('tasks').set({ parent_id: row.parent_id }).where('task_id', '=', row.task_id).execute();
    throw error;
  });
  if (open && row.parent_id !== null) await countChildren(trx, row.parent_id, -1, touched);
  if (open && story) await countChildren(trx, story.row.task_id, 1, touched);
  await shiftAncestors(trx, row.task_id, (story?.waiting ?? 0) - row.blocked_ancestors, touched);
}

async function storyFor(
  store: TaskDeps['store'],
  trx: TaskTrx,
  principal: Principal,
  row: TaskRow,
  parent_id: string | null,
): Promise<Story | undefined> {
  // What is above it now is held as well: nobody counts for the old place while the task leaves it.
  if (row.parent_id !== null) await holdStory(store, trx, row.parent_id, principal);
  if (parent_id === null) return undefined;
  const story = await holdStory(store, trx, parent_id, principal, await levels(trx, row));
  const { row: above } = story;
  assertAllowed(mayChangeWork(principal, above), () => taskNotFound(above.task_id));
  if (above.scope !== row.scope || above.team_id !== row.team_id) throw partElsewhere(above.task_id);
  const closed = isOver(above.status as Status) && !isOver(row.status as Status);
  if (closed) throw storyIsOver(above.task_id, above.status as Status);
  await refuseCircle(trx, { from: endOf(above.task_id), to: [endOf(row.task_id)], principal });
  await refuseCircle(trx, { from: gateOf(row.task_id), to: [gateOf(above.task_id)], principal });
  return story;
}

/** The task itself and all below it have so many more waiting stories above them. */
async function shiftAncestors(trx: TaskTrx, task_id: string, by: number, touched: Readiness): Promise<void> {
  if (by === 0) return;
  const row = await trx
    .updateTable('tasks')
    .set((eb) => ({ blocked_ancestors: eb('blocked_ancestors', '+', by) }))
    .where('task_id', '=', task_id)
    .returning(['task_id'])
    .executeTakeFirst();
  if (row) touched.add(row.task_id);
  await countAncestors(trx, new Map([[task_id, by]]), touched);
}

/** How many levels a task brings along: itself and what is below it. */
async function levels(trx: TaskTrx, row: TaskRow): Promise<number> {
  let count = 0;
  for (let ids = [row.task_id]; ids.length > 0; count++) {
    const below: string[] = [];
    for (const part of chunks(ids)) {
      const children = trx.selectFrom('tasks').select('task_id').where('parent_id', 'in', part);
      below.push(...(await children.execute()).map(({ task_id }) => task_id));
    }
    ids = below;
  }
  return count;
}

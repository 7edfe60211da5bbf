// Circles of tasks that would wait for each other for ever.
//
// Each task has two moments: its gate (it may begin) and its end (it is over). What waits for what:
//   gate(task)  for end(dependency)   a task begins after what it depends on
//   gate(part)  for gate(story)       the parts of a story that waits, wait as well
//   end(task)   for gate(task)
//   end(story)  for end(part)
// A circle in this graph is a set of tasks none of which can ever begin. An edge from `from` to the ends of other tasks
// closes one exactly where one of these ends waits for `from`; looked for breadth first from both sides, always from
// the one with fewer moments to go on from (I. Pohl, "Bi-directional search", 1971): mostly few things wait for a task
// that is just being linked, or it waits for few, and then half of the board is never looked at.
import type { Principal } from '../../../kernel/operation.ts';
import { visibleWork } from '../../access/index.ts';
import type { TaskReader } from '../deps.ts';
import { circular } from '../errors.ts';
import { chunks } from './readiness.ts';

interface Moment {
  readonly kind: 'gate' | 'end';
  readonly task_id: string;
}

type Level = readonly Moment[];

const keyOf = ({ kind, task_id }: Moment) => `${kind} ${task_id}`;

export const gateOf = (task_id: string): Moment => ({ kind: 'gate', task_id });
export const endOf = (task_id: string): Moment => ({ kind: 'end', task_id });

export interface NewEdges {
  readonly from: Moment;
  readonly to: readonly Moment[];
  readonly principal: Principal;
  /** Title of a task that is being made and lies on the way. */
  readonly through?: string;
}

/**
 * Refuses that `from` waits for what is in `to`, where one of these waits for `from`. Errors: `conflict` with the tasks
 * of the circle in the order in which each waits for the next; those that `principal` may not see are not named.
 */
export async function refuseCircle(db: TaskReader, { from, to, principal, through }: NewEdges): Promise<void> {
  const path = await pathTo(db, from, to);
  if (path) throw circular(await named(db, path, principal, through));
}

/** Moments that were reached from one side, each with the one it was reached from. */
type Reached = Map<string, Moment | undefined>;

/** From one of the targets to `from`, each waiting for the next; undefined where none of them waits for it. */
async function pathTo(db: TaskReader, from: Moment, targets: readonly Moment[]): Promise<Moment[] | undefined> {
  const ahead: Reached = new Map(targets.map((target) => [keyOf(target), undefined]));
  const behind: Reached = new Map([[keyOf(from), undefined]]);
  if (ahead.has(keyOf(from))) return [from];
  let onward: Level = targets;
  let backward: Level = [from];
  while (onward.length > 0 && backward.length > 0) {
    const isOnward = onward.length < backward.length;
    const [known, other] = isOnward ? [ahead, behind] : [behind, ahead];
    const next: Moment[] = [];
    for (const [moment, via] of await (isOnward ? waitedForBy(db, onward) : waitingFor(db, backward))) {
      const key = keyOf(moment);
      if (known.has(key)) continue;
      known.set(key, via);
      if (other.has(key)) return joined(moment, ahead, behind);
      next.push(moment);
    }
    if (isOnward) onward = next;
    else backward = next;
  }
  return undefined;
}

function joined(meeting: Moment, ahead: Reached, behind: Reached): Moment[] {
  return [...follow(meeting, ahead).reverse(), ...follow(meeting, behind).slice(1)];
}

function follow(start: Moment, reached: Reached): Moment[] {
  const path: Moment[] = [];
  for (let moment: Moment | undefined = start; moment; moment = reached.get(keyOf(moment))) path.push(moment);
  return path;
}

const idsOf = (level: Level, kind: Moment['kind']) =>
  level.filter((moment) => moment.kind === kind).map(({ task_id }) => task_id);

type Steps = (readonly [Moment, Moment])[];

/** Moments that wait for one of these, with the one they wait for. */
async function waitingFor(db: TaskReader, level: Level): Promise<Steps> {
  const found: Steps = [];
  for (const task_ids of chunks(idsOf(level, 'gate'))) {
    for (const task_id of task_ids) found.push([endOf(task_id), gateOf(task_id)]);
    for (const { task_id, parent_id } of await partsOf(db, task_ids)) found.push([gateOf(task_id), gateOf(parent_id)]);
  }
  for (const task_ids of chunks(idsOf(level, 'end'))) {
    const dependants = db
      .selectFrom('task_dependencies')
      .select(['task_id', 'depends_on_id'])
      .where('depends_on_id', 'in', task_ids);
    for (const { task_id, depends_on_id } of await dependants.execute())
      found.push([gateOf(task_id), endOf(depends_on_id)]);
    for (const { task_id, parent_id } of await storiesOf(db, task_ids)) found.push([endOf(parent_id), endOf(task_id)]);
  }
  return found;
}

/** Moments that one of these waits for, with the one that waits. */
async function waitedForBy(db: TaskReader, level: Level): Promise<Steps> {
  const found: Steps = [];
  for (const task_ids of chunks(idsOf(level, 'end'))) {
    for (const task_id of task_ids) found.push([gateOf(task_id), endOf(task_id)]);
    for (const { task_id, parent_id } of await partsOf(db, task_ids)) found.push([endOf(task_id), endOf(parent_id)]);
  }
  for (const task_ids of chunks(idsOf(level, 'gate'))) {
    const dependencies = db
      .selectFrom('task_dependencies')
      .select(['task_id', 'depends_on_id'])
      .where('task_id', 'in', task_ids);
    for (const { task_id, depends_on_id } of await dependencies.execute())
      found.push([endOf(depends_on_id), gateOf(task_id)]);
    for (const { task_id, parent_id } of await storiesOf(db, task_ids))
      found.push([gateOf(parent_id), gateOf(task_id)]);
  }
  return found;
}

interface Part {
  readonly task_id: string;
  readonly parent_id: string;
}

async function partsOf(db: TaskReader, parent_ids: readonly string[]): Promise<Part[]> {
  const rows = await db
    .selectFrom('tasks')
    .select(['task_id', 'parent_id'])
    .where('parent_id', 'in', parent_ids)
    .execute();
  return rows.map(({ task_id, parent_id }) => ({ task_id, parent_id: parent_id ?? '' }));
}

/** Of these tasks those that are a part of another. */
async function storiesOf(db: TaskReader, task_ids: readonly string[]): Promise<Part[]> {
  const rows = await db
    .selectFrom('tasks')
    .select(['task_id', 'parent_id'])
    .where('task_id', 'in', task_ids)
    .where('parent_id', 'is not', null)
    .execute();
  return rows.map(({ task_id, parent_id }) => ({ task_id, parent_id: parent_id ?? '' }));
}

/** The circle as tasks, the first once more at the end. A task may be passed twice, by its end and by its gate. */
async function named(db: TaskReader, path: readonly Moment[], principal: Principal, through: string | undefined) {
  const ids = path.map(({ task_id }) => task_id).filter((task_id, at, all) => task_id !== all[at - 1]);
  const last = ids.at(-1) ?? '';
  const titles = new Map<string, string>();
  for (const task_ids of chunks(ids)) {
    const rows = await db
      .selectFrom('tasks')
      .select(['task_id', 'title'])
      .where('task_id', 'in', task_ids)
      .where(visibleWork(principal, 'tasks'))
      .execute();
    for (const { task_id, title } of rows) titles.set(task_id, title);
  }
  const shown = (task_id: string) => ({
    task_id: titles.has(task_id) ? task_id : null,
    title: titles.get(task_id) ?? null,
  });
  const made = through === undefined ? [] : [{ task_id: null, title: through }];
  return [shown(last), ...made, ...ids.map(shown)];
}

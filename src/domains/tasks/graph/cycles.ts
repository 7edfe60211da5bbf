// Circles of tasks that would wait for each other for ever.
//
// Each task has two moments: its gate (it may begin) and its end (it is over). What waits for what:
//   gate(task)  for end(dependency)   a task begins after what it depends on
//   gate(part)  for gate(story)       the parts of a story that waits, wait as well
//   end(task)   for gate(task)
//   end(story)  for end(part)
// A circle in this graph is a set of tasks none of which can ever begin. An edge from `from` to the ends of other tasks
// closes one exactly where one of these ends waits for `from`. Looked for from both sides in turns (I. Pohl,
// "Bi-directional search", 1971), each time by one statement that goes so many moments far, then eight times as many,
// until one side has shown all it has: mostly few things wait for a task that is just being linked, or it waits for few,
// and then the rest of the board is never looked at, however deep it is.
import { sql } from 'kysely';
import type { Principal } from '../../../kernel/operation.ts';
import { visibleWork } from '../../access/index.ts';
import type { TaskReader, TaskStore } from '../deps.ts';
import { circular } from '../errors.ts';
import { chunks } from './readiness.ts';

interface Moment {
  readonly kind: 'gate' | 'end';
  readonly task_id: string;
}

type Level = readonly Moment[];

type Reader = TaskReader & Pick<TaskStore['db'], 'getExecutor'>;

/** Moments looked at on one side before the other has its turn. */
const FIRST_BOUND = 250;

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
export async function refuseCircle(db: Reader, { from, to, principal, through }: NewEdges): Promise<void> {
  const path = await pathTo(db, from, to);
  if (path) throw circular(await named(db, path, principal, through));
}

type Side = 'ahead' | 'behind';

/** From one of the targets to `from`, each waiting for the next; undefined where none of them waits for it. */
async function pathTo(db: Reader, from: Moment, targets: readonly Moment[]): Promise<Moment[] | undefined> {
  const wanted = new Set(targets.map(keyOf));
  if (wanted.has(keyOf(from))) return [from];
  for (let bound = FIRST_BOUND; ; bound *= 8) {
    const behind = await reached(db, 'behind', [from], bound);
    const target = behind.find((moment) => wanted.has(keyOf(moment)));
    if (target) return follow(await waitingFor(db, behind), [from], target);
    if (behind.length < bound) return undefined;
    const ahead = await reached(db, 'ahead', targets, bound);
    if (ahead.some((moment) => keyOf(moment) === keyOf(from)))
      return follow(await waitedForBy(db, ahead), targets, from).reverse();
    if (ahead.length < bound) return undefined;
  }
}

/** The way back from `end` to one of the starts, by steps of which the shortest ways are taken. */
function follow(steps: Steps, starts: Level, end: Moment): Moment[] {
  const onward = Map.groupBy(steps, ([, via]) => keyOf(via));
  const via = new Map<string, Moment | undefined>(starts.map((start) => [keyOf(start), undefined]));
  const queue = [...starts];
  for (const moment of queue)
    for (const [next] of onward.get(keyOf(moment)) ?? []) {
      if (via.has(keyOf(next))) continue;
      via.set(keyOf(next), moment);
      queue.push(next);
    }
  const path: Moment[] = [];
  for (let moment: Moment | undefined = end; moment; moment = via.get(keyOf(moment))) path.push(moment);
  return path;
}

/**
 * All that waits for these moments (`behind`) or that they wait for (`ahead`), they themselves included, nearest first,
 * but no more than `bound`. Each moment has two ways on, which are joined as rows of their own, by `between`: equal ids
 * would let an engine join its whole tables anew at each step, where it has to look up one row in an index. What has no
 * way on adds a row without an id, once.
 */
async function reached(db: Reader, side: Side, starts: Level, bound: number): Promise<Level> {
  // Behind: from its gate a task's own end and the gates of its parts, from its end those that depend on it and its
  // story's end. Ahead it is the other way round.
  const [near, far] = side === 'behind' ? ['gate', 'end'] : ['end', 'gate'];
  const [by, next] = side === 'behind' ? ['depends_on_id', 'task_id'] : ['task_id', 'depends_on_id'];
  const first = (['gate', 'end'] as const).flatMap((kind) => {
    const ids = idsOf(starts, kind);
    const known = sql`select ${sql.lit(kind)}, task_id from tasks where task_id in (${sql.join(ids)})`;
    return ids.length === 0 ? [] : [known];
  });
  const { rows } = await sql<Moment>`with recursive reached (kind, task_id) as (
      select * from (${sql.join(first, sql` union `)}) as starts
      union
      select
        case when way = 1 then reached.kind else case reached.kind when 'gate' then 'end' else 'gate' end end,
        case
          when way = 1 and reached.kind = ${sql.lit(near)} then parts.task_id
          when way = 1 then (select parent_id from tasks as part where part.task_id = reached.task_id)
          when reached.kind = ${sql.lit(near)} then reached.task_id
          else edges.${sql.ref(next)}
        end
      from reached
      cross join (select 0 as way union all select 1) as ways
      left join tasks as parts on reached.kind = ${sql.lit(near)} and way = 1 and parts.parent_id between reached.task_id and reached.task_id
      left join task_dependencies as edges on reached.kind = ${sql.lit(far)} and way = 0 and edges.${sql.ref(by)} between reached.task_id and reached.task_id
    ) select kind, task_id from reached where task_id is not null limit ${sql.lit(bound)}`.execute(db);
  return rows;
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

// One item of a file into the store: a new task, or what its source changed of one that is there.
import type { Updateable } from 'kysely';
import { toIso } from '../../../kernel/clock.ts';
import { HaivemindError } from '../../../kernel/errors.ts';
import type { OperationContext } from '../../../kernel/operation.ts';
import { assertAllowed, mayChangeWork } from '../../access/index.ts';
import { moveTask } from '../claims/moves.ts';
import { createTask, type NewTaskOrigin, type PreparedTask } from '../create.ts';
import type { TaskDeps, TaskTrx } from '../deps.ts';
import { taskNotFound } from '../errors.ts';
import { addDependencies, dependenciesOf, removeDependencies } from '../graph/edges.ts';
import { DERIVED, type Readiness } from '../graph/readiness.ts';
import type { TaskRow } from '../record.ts';
import { addHistory, holdVisible } from '../repository.ts';
import { isOver, type Status } from '../statuses.ts';
import type { TaskTable } from '../tables.ts';
import { moveUnder } from '../update-place.ts';
import type { Item } from './item.ts';
import { type Facts, type Field, factsOf, merge, type SourceState, stateOf } from './source-state.ts';

/** An item with everything that was looked up before the transaction. */
export interface Ready {
  /** Secrets are out. */
  readonly item: Item;
  readonly prepared: Omit<PreparedTask, 'origin'>;
  readonly parent_id: string | null;
  readonly depends_on_ids: readonly string[];
  readonly assigned_agent_id: string | undefined;
  readonly existing: TaskRow | undefined;
  readonly before: SourceState | undefined;
}

export interface Applied {
  readonly outcome: 'created' | 'updated' | 'unchanged';
  readonly task_id: string;
  /** Ids to tell of after the commit. */
  readonly touched: readonly string[];
  readonly messages: readonly string[];
}

type Trying = { readonly deps: TaskDeps; readonly trx: TaskTrx; readonly ctx: OperationContext };

/**
 * In the caller's transaction. `careful`: what one edge is refused for costs that edge and not the item. Errors: those of
 * making and changing a task.
 */
export async function applyItem(trying: Trying, ready: Ready, careful: boolean): Promise<Applied> {
  return ready.existing ? update(trying, ready, ready.existing) : create(trying, ready, careful);
}

async function create({ deps, trx, ctx }: Trying, ready: Ready, careful: boolean): Promise<Applied> {
  const { item, prepared, parent_id, depends_on_ids } = ready;
  const messages: string[] = [];
  const linked = careful ? [] : depends_on_ids;
  const input = { ...prepared.input, dependencies: [...linked], ...(parent_id === null ? {} : { parent_id }) };
  const { row, touched } = await createTask(deps, trx, ctx, { ...prepared, input, origin: originOf(ready) });
  const readiness: Readiness = new Set(touched);
  if (careful) await link({ deps, trx, ctx }, row, depends_on_ids, readiness, messages);
  const { started_at } = item;
  const progress = isOver(row.status as Status) ? row.progress : item.progress;
  // In the transaction and under the change record of the task's making.
  if (started_at !== null || progress !== row.progress)
    await trx.updateTable('tasks').set({ started_at, progress }).where('task_id', '=', row.task_id).execute();
  // A line of its own: the first one is read by whoever counts.
  const source = stateOf(factsOf(item, parent_id), depends_on_ids, item);
  await addHistory(deps.store, trx, row, ctx.principal, { action: 'source', details: { source } });
  await addComments({ deps, trx, ctx }, row, item, new Set());
  return { outcome: 'created', task_id: row.task_id, touched: [row.task_id, ...readiness], messages };
}

function originOf({ item, parent_id, assigned_agent_id }: Ready): NewTaskOrigin {
  const { external_id, created_at, started_at, finished_at, required_capabilities, resolution } = item;
  const facts = factsOf(item, parent_id);
  const status = facts.status as Exclude<Status, 'in_progress'>;
  return {
    ...{ action: 'imported', external_id, status, assigned_agent_id },
    ...(resolution === null ? {} : { resolution }),
    ...(created_at === null ? {} : { created_at }),
    ...(finished_at === null ? {} : { finished_at }),
    // When it was made, begun and finished there: analytics go by it.
    details: {
      ...(created_at === null ? {} : { created_at }),
      ...(started_at === null ? {} : { started_at }),
      ...(finished_at === null ? {} : { finished_at }),
      ...(required_capabilities.length === 0 ? {} : { required_capabilities }),
    },
  };
}

async function update({ deps, trx, ctx }: Trying, ready: Ready, known: TaskRow): Promise<Applied> {
  const { item, parent_id, depends_on_ids, before } = ready;
  const row = await holdVisible(deps.store, trx, known.task_id, ctx.principal);
  const facts = factsOf(item, parent_id);
  const wanted = merge(row, facts, depends_on_ids, before, item.version);
  const state = stateOf(facts, depends_on_ids, item);
  const seen = new Set(before?.comment_ids ?? []);
  const comments =
    before === undefined && row.external_id === null
      ? []
      : item.comments.filter(({ comment_id }) => !seen.has(comment_id));
  const news = wanted.take.length + wanted.add.length + wanted.remove.length + comments.length;
  if (news + wanted.kept.length === 0) return { outcome: 'unchanged', task_id: row.task_id, touched: [], messages: [] };
  assertAllowed(mayChangeWork(ctx.principal, row), () => taskNotFound(row.task_id));
  const messages = wanted.kept.map(
    (field) => `${nameOf(field)} was changed here and in the source; it stays as it is here`,
  );
  const touched: Readiness = new Set();
  const edges = await link(
    { deps, trx, ctx },
    row,
    missing(wanted.add, await dependenciesOf(trx, row.task_id)),
    touched,
    messages,
  );
  const removed = await removeDependencies(deps.store, trx, row, wanted.remove, touched);
  const { values, here } = await valuesOf({ deps, trx, ctx }, row, facts, { take: wanted.take, touched, messages });
  if (typeof values.status === 'string')
    Object.assign(values, endOf(values.status as Status, item, toIso(deps.store.clock.now())));
  const details = {
    source: state,
    ...(edges.length > 0 ? { added: edges } : {}),
    ...(removed.length > 0 ? { removed } : {}),
  };
  const changed = Object.keys(values).length + edges.length + removed.length;
  const entry = { action: 'imported', details };
  const now =
    changed > 0
      ? await moveTask(deps, trx, ctx, { row: here, values, entry, touched })
      : await noted({ deps, trx, ctx }, row, entry, before === undefined ? undefined : state, before);
  await addComments({ deps, trx, ctx }, now, { ...item, comments }, seen);
  const outcome = changed + comments.length > 0 ? 'updated' : 'unchanged';
  return { outcome, task_id: row.task_id, touched: [row.task_id, ...touched], messages };
}

/** Nothing changed here, but what the source says did: noted, so that it is not told of at every import. */
async function noted(
  { deps, trx, ctx }: Trying,
  row: TaskRow,
  entry: { action: string; details: Readonly<Record<string, unknown>> },
  state: SourceState | undefined,
  before: SourceState | undefined,
): Promise<TaskRow> {
  if (state === undefined || JSON.stringify(state) !== JSON.stringify(before))
    await addHistory(deps.store, trx, row, ctx.principal, entry);
  return row;
}

function missing(wanted: readonly string[], has: readonly string[]): string[] {
  return wanted.filter((task_id) => !has.includes(task_id));
}

/** Edges one by one: one that is refused is told of and left out. */
async function link(
  { deps, trx, ctx }: Trying,
  row: TaskRow,
  depends_on_ids: readonly string[],
  touched: Readiness,
  messages: string[],
): Promise<string[]> {
  const added: string[] = [];
  for (const task_id of depends_on_ids) {
    try {
      added.push(...(await addDependencies(deps.store, trx, row, [task_id], ctx.principal, touched)));
    } catch (error) {
      // Refused before anything was written.
      if (!(error instanceof HaivemindError)) throw error;
      messages.push(`that it waits for ${task_id} was left out: ${error.message}`);
    }
  }
  return added;
}

const NAMES: Readonly<Partial<Record<Field, string>>> = { parent_id: 'parent', due_at: 'due' };

function nameOf(field: Field): string {
  return NAMES[field] ?? field;
}

/** Columns of the fields that are taken, and the row where it is then; those that rules of the board do not let go stay, and are told of. */
async function valuesOf(
  { deps, trx, ctx }: Trying,
  row: TaskRow,
  facts: Facts,
  { take, touched, messages }: { take: readonly Field[]; touched: Readiness; messages: string[] },
): Promise<{ readonly values: Updateable<TaskTable>; readonly here: TaskRow }> {
  const values: Record<string, string | number | null> = {};
  let here = row;
  // The story first: what a new status means for a story, it means for the one it is in then.
  for (const field of take.toSorted((a, b) => Number(b === 'parent_id') - Number(a === 'parent_id'))) {
    let why = heldBack(row, field);
    if (why === undefined && field === 'status') why = await whyNoMove(trx, here, facts.status as Status);
    if (field === 'parent_id') {
      try {
        const parent_id = facts.parent_id as string | null;
        await moveUnder(deps, trx, ctx, row, parent_id, touched);
        here = { ...row, parent_id };
      } catch (error) {
        // Refused, it has written nothing.
        if (!(error instanceof HaivemindError)) throw error;
        why = error.message;
      }
    }
    if (why === undefined) values[field] = facts[field];
    else messages.push(`${nameOf(field)} was changed in the source and stays as it is here: ${why}`);
  }
  return { values, here: { ...here, ...(await derivedOf(trx, row.task_id)) } };
}

/** Counters as this transaction has left them. */
function derivedOf(trx: TaskTrx, task_id: string): Promise<Pick<TaskRow, (typeof DERIVED)[number]>> {
  return trx.selectFrom('tasks').select(DERIVED).where('task_id', '=', task_id).executeTakeFirstOrThrow();
}

/** What only its holder may write, while somebody works on it. */
function heldBack({ holder_agent_id }: TaskRow, field: Field): string | undefined {
  const its = field === 'status' || field === 'resolution';
  return its && holder_agent_id !== null ? `${holder_agent_id} works on it` : undefined;
}

function endOf(status: Status, { finished_at }: Item, now: string): Updateable<TaskTable> {
  return { finished_at: isOver(status) ? (finished_at ?? now) : null, ...(status === 'done' ? { progress: 100 } : {}) };
}

async function whyNoMove(trx: TaskTrx, row: TaskRow, to: Status): Promise<string | undefined> {
  if (isOver(to) && row.open_children > 0) return 'it has parts that are not over';
  if (isOver(to) || !isOver(row.status as Status) || row.parent_id === null) return undefined;
  const query = trx.selectFrom('tasks').select('status').where('task_id', '=', row.parent_id);
  const story = await query.executeTakeFirst();
  return story && isOver(story.status as Status) ? 'its story is over' : undefined;
}

/** Comments of the source as lines of history, each once. */
async function addComments(
  { deps, trx, ctx }: Trying,
  row: TaskRow,
  item: Item,
  seen: ReadonlySet<string>,
): Promise<void> {
  for (const { comment_id, author, at, text } of item.comments) {
    if (seen.has(comment_id)) continue;
    const details = { comment_id, author, ...(at === null ? {} : { said_at: at }) };
    await addHistory(deps.store, trx, row, ctx.principal, { action: 'commented', comment: text, details });
  }
}

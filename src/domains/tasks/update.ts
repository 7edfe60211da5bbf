// update_kanban_task: everything that is written about a task once it is there, in one transaction.
import { toIso } from '../../kernel/clock.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import { assertAllowed, mayChangeWork } from '../access/index.ts';
import { claimTask } from './claims/claim.ts';
import { tokenIsOld } from './claims/errors.ts';
import { assertHolder, extended, isHeld, isOwnClaim, leaseFor } from './claims/lease.ts';
import { moveTask } from './claims/moves.ts';
import { extendLease } from './claims/renew.ts';
import { sweep, withoutLapsed } from './claims/sweep.ts';
import type { ProjectPort, TaskDeps, TaskTrx } from './deps.ts';
import { nothingToChange, taskNotFound, versionUnknown } from './errors.ts';
import { addDependencies, removeDependencies } from './graph/edges.ts';
import { holdReach } from './graph/holding.ts';
import { DERIVED, type Readiness } from './graph/readiness.ts';
import { reportEnd, whyNoMemory } from './learned.ts';
import type { TaskRow } from './record.ts';
import { holdVisible } from './repository.ts';
import type { Status } from './statuses.ts';
import { type FieldChange, refuseOverwriting } from './update-conflicts.ts';
import { asFacts, asValues, changesIn, differing, needsHolder, type TaskUpdate } from './update-fields.ts';
import { moveUnder, refuseOtherPlace } from './update-place.ts';
import { assertRoom, valuesOfStatus } from './update-status.ts';

export interface UpdatedTask {
  readonly row: TaskRow;
  /** The caller holds it: what keeps the claim. */
  readonly own: boolean;
  /** Of what was learned, where it came to its end. */
  readonly memory_id: string | null;
  /** Why nothing is remembered of it, where it came to its end and that is not the caller's to write. */
  readonly no_memory: string | null;
}

/**
 * Writes what a call says about a task, all of it or nothing. Errors: `not_found`, `forbidden`; `conflict` for what only
 * the holder may write, for a field that somebody else changed after `expected_version`, for a way the board does not
 * have, for a circle; `limit_exceeded` for a full column; `invalid_input`.
 */
export async function updateByCall(deps: TaskDeps, ctx: OperationContext, given: TaskUpdate): Promise<UpdatedTask> {
  const { store, learning } = deps;
  const input = await withoutSecrets(deps, given);
  const { project_id } = input;
  const project = typeof project_id === 'string' ? await deps.projects.projectFor(project_id, ctx) : undefined;
  await sweep(deps);
  const { row, touched, ended, no_memory = null } = await store.write((trx) => write(deps, trx, ctx, input, project));
  for (const task_id of touched) deps.changed(task_id);
  const memory_id = ended ? ((await learning.settle()).get(row.task_id) ?? null) : null;
  const own = isOwnClaim(row, ctx, toIso(store.clock.now())) || holdsBy(row, ctx, input);
  return { row, own, memory_id, no_memory };
}

/** By its token, or by having just taken it up: whoever is not the holder would have been refused. */
function holdsBy(row: TaskRow, { session }: OperationContext, { fencing_token, status }: TaskUpdate): boolean {
  if (row.holder_agent_id === null) return false;
  return fencing_token === row.fencing_token || (status === 'in_progress' && row.holder_session === session.key);
}

interface Written {
  readonly row: TaskRow;
  readonly touched: Readiness;
  readonly ended: boolean;
  readonly no_memory?: string | undefined;
}

type Project = Awaited<ReturnType<ProjectPort['projectFor']>> | undefined;

async function write(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  input: TaskUpdate,
  project: Project,
): Promise<Written> {
  const { store } = deps;
  const touched: Readiness = new Set();
  await holdReach(store, trx, input);
  const found = await holdVisible(store, trx, input.task_id, ctx.principal);
  assertAllowed(mayChangeWork(ctx.principal, found), () => taskNotFound(input.task_id));
  const row = await withoutLapsed(deps, trx, found, touched);
  const now = toIso(store.clock.now());
  const { fencing_token, expected_version } = input;
  const changes = changesIn(input);
  if (fencing_token !== undefined || needsHolder(changes)) await assertHolder(trx, row, ctx, input, now);
  if (expected_version !== undefined) {
    if (expected_version > row.version) throw versionUnknown(row.task_id, row.version, expected_version);
    refuseOverwriting(row, changes, expected_version);
  }
  const differ = differing(row, changes);
  const edges = await moveEdges(deps, trx, ctx, row, { input, differ, project, touched });
  if (differ.length === 0 && input.comment === undefined && edges === undefined)
    return { row: await signOfLife(deps, trx, ctx, row, input, changes), touched, ended: false };
  const facts = { ...asFacts(row, differ), ...edges?.facts };
  const next = await writeFields(deps, trx, ctx, edges?.row ?? row, { input, differ, facts, touched });
  touched.add(row.task_id);
  for (const story of [row.parent_id, next.parent_id]) if (story !== null) touched.add(story);
  const ended = next.status !== row.status && (next.status === 'done' || next.status === 'failed');
  const no_memory = ended ? whyNoMemory(ctx, next) : undefined;
  if (ended && no_memory === undefined) await reportEnd(deps, trx, ctx, next);
  if (ended) await tellDelegator(deps, trx, ctx, next);
  return { row: next, touched, ended, no_memory };
}

interface EdgeMoves {
  readonly input: TaskUpdate;
  readonly differ: readonly FieldChange[];
  readonly project: Project;
  readonly touched: Readiness;
}

/** Dependencies and story first: whether the task can be begun follows from them. Undefined: none of them changed. */
async function moveEdges(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  row: TaskRow,
  { input, differ, project, touched }: EdgeMoves,
): Promise<{ readonly row: TaskRow; readonly facts: Readonly<Record<string, unknown>> } | undefined> {
  if (project) refuseOtherPlace(row, project);
  const { add_dependencies = [], remove_dependencies = [], parent_id } = input;
  const removed = await removeDependencies(deps.store, trx, row, remove_dependencies, touched);
  const added = await addDependencies(deps.store, trx, row, add_dependencies, ctx.principal, touched);
  const moved = parent_id !== undefined && differ.some(({ field }) => field === 'parent_id');
  if (moved) await moveUnder(deps, trx, ctx, row, parent_id, touched);
  if (removed.length + added.length === 0 && !moved) return undefined;
  const derived = await trx
    .selectFrom('tasks')
    .select(DERIVED)
    .where('task_id', '=', row.task_id)
    .executeTakeFirstOrThrow();
  const facts = {
    ...(added.length > 0 ? { added_dependencies: added } : {}),
    ...(removed.length > 0 ? { removed_dependencies: removed } : {}),
  };
  // Where it is now: what its new status means for a story, it means for the one it is in.
  return { row: { ...row, ...derived, ...(moved ? { parent_id } : {}) }, facts };
}

interface FieldWrites {
  readonly input: TaskUpdate;
  readonly differ: readonly FieldChange[];
  readonly facts: Readonly<Record<string, unknown>>;
  readonly touched: Readiness;
}

async function writeFields(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  row: TaskRow,
  { input, differ, facts: details, touched }: FieldWrites,
): Promise<TaskRow> {
  const now_ms = deps.store.clock.now();
  const { comment = null, resolution } = input;
  const project_id = input.project_id === undefined ? row.project_id : input.project_id;
  const to = differ.some(({ field }) => field === 'status') ? input.status : undefined;
  const fields = asValues(differ);
  if (to === undefined) {
    if (project_id !== row.project_id) await assertRoom(deps, trx, ctx, { ...row, project_id }, row.status as Status);
    const alive = isAlive(row, ctx, input, toIso(now_ms)) ? { lease_expires_at: extended(row, now_ms) } : {};
    const action = differ.length > 0 || Object.keys(details).length > 0 ? 'updated' : 'commented';
    const entry = { action, comment, details };
    return moveTask(deps, trx, ctx, { row, values: { ...fields, ...alive }, entry, touched });
  }
  const more = await valuesOfStatus(deps, trx, ctx, row, { to, resolution, comment: input.comment, project_id });
  const values = { ...more, ...fields, ...(to === 'done' ? { progress: 100 } : {}) };
  if (to === 'in_progress') {
    const lease = leaseFor(ctx, undefined, deps.settings.lease_seconds);
    return claimTask(deps, trx, ctx, row, lease, { values, touched, comment, details });
  }
  const held = row.holder_agent_id === null ? {} : { fencing_token: row.fencing_token };
  const entry = { action: 'status', subject_agent_id: row.holder_agent_id, comment, details: { ...details, ...held } };
  return moveTask(deps, trx, ctx, { row, values, entry, touched });
}

/** The call comes from whoever holds the task: a sign of life. */
function isAlive(row: TaskRow, ctx: OperationContext, { fencing_token }: TaskUpdate, now: string): boolean {
  return isHeld(row, now) && (fencing_token !== undefined || isOwnClaim(row, ctx, now));
}

/** Nothing is said but that the caller is there. Errors: `conflict` where its claim is over, `invalid_input` without one. */
async function signOfLife(
  { store }: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  row: TaskRow,
  input: TaskUpdate,
  changes: readonly FieldChange[],
): Promise<TaskRow> {
  const now_ms = store.clock.now();
  const now = toIso(now_ms);
  if (isAlive(row, ctx, input, now)) return { ...row, lease_expires_at: await extendLease(trx, row, now_ms, now) };
  const said = changes.length + (input.add_dependencies?.length ?? 0) + (input.remove_dependencies?.length ?? 0);
  if (said > 0) return row;
  throw input.fencing_token === undefined ? nothingToChange(row.task_id) : tokenIsOld(row, input.fencing_token, false);
}

/** Who had somebody else do it hears what came of it. */
async function tellDelegator({ agents }: TaskDeps, trx: TaskTrx, ctx: OperationContext, row: TaskRow): Promise<void> {
  const { delegated_by, task_id, title, status, resolution } = row;
  if (delegated_by === null || delegated_by === ctx.principal.agent_id) return;
  const body = [`${status}: ${title}`, ...(resolution === null ? [] : [resolution])].join('\n');
  await agents.tell(trx, ctx, { to_agent_id: delegated_by, kind: 'task', body, task_id, work: row });
}

async function withoutSecrets({ redact }: TaskDeps, input: TaskUpdate): Promise<TaskUpdate> {
  const clean = async <K extends 'title' | 'description' | 'comment' | 'resolution'>(field: K) => {
    const text = input[field];
    return text === undefined ? {} : { [field]: (await redact(text)).text };
  };
  const words = async (list: readonly string[]) => Promise.all(list.map(async (word) => (await redact(word)).text));
  const { tags, required_capabilities } = input;
  return {
    ...input,
    ...(await clean('title')),
    ...(await clean('description')),
    ...(await clean('comment')),
    ...(await clean('resolution')),
    ...(tags ? { tags: await words(tags) } : {}),
    ...(required_capabilities ? { required_capabilities: await words(required_capabilities) } : {}),
  };
}

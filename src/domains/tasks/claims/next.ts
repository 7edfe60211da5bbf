// claim_next: the most urgent task an agent can take, taken in one transaction.
//
// Several processes and hubs compete. On SQLite one of them writes at a time. On PostgreSQL rows that another one is
// taking are passed over (`for update skip locked`), so that whoever comes second takes the next task instead of waiting
// for the first; the row is read again once it is held, so nobody acts on what it was before.
import { toIso } from '../../../kernel/clock.ts';
import type { OperationContext } from '../../../kernel/operation.ts';
import { assertAllowed, mayChangeWork } from '../../access/index.ts';
import type { TaskDeps, TaskTrx } from '../deps.ts';
import { illegalTransition, taskNotFound } from '../errors.ts';
import type { Readiness } from '../graph/readiness.ts';
import type { TaskRow } from '../record.ts';
import { holdVisible } from '../repository.ts';
import { nextOf, type Status } from '../statuses.ts';
import { type BoardPlace, type FullBoard, fullFor, limitsOf } from '../wip.ts';
import { type Candidate, freeCandidates, missingFor, ownCandidates, type Wanted } from './candidates.ts';
import { claimTask } from './claim.ts';
import { assignedToAnother, boardIsFull, lacksCapabilities } from './errors.ts';
import { isHeld, isOwnClaim, leaseFor } from './lease.ts';
import { assertNothingOpen } from './open-work.ts';
import { sweep, withoutLapsed } from './sweep.ts';
import { assertTakeover } from './takeover.ts';

export interface ClaimRequest {
  /** A certain task instead of the most urgent one. */
  readonly task_id?: string | undefined;
  readonly project_id?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly capabilities?: readonly string[] | undefined;
  readonly lease_seconds?: number | undefined;
}

export interface Claimed {
  readonly row: TaskRow;
}

/** Why nothing was claimed, as far as the attempt itself found out. */
export interface NothingClaimed {
  readonly row: undefined;
  readonly full: readonly FullBoard[];
  /** Tasks that others were changing at that moment. */
  readonly contended: number;
}

/** As many competitors find something at their first look. */
const CANDIDATES_COUNT = 16;

/**
 * Claims a task. Errors, only for a certain task: `not_found`, `forbidden`, `conflict` where it cannot be begun or is
 * somebody else's, `limit_exceeded` for a full column. Without one, nothing ready is an answer and no error.
 */
export async function claimNext(
  deps: TaskDeps,
  ctx: OperationContext,
  request: ClaimRequest,
): Promise<Claimed | NothingClaimed> {
  await sweep(deps);
  const { task_id, project_id } = request;
  // A project out of sight is told as such, not as an empty queue.
  if (project_id !== undefined) await deps.projects.projectFor(project_id, ctx);
  const attempt = { ...request, capabilities: request.capabilities ?? deps.agents.capabilitiesOf(ctx) };
  const { touched, ...outcome } = await deps.store.write(async (trx) => {
    const ids: Readiness = new Set();
    const found =
      task_id === undefined
        ? await takeFirst(deps, trx, ctx, attempt, ids)
        : { row: await takeCertain(deps, trx, ctx, { ...attempt, task_id }, ids) };
    return { ...found, touched: ids };
  });
  for (const id of new Set([...touched, ...(outcome.row ? [outcome.row.task_id] : [])])) deps.changed(id);
  return outcome;
}

type Attempt = ClaimRequest & { readonly capabilities: readonly string[] };

async function takeFirst(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  attempt: Attempt,
  touched: Readiness,
): Promise<Claimed | NothingClaimed> {
  const passed = { task_ids: [] as string[], boards: [] as BoardPlace[] };
  const full: FullBoard[] = [];
  const wanted: Wanted = { principal: ctx.principal, ...attempt };
  for (;;) {
    const candidates = await candidatesFor(trx, wanted, ctx.principal.agent_id, passed);
    if (candidates.length === 0) return { row: undefined, full, contended: passed.task_ids.length };
    const row = await holdFirst(deps, trx, ctx, candidates);
    if (!row) {
      passed.task_ids.push(...candidates.map(({ task_id }) => task_id));
      continue;
    }
    if (row.assigned_agent_id === null && missingFor(row.required_capabilities, attempt.capabilities).length > 0) {
      // It came to ask for more between the look and the hold.
      passed.task_ids.push(row.task_id);
      continue;
    }
    const place = await fullBoard(deps, trx, ctx, row);
    if (!place) return { row: await begin(deps, trx, ctx, row, attempt, touched) };
    passed.boards.push(row);
    full.push(place);
  }
}

/** The agent's own first, then what is nobody's. */
async function candidatesFor(
  trx: TaskTrx,
  wanted: Wanted,
  agent_id: string,
  passed: { readonly task_ids: readonly string[]; readonly boards: readonly BoardPlace[] },
): Promise<readonly Candidate[]> {
  const own = await ownCandidates(trx, wanted, agent_id, CANDIDATES_COUNT, passed);
  return own.length > 0 ? own : freeCandidates(trx, wanted, CANDIDATES_COUNT, passed);
}

/** The first of them that nobody else is changing and that is still to be had, kept from changing from here on. */
function holdFirst(
  { store }: TaskDeps,
  trx: TaskTrx,
  { principal }: OperationContext,
  candidates: readonly Candidate[],
): Promise<TaskRow | undefined> {
  const query = trx
    .selectFrom('tasks')
    .selectAll()
    .where(
      'task_id',
      'in',
      candidates.map(({ task_id }) => task_id),
    )
    .where('is_ready', '=', 1)
    .where((eb) => eb.or([eb('assigned_agent_id', 'is', null), eb('assigned_agent_id', '=', principal.agent_id)]))
    .orderBy('priority')
    .orderBy('created_at')
    .orderBy('task_id')
    .limit(1);
  return store.dialect.unclaimed(query).executeTakeFirst();
}

async function fullBoard(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  row: TaskRow,
): Promise<FullBoard | undefined> {
  const holder = ctx.principal.agent_id;
  return fullFor(deps, trx, await limitsOf(deps, ctx, row), { place: row, status: 'in_progress', holder });
}

function begin(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  row: TaskRow,
  { lease_seconds }: ClaimRequest,
  touched: Readiness,
): Promise<TaskRow> {
  const lease = leaseFor(ctx, lease_seconds, deps.settings.lease_seconds);
  return claimTask(deps, trx, ctx, row, lease, { touched });
}

async function takeCertain(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  attempt: Attempt & { readonly task_id: string },
  touched: Readiness,
): Promise<TaskRow> {
  const { store } = deps;
  const { task_id, capabilities } = attempt;
  const held = await holdVisible(store, trx, task_id, ctx.principal);
  assertAllowed(mayChangeWork(ctx.principal, held), () => taskNotFound(task_id));
  const row = await withoutLapsed(deps, trx, held, touched);
  const now = toIso(store.clock.now());
  if (isHeld(row, now)) {
    if (!isOwnClaim(row, ctx, now)) assertTakeover(deps, row, ctx);
    return begin(deps, trx, ctx, row, attempt, touched);
  }
  const { assigned_agent_id } = row;
  if (assigned_agent_id !== null && assigned_agent_id !== ctx.principal.agent_id) throw assignedToAnother(row);
  const status = row.status as Status;
  if (!nextOf(status).includes('in_progress')) throw illegalTransition(task_id, status, 'in_progress');
  const missing = assigned_agent_id === null ? missingFor(row.required_capabilities, capabilities) : [];
  if (missing.length > 0) throw lacksCapabilities(task_id, missing);
  await assertNothingOpen(trx, row, ctx.principal);
  const full = await fullBoard(deps, trx, ctx, row);
  if (full) throw boardIsFull(task_id, 'in_progress', full);
  return begin(deps, trx, ctx, row, attempt, touched);
}

// assign_kanban_task: whose a task is. Taking a task away from whoever works on it ends the claim at that moment.
import { toIso } from '../../kernel/clock.ts';
import { failure } from '../../kernel/errors.ts';
import type { OperationContext, Principal } from '../../kernel/operation.ts';
import { assertAllowed, mayChangeWork, mayManageWork } from '../access/index.ts';
import { assigneeOf, refuseBlindAssignee } from './assignee.ts';
import { missingFor } from './claims/candidates.ts';
import { tokenIsOld } from './claims/errors.ts';
import { isHeld, isHolder, lostClaim, NO_CLAIM } from './claims/lease.ts';
import { moveTask } from './claims/moves.ts';
import { sweep, withoutLapsed } from './claims/sweep.ts';
import type { TaskDeps, TaskTrx } from './deps.ts';
import { taskNotFound } from './errors.ts';
import type { Readiness } from './graph/readiness.ts';
import type { TaskRow } from './record.ts';
import { findVisible, holdVisible } from './repository.ts';
import { isOver, type Status } from './statuses.ts';

export interface Assignment {
  readonly task_id: string;
  readonly agent_id?: string | undefined;
  readonly auto_assign: boolean;
  readonly unassign: boolean;
  readonly comment?: string | undefined;
  readonly fencing_token?: number | undefined;
}

export interface Assigned {
  readonly row: TaskRow;
  readonly explanation: string;
  /** Whose claim ended by it. */
  readonly taken_from: string | null;
}

/**
 * Gives a task to an agent, to the best one that is there, or to none. Errors: `not_found` for a task or an agent out of
 * sight; `forbidden` to take a task away from its holder without managing work there; `invalid_input` where the agent's
 * user may not work on it; `conflict` for a task that is over or with an old token.
 */
export async function assignByCall(deps: TaskDeps, ctx: OperationContext, wanted: Assignment): Promise<Assigned> {
  assertOneWish(wanted);
  const { store, redact } = deps;
  const seen = await findVisible(store.db, wanted.task_id, ctx.principal);
  if (!seen) throw taskNotFound(wanted.task_id);
  assertAllowed(mayChangeWork(ctx.principal, seen), () => taskNotFound(wanted.task_id));
  const comment = wanted.comment === undefined ? undefined : (await redact(wanted.comment)).text;
  const choice = await choose(deps, ctx, seen, wanted);
  if (choice.agent === undefined && !wanted.unassign)
    return { row: seen, explanation: `Still nobody's. ${choice.explanation}`, taken_from: null };
  await sweep(deps);
  const { row, touched, taken_from } = await store.write((trx) =>
    write(deps, trx, ctx, { ...wanted, comment }, choice),
  );
  for (const task_id of touched) deps.changed(task_id);
  return { row, explanation: choice.explanation, taken_from };
}

interface Choice {
  /** Undefined: nobody. */
  readonly agent: Principal | undefined;
  readonly explanation: string;
}

async function choose(deps: TaskDeps, ctx: OperationContext, row: TaskRow, wanted: Assignment): Promise<Choice> {
  if (wanted.unassign) return { agent: undefined, explanation: 'It is nobody’s now.' };
  if (wanted.auto_assign) return bestFor(deps, ctx, row);
  const agent = await assigneeOf(deps, ctx, { assigned_agent_id: wanted.agent_id });
  if (!agent) return { agent, explanation: '' };
  const known = (await deps.agents.candidates(ctx)).find(({ agent_id }) => agent_id === agent.agent_id);
  const missing = known ? missingFor(row.required_capabilities, known.capabilities) : [];
  const notes = [
    `Assigned to ${agent.agent_id}, as you said.`,
    missing.length > 0 ? `It does not say that it can do ${missing.join(', ')}.` : '',
    known?.status === 'offline' ? `It is offline since ${known.last_seen_at}.` : '',
  ];
  return { agent, explanation: notes.filter((note) => note !== '').join(' ') };
}

/** The best agent that is there, among those whose users may work on the task where it is. */
export async function bestFor(
  { agents, membershipsOf }: TaskDeps,
  ctx: OperationContext,
  task: Pick<TaskRow, 'scope' | 'user_id' | 'team_id' | 'required_capabilities'>,
): Promise<Choice> {
  const principals = new Map<string, Principal>();
  const principalOf = async (user_id: string): Promise<Principal> => {
    const known = principals.get(user_id);
    if (known) return known;
    const made = { user_id, agent_id: '', machine_id: '', teams: await membershipsOf(user_id) };
    principals.set(user_id, made);
    return made;
  };
  const needed = JSON.parse(task.required_capabilities) as string[];
  const mayWork = async (user_id: string) => mayChangeWork(await principalOf(user_id), task).allowed;
  const { agent_id, user_id, reason } = await agents.choose(ctx, needed, mayWork);
  if (agent_id === undefined || user_id === undefined) return { agent: undefined, explanation: reason };
  return {
    agent: { ...(await principalOf(user_id)), agent_id },
    explanation: `Assigned to ${agent_id}. ${reason}`,
  };
}

async function write(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  wanted: Assignment,
  { agent }: Choice,
): Promise<{ readonly row: TaskRow; readonly touched: Readiness; readonly taken_from: string | null }> {
  const { store } = deps;
  const { task_id, comment = null } = wanted;
  const touched: Readiness = new Set([task_id]);
  const found = await holdVisible(store, trx, task_id, ctx.principal);
  assertAllowed(mayChangeWork(ctx.principal, found), () => taskNotFound(task_id));
  const row = await withoutLapsed(deps, trx, found, touched);
  if (isOver(row.status as Status)) throw isAlreadyOver(row);
  if (agent) refuseBlindAssignee(agent, row);
  const { lost, own } = await lostHolder(trx, ctx, row, wanted, agent?.agent_id, toIso(store.clock.now()));
  const to = agent?.agent_id ?? null;
  if (to === row.assigned_agent_id && lost === null && comment === null) return { row, touched, taken_from: null };
  const taken = { ...(own ? NO_CLAIM : lostClaim(row)), status: 'todo', fencing_token: row.fencing_token + 1 };
  const next = await moveTask(deps, trx, ctx, {
    row,
    values: { assigned_agent_id: to, ...(lost === null ? {} : taken) },
    entry: {
      action: to === null ? 'unassigned' : 'assigned',
      subject_agent_id: to ?? row.assigned_agent_id ?? lost,
      comment,
      details: {
        ...(row.assigned_agent_id === null ? {} : { from: row.assigned_agent_id }),
        ...(lost === null ? {} : { taken_from: lost, fencing_token: row.fencing_token }),
      },
    },
    touched,
  });
  await tellAll(deps, trx, ctx, { row: next, to, before: row.assigned_agent_id, lost });
  return { row: next, touched, taken_from: lost };
}

/**
 * Whose claim the assignment ends; null: nobody's. `own`: the holder gives it away itself. The holder keeps what it is
 * given. Errors: `forbidden`, and `conflict` with an old token.
 */
async function lostHolder(
  trx: TaskTrx,
  ctx: OperationContext,
  row: TaskRow,
  { fencing_token }: Assignment,
  to: string | undefined,
  now: string,
): Promise<{ readonly lost: string | null; readonly own: boolean }> {
  const held = isHeld(row, now);
  if (fencing_token !== undefined && fencing_token !== row.fencing_token) throw tokenIsOld(row, fencing_token, held);
  const own = await isHolder(trx, row, ctx, fencing_token, now);
  if (!held || to === row.holder_agent_id) return { lost: null, own };
  if (!own) assertAllowed(mayManageWork(ctx.principal, row), () => taskNotFound(row.task_id));
  return { lost: row.holder_agent_id, own };
}

interface Told {
  readonly row: TaskRow;
  readonly to: string | null;
  readonly before: string | null;
  readonly lost: string | null;
}

async function tellAll(
  { agents }: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  { row, to, before, lost }: Told,
): Promise<void> {
  const { task_id, title } = row;
  const me = ctx.principal.agent_id;
  const tell = async (to_agent_id: string | null, kind: 'task' | 'note', body: string) => {
    if (to_agent_id === null || to_agent_id === me) return;
    await agents.tell(trx, ctx, { to_agent_id, kind, body, task_id, work: row });
  };
  if (to !== before)
    await tell(to, 'task', `Assigned to you by ${me}: ${title}. claim_next task_id=${task_id} takes it.`);
  const away = to === null ? 'is back in the queue' : `is ${to}'s now`;
  await tell(lost, 'note', `Taken away from you by ${me}; your claim has ended and the task ${away}: ${title}`);
  if (before !== to && before !== lost)
    await tell(before, 'note', `No longer assigned to you; the task ${away}: ${title}`);
}

function assertOneWish({ agent_id, auto_assign, unassign }: Assignment): void {
  if ([agent_id !== undefined, auto_assign, unassign].filter(Boolean).length === 1) return;
  throw failure(
    'invalid_input',
    'Say one of agent_id, auto_assign=true and unassign=true.',
    'get_agent_roster shows the agents; auto_assign=true chooses the best one that is there.',
  );
}

function isAlreadyOver({ task_id, status }: TaskRow) {
  return failure('conflict', `Task ${task_id} is ${status}.`, 'Open it again first: update_kanban_task status=todo.', {
    details: { task_id, status },
  });
}

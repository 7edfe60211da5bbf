// The claim protocol against a model of its own: agents claim, work, fall silent and come back late, leases run out, and
// somebody takes tasks away. The model knows the rules and nothing of how they are kept.

import fc from 'fast-check';
import { expect } from 'vitest';
import type { ErrorBody } from '../../src/kernel/errors.ts';
import { HaivemindError } from '../../src/kernel/errors.ts';
import type { Answer, App, CallerOptions } from './open-app.ts';

const SECOND_MS = 1_000;
const AGENTS = 4;
const TASKS = 5;
const LEASES_SECONDS = [5, 30] as const;
/** What a holder may do with its task besides staying alive. */
const MOVES = ['todo', 'review', 'blocked', 'done', 'failed', 'cancelled'] as const;

export type Command =
  | { readonly kind: 'claim'; readonly agent: number; readonly lease: number }
  | { readonly kind: 'take'; readonly agent: number; readonly task: number; readonly lease: number }
  | { readonly kind: 'pulse' | 'progress' | 'silent progress'; readonly agent: number; readonly claim: number }
  | { readonly kind: 'move'; readonly agent: number; readonly claim: number; readonly to: (typeof MOVES)[number] }
  | { readonly kind: 'comment'; readonly agent: number; readonly task: number }
  | { readonly kind: 'give'; readonly task: number; readonly agent: number | null }
  | { readonly kind: 'reopen'; readonly task: number }
  | { readonly kind: 'wait'; readonly ms: number };

const agent = fc.nat(AGENTS - 1);
const task = fc.nat(TASKS - 1);
const claim = fc.nat(3);
const lease = fc.nat(LEASES_SECONDS.length - 1);

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('claim' as const), agent, lease }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('take' as const), agent, task, lease }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('pulse', 'progress', 'silent progress'), agent, claim }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('move' as const), agent, claim, to: fc.constantFrom(...MOVES) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('comment' as const), agent, task }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('give' as const), task, agent: fc.option(agent) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const), task }) },
  // Often to the very millisecond at which the shorter lease ends.
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.oneof(fc.constantFrom(4_999, 5_000, 5_001, 30_000), fc.nat(12_000)),
    }),
  },
);

export const plans: fc.Arbitrary<readonly Command[]> = fc.array(command, { minLength: 5, maxLength: 30, size: 'max' });

/** A claim as its holder remembers it, whether or not it still holds. */
interface Remembered {
  readonly task: number;
  readonly token: number;
}

interface ModelTask {
  readonly task_id: string;
  status: string;
  assigned: number | null;
  holder: number | undefined;
  expires_ms: number;
  /** Of the claim that was last made, as long as nobody but its holder ended it. */
  token: number | undefined;
  highest: number;
  /** Whose claim was ended for it, since nobody has claimed it again. */
  loser: number | undefined;
}

interface World {
  readonly app: App;
  readonly project_id: string;
  readonly tasks: readonly ModelTask[];
  readonly claims: readonly Remembered[][];
}

const callers: readonly CallerOptions[] = Array.from({ length: AGENTS }, (_, i) => ({
  agent: `worker-${i}`,
  session: `ses_worker_${i}`,
  transport: 'http' as const,
}));

/** Runs one plan in a project of its own, with the last task waiting for the first. */
export async function runPlan(app: App, plan: readonly Command[]): Promise<void> {
  const { project_id } = (await app.call('create_project', { name: `Plan ${crypto.randomUUID()}` })).project;
  const tasks: ModelTask[] = [];
  for (let i = 0; i < TASKS; i++) {
    const dependencies = i === TASKS - 1 ? [tasks[0]?.task_id] : [];
    const made = await app.call('create_kanban_task', {
      title: `Task ${i}`,
      project_id,
      dependencies,
      related_limit: 0,
    });
    const fresh = {
      status: 'todo',
      assigned: null,
      holder: undefined,
      expires_ms: 0,
      token: undefined,
      highest: 0,
      loser: undefined,
    };
    tasks.push({ task_id: made.task.task_id, ...fresh });
    // One after the other, so that the queue has one order.
    app.clock.advance(1);
  }
  const world: World = { app, project_id, tasks, claims: callers.map(() => []) };
  for (const step of plan) {
    await perform(world, step);
    await compare(world);
  }
  await assertNothingLost(world);
}

const isHeld = ({ app }: World, one: ModelTask): boolean =>
  one.holder !== undefined && one.expires_ms > app.clock.now();

/** What time did: claims that are over are nobody's, and what the dead agent was given is free again. */
function letLapse(world: World): void {
  for (const one of world.tasks) {
    if (one.holder === undefined || isHeld(world, one)) continue;
    if (one.assigned === one.holder) one.assigned = null;
    Object.assign(one, { status: 'todo', loser: one.holder, holder: undefined, token: undefined });
  }
}

function isReady(world: World, index: number): boolean {
  const one = at(world.tasks, index);
  if (one.status !== 'todo') return false;
  return index !== TASKS - 1 || isSatisfied(at(world.tasks, 0));
}

const isSatisfied = ({ status }: ModelTask): boolean => status === 'done' || status === 'cancelled';

async function perform(world: World, step: Command): Promise<void> {
  if (step.kind === 'wait') {
    world.app.clock.advance(step.ms);
    letLapse(world);
    return;
  }
  if (step.kind === 'claim') return claimAny(world, step.agent, step.lease);
  if (step.kind === 'take') return takeCertain(world, step);
  if (step.kind === 'give') return give(world, step);
  if (step.kind === 'reopen') return reopen(world, at(world.tasks, step.task));
  if (step.kind === 'comment') {
    const { task_id } = at(world.tasks, step.task);
    // Anybody may speak, whoever holds it.
    await world.app.call('update_kanban_task', { task_id, comment: 'seen' }, at(callers, step.agent));
    if (isHeld(world, at(world.tasks, step.task)) && at(world.tasks, step.task).holder === step.agent)
      await readLease(world, at(world.tasks, step.task));
    return;
  }
  await writeAsHolder(world, step);
}

async function claimAny(world: World, who: number, lease_index: number): Promise<void> {
  const { app, project_id, tasks } = world;
  const lease_seconds = at(LEASES_SECONDS, lease_index);
  const claimable = tasks.filter((one, i) => isReady(world, i) && (one.assigned === null || one.assigned === who));
  const answer = await app.call('claim_next', { project_id, lease_seconds }, at(callers, who));
  if (claimable.length === 0) {
    expect(answer).toMatchObject({ task: null, fencing_token: null, why: expect.any(String) });
    return;
  }
  const own = claimable.find(({ assigned }) => assigned === who);
  expect(answer.task?.task_id).toBe((own ?? claimable[0])?.task_id);
  noteClaim(world, who, answer);
}

async function takeCertain(
  world: World,
  { agent: who, task: index, lease: l }: Command & { kind: 'take' },
): Promise<void> {
  const one = at(world.tasks, index);
  const input = { task_id: one.task_id, lease_seconds: at(LEASES_SECONDS, l) };
  const free = ['todo', 'blocked', 'review'].includes(one.status) && (one.assigned === null || one.assigned === who);
  const open = index === TASKS - 1 && !isSatisfied(at(world.tasks, 0));
  const allowed = isHeld(world, one) ? one.holder === who : free && !open;
  const outcome = await attempt(world.app.call('claim_next', input, at(callers, who)));
  expect(outcome.refused?.code).toBe(allowed ? undefined : 'conflict');
  if (outcome.answer) noteClaim(world, who, outcome.answer);
}

function noteClaim(world: World, who: number, answer: Answer): void {
  const index = world.tasks.findIndex(({ task_id }) => task_id === answer.task.task_id);
  const one = at(world.tasks, index);
  // The two promises: nobody else holds it, and the token is larger than any before.
  if (isHeld(world, one)) expect(one.holder).toBe(who);
  expect(answer.fencing_token).toBeGreaterThan(one.highest);
  Object.assign(one, {
    status: 'in_progress',
    holder: who,
    loser: undefined,
    token: answer.fencing_token,
    highest: answer.fencing_token,
    expires_ms: Date.parse(answer.lease_expires_at),
  });
  at(world.claims, who).unshift({ task: index, token: answer.fencing_token });
}

type HolderWrite = Extract<Command, { readonly claim: number }>;

async function writeAsHolder(world: World, step: HolderWrite): Promise<void> {
  const remembered = at(world.claims, step.agent)[step.claim];
  if (!remembered) return;
  const one = at(world.tasks, remembered.task);
  const silent = step.kind === 'silent progress';
  const held = isHeld(world, one);
  // With a token: that of the claim. Without: of the session that made it, or of a task that is nobody's, unless it was
  // this session's before and it may not know that it no longer is.
  const speaks = held ? one.holder === step.agent : one.loser !== step.agent;
  const counts = silent ? speaks : remembered.token === one.token;
  const fields = {
    pulse: {},
    progress: { progress: 50 },
    'silent progress': { progress: 60 },
    move: step.kind === 'move' ? { status: step.to, resolution: 'as it went' } : {},
  }[step.kind];
  const token = silent ? {} : { fencing_token: remembered.token };
  const input = { task_id: one.task_id, ...fields, ...token };
  const { answer, refused } = await attempt(world.app.call('update_kanban_task', input, at(callers, step.agent)));
  if (!counts || (step.kind === 'pulse' && !held)) {
    expect(refused?.code, `a write that comes too late: ${JSON.stringify(step)}`).toBe('conflict');
    return;
  }
  // A claim its holder ended is no claim, and there are ways the board does not have.
  if (refused) {
    expect(held, JSON.stringify(refused)).toBe(false);
    expect(refused.code).toBe('conflict');
    return;
  }
  if (step.kind === 'move') moved(one, step.to);
  else if (held && answer) {
    const expires_ms = Date.parse(answer.lease_expires_at);
    expect(expires_ms).toBeGreaterThanOrEqual(one.expires_ms);
    one.expires_ms = expires_ms;
  }
}

/** The token stays: nobody but the holder itself has ended the claim. */
function moved(one: ModelTask, to: string): void {
  Object.assign(one, { status: to, holder: undefined });
}

async function give(world: World, { task: index, agent: to }: Command & { kind: 'give' }): Promise<void> {
  const one = at(world.tasks, index);
  const before = isHeld(world, one) ? one.holder : undefined;
  const over = ['done', 'failed', 'cancelled'].includes(one.status);
  // Agents are known to the roster only once they are registered: an agent gives itself what it wants.
  const input = to === null ? { unassign: true } : { agent_id: at(callers, to).agent };
  const caller = to === null ? {} : at(callers, to);
  const { refused } = await attempt(world.app.call('assign_kanban_task', { task_id: one.task_id, ...input }, caller));
  expect(refused?.code).toBe(over ? 'conflict' : undefined);
  if (over) return;
  one.assigned = to;
  if (before !== undefined && before !== to)
    Object.assign(one, { status: 'todo', loser: before, holder: undefined, token: undefined });
}

async function reopen(world: World, one: ModelTask): Promise<void> {
  if (!['done', 'failed', 'cancelled'].includes(one.status)) return;
  await world.app.call('update_kanban_task', { task_id: one.task_id, status: 'todo' });
  one.status = 'todo';
}

async function attempt(call: Promise<Answer>): Promise<{ answer?: Answer; refused?: ErrorBody }> {
  try {
    return { answer: await call };
  } catch (error) {
    if (error instanceof HaivemindError) return { refused: error.toJSON() };
    throw error;
  }
}

async function rowsOf({ app, project_id }: World): Promise<Map<string, Record<string, unknown>>> {
  const rows = await app.rows('select * from tasks where project_id = ?', project_id);
  return new Map(rows.map((row) => [String(row.task_id), row]));
}

async function readLease(world: World, one: ModelTask): Promise<void> {
  const row = (await rowsOf(world)).get(one.task_id);
  const expires_ms = Date.parse(String(row?.lease_expires_at));
  expect(expires_ms).toBeGreaterThanOrEqual(one.expires_ms);
  one.expires_ms = expires_ms;
}

/** The store says what the model says, as far as nothing is over that no sweep has seen yet. */
async function compare(world: World): Promise<void> {
  const rows = await rowsOf(world);
  const now = new Date(world.app.clock.now()).toISOString();
  for (const [index, one] of world.tasks.entries()) {
    const row = rows.get(one.task_id);
    const lapsed = row?.lease_expires_at !== null && String(row?.lease_expires_at) <= now;
    const holder = lapsed ? null : row?.holder_agent_id;
    expect({ index, status: lapsed ? 'todo' : row?.status, holder }).toEqual({
      index,
      status: one.status,
      holder: one.holder === undefined ? null : at(callers, one.holder).agent,
    });
    // In progress is what somebody holds, and nothing else.
    expect(row?.status === 'in_progress').toBe(row?.holder_agent_id !== null);
    expect(Number(row?.fencing_token)).toBeGreaterThanOrEqual(one.highest);
  }
}

/** When all are dead, whatever is to be done can be had again: nothing is stuck with anybody. */
async function assertNothingLost(world: World): Promise<void> {
  world.app.clock.advance(60 * SECOND_MS);
  letLapse(world);
  const waiting = world.tasks.filter(({ status }) => status === 'todo').length;
  for (const one of world.tasks) {
    if (one.status !== 'todo' || one.assigned === null) continue;
    await world.app.call('assign_kanban_task', { task_id: one.task_id, unassign: true });
    one.assigned = null;
  }
  let taken = 0;
  for (;;) {
    const ready = world.tasks.some((_, i) => isReady(world, i));
    await claimAny(world, taken % AGENTS, 0);
    if (!ready) break;
    taken++;
  }
  const open = isReadyBut(world);
  expect(taken + open).toBe(waiting);
}

/** The one task that waits for another: it is to be done, and not yet. */
function isReadyBut(world: World): number {
  return at(world.tasks, TASKS - 1).status === 'todo' ? 1 : 0;
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`There is no ${index}.`);
  return item;
}

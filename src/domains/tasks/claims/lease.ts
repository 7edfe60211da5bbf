// A claim: who holds a task, until when, and whose writes count. Pure.
//
// The fencing token of a task grows with every claim, and again when a claim is ended by somebody else than its holder:
// a lease that ran out, a task taken away. What comes with a smaller token comes too late, whoever sends it, which is
// how a holder that was only slow learns of it (M. Kleppmann, "How to do distributed locking", 2016).
import { toIso } from '../../../kernel/clock.ts';
import { isAgentTransport, type OperationContext } from '../../../kernel/operation.ts';
import type { TaskReader } from '../deps.ts';
import { isLapsed } from '../lapsed.ts';
import type { TaskRow } from '../record.ts';
import { claimWasLost, heldByAnother, tokenIsOld } from './errors.ts';

type Claimed = Pick<TaskRow, 'holder_agent_id' | 'lease_expires_at'>;

/** Somebody holds it at this moment (ISO time). A lease ends at its very millisecond. */
export function isHeld(row: Claimed, now: string): boolean {
  return row.holder_agent_id !== null && !isLapsed(row, now);
}

/** Columns of a task that nobody holds. */
export const NO_CLAIM = {
  holder_agent_id: null,
  holder_session: null,
  lease_expires_at: null,
  lease_seconds: null,
} as const;

/** The same where the claim was ended for the holder: its session stays, so that what it writes late is known as such. */
export function lostClaim({ holder_session }: Pick<TaskRow, 'holder_session'>) {
  return { ...NO_CLAIM, holder_session };
}

/** How long a claim lives without a sign of life; null for people, who come back when they come back. */
export function leaseFor(ctx: OperationContext, wanted: number | undefined, usual_seconds: number): number | null {
  if (wanted !== undefined) return wanted;
  const person = ctx.agent === undefined && !isAgentTransport(ctx.session.transport);
  return person && ctx.session.transport !== 'internal' ? null : usual_seconds;
}

export function leaseEnd(now_ms: number, lease_seconds: number | null): string | null {
  return lease_seconds === null ? null : toIso(now_ms + lease_seconds * 1000);
}

/** The later of two ends: a sign of life shortens no lease. */
export function extended(row: Pick<TaskRow, 'lease_expires_at' | 'lease_seconds'>, now_ms: number): string | null {
  const end = leaseEnd(now_ms, row.lease_seconds);
  return end !== null && row.lease_expires_at !== null && end > row.lease_expires_at ? end : row.lease_expires_at;
}

/**
 * The session that made the claim, if it holds now. A derived session is any caller that looks alike, and proves nothing:
 * it needs the claim's token.
 */
export function isOwnClaim(row: TaskRow, { session }: OperationContext, now: string): boolean {
  return isHeld(row, now) && row.holder_session === session.key && session.derived !== true;
}

/**
 * Whether this agent may take its own claim over in another session. A name that a program gives itself is no proof:
 * two sessions of one client are two workers.
 */
export function isOwnAgent(row: TaskRow, ctx: OperationContext): boolean {
  return ctx.agent !== undefined && ctx.agent.agent_id === row.holder_agent_id;
}

/**
 * Whether the caller is the holder: the session that made the claim, or, with the claim's token, its agent in another
 * one. A token proves that a claim is the latest, not whose it is: from anybody else it counts for nothing.
 */
export async function isHolder(
  db: TaskReader,
  row: TaskRow,
  ctx: OperationContext,
  token: number | undefined,
  now: string,
): Promise<boolean> {
  if (isOwnClaim(row, ctx, now)) return true;
  const { agent_id, user_id } = ctx.principal;
  if (!isHeld(row, now) || token !== row.fencing_token || agent_id !== row.holder_agent_id) return false;
  const claim = await db
    .selectFrom('task_history')
    .select('user_id')
    .where('task_id', '=', row.task_id)
    .where('action', '=', 'claimed')
    .orderBy('version', 'desc')
    .orderBy('entry_id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return claim?.user_id === user_id;
}

/** What a call says of the claim it comes under. */
export interface Saying {
  readonly fencing_token?: number | undefined;
  readonly expected_version?: number | undefined;
  readonly status?: string | undefined;
}

/**
 * Refuses what only the holder may write. `row` has no claim that is over. Errors: `conflict` for a token that is not the
 * task's, where somebody else holds the task, and for the session that lost it last and may not know: until it claims
 * the task again or shows that it has read it since.
 */
export async function assertHolder(
  db: TaskReader,
  row: TaskRow,
  ctx: OperationContext,
  { fencing_token: token, expected_version, status }: Saying,
  now: string,
): Promise<void> {
  const held = isHeld(row, now);
  if (token !== undefined && token !== row.fencing_token) throw tokenIsOld(row, token, held);
  if (held && !(await isHolder(db, row, ctx, token, now))) throw heldByAnother(row);
  const knows = token !== undefined || expected_version === row.version || status === 'in_progress';
  if (!held && row.holder_session === ctx.session.key && !knows) throw claimWasLost(row);
}

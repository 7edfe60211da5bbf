// Taking a task up: the one place where a claim is made.
import { toIso } from '../../../kernel/clock.ts';
import type { OperationContext } from '../../../kernel/operation.ts';
import type { TaskDeps, TaskTrx } from '../deps.ts';
import type { TaskRow } from '../record.ts';
import type { HistoryEntry } from '../repository.ts';
import { leaseEnd } from './lease.ts';
import { type Move, moveTask } from './moves.ts';

/** What of a claim is written besides the claim itself. */
export type ClaimMore = Partial<Pick<Move, 'values' | 'touched'>> & {
  readonly comment?: HistoryEntry['comment'];
  readonly details?: HistoryEntry['details'];
};

/**
 * Makes the caller's session the holder of a task this transaction holds, with a token larger than any before. Whether
 * it may is for the caller to have decided.
 */
export function claimTask(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  row: TaskRow,
  lease_seconds: number | null,
  { values = {}, touched, comment = null, details = {} }: ClaimMore = {},
): Promise<TaskRow> {
  const now_ms = deps.store.clock.now();
  const fencing_token = row.fencing_token + 1;
  const lease_expires_at = leaseEnd(now_ms, lease_seconds);
  const { agent_id } = ctx.principal;
  const from = row.holder_agent_id === null ? {} : { taken_over_from: row.holder_agent_id };
  return moveTask(deps, trx, ctx, {
    row,
    values: {
      ...values,
      status: 'in_progress',
      holder_agent_id: agent_id,
      holder_session: ctx.session.key,
      ...{ fencing_token, lease_expires_at, lease_seconds },
      started_at: row.started_at ?? toIso(now_ms),
    },
    entry: {
      action: 'claimed',
      subject_agent_id: agent_id,
      comment,
      details: { ...details, fencing_token, lease_expires_at, ...from },
    },
    ...(touched ? { touched } : {}),
  });
}

// Taking up again what the same agent holds in another session: for one that was restarted, not against one at work.
import { toIso } from '../../../kernel/clock.ts';
import { failure, type HaivemindError } from '../../../kernel/errors.ts';
import { limits } from '../../../kernel/limits.ts';
import type { OperationContext } from '../../../kernel/operation.ts';
import type { TaskDeps } from '../deps.ts';
import type { TaskRow } from '../record.ts';
import { heldByAnother } from './errors.ts';
import { isOwnAgent } from './lease.ts';

/**
 * Refuses to take a held task over from another session. Errors: `conflict` unless it is the same agent's, and where that
 * session was seen within `limits.agent_active_ms`: two processes of one agent are two workers.
 */
export function assertTakeover(deps: TaskDeps, row: TaskRow, ctx: OperationContext): void {
  if (!isOwnAgent(row, ctx)) throw heldByAnother(row);
  const seen_ms = seenAt(deps, row);
  if (deps.store.clock.now() - seen_ms <= limits.agent_active_ms) throw isAtWork(row, seen_ms);
}

/** The latest sign of life of the session that holds it: noted here, or as the lease tells of it. */
function seenAt({ heartbeats }: TaskDeps, { holder_session, lease_expires_at, lease_seconds }: TaskRow): number {
  const here_ms = holder_session === null ? undefined : heartbeats.heardAt(holder_session);
  const written_ms = Date.parse(lease_expires_at ?? '') - (lease_seconds ?? 0) * 1_000;
  return Math.max(here_ms ?? 0, Number.isNaN(written_ms) ? 0 : written_ms);
}

function isAtWork({ task_id, holder_agent_id, lease_expires_at }: TaskRow, seen_ms: number): HaivemindError {
  const seen_at = toIso(seen_ms);
  const free_at = toIso(seen_ms + limits.agent_active_ms);
  return failure(
    'conflict',
    `Another session of yours (${holder_agent_id}) holds task ${task_id} and was at work at ${seen_at}.`,
    `If it is gone, claim the task again after ${free_at}. If it is this one, write with its fencing_token. assign_kanban_task unassign=true takes the task away from it.`,
    { details: { task_id, holder_agent_id, lease_expires_at, seen_at } },
  );
}

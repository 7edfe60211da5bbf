// The roster: agents the caller may see, with what their calls and tasks say of them at this moment.
import { toIso } from '../../kernel/clock.ts';
import { decodeCursor, encodeCursor } from '../../kernel/cursor.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import type { AgentDeps, AgentLoad } from './deps.ts';
import { inboxKey, waitingFor } from './messages.ts';
import { AGENT_STATUSES, type AgentStatus, statusOf } from './presence.ts';
import { capabilitiesIn, latest, listVisible, type SeenAgent } from './repository.ts';

export interface RosterQuery {
  readonly status?: AgentStatus | undefined;
  readonly capability?: string | undefined;
  readonly machine?: string | undefined;
  readonly role?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface RosterEntry extends SeenAgent {
  readonly status: AgentStatus;
  readonly load: AgentLoad;
}

const NO_LOAD: AgentLoad = { held: 0, assigned_open: 0, done_30d: 0, failed_30d: 0, current_task: null };

/** All agents the caller may see that match, active ones first, then by id. */
export async function matchingAgents(
  { store, presence, tasks }: AgentDeps,
  { status, capability, machine, role }: Omit<RosterQuery, 'limit' | 'cursor'>,
  ctx: OperationContext,
): Promise<readonly RosterEntry[]> {
  const now_ms = store.clock.now();
  const rows = await listVisible(store.db, ctx.principal, toIso(now_ms), { machine, role });
  const able = rows.filter((row) => capability === undefined || capabilitiesIn(row).includes(capability));
  const loads = await tasks.loadOf(able, ctx);
  return able
    .map((row): RosterEntry => {
      const load = loads.get(row.agent_id) ?? NO_LOAD;
      const last_seen_at = latest(row.last_seen_at, presence.pendingOf(row.agent_id));
      return { ...row, last_seen_at, load, status: statusOf(Date.parse(last_seen_at), load.held, now_ms) };
    })
    .filter((entry) => status === undefined || entry.status === status)
    .sort((a, b) => rank(a) - rank(b) || compare(a.agent_id, b.agent_id));
}

/**
 * A page of the roster. Who changes from one status to another between two pages may be missed or come twice: the roster
 * is of the moment.
 */
export async function roster(deps: AgentDeps, { limit, cursor, ...query }: RosterQuery, ctx: OperationContext) {
  // A store that cannot be written to can still be read; what is noted in memory counts all the same.
  await deps.presence.flush().catch(() => undefined);
  const all = await matchingAgents(deps, query, ctx);
  const [after_id, after_rank] = cursor === undefined ? [] : (decodeCursor(cursor, 2) as [string, number]);
  const rest =
    after_id === undefined || after_rank === undefined
      ? all
      : all.filter((entry) => rank(entry) > after_rank || (rank(entry) === after_rank && entry.agent_id > after_id));
  const page = rest.slice(0, limit);
  const last = rest.length > limit ? page.at(-1) : undefined;
  const waiting = await waitingFor(deps.store.db, page, toIso(deps.store.clock.now()));
  return {
    page: page.map((entry) => ({ ...entry, waiting_messages: waiting.get(inboxKey(entry)) ?? 0 })),
    counts: Object.fromEntries(
      AGENT_STATUSES.map((name) => [name, all.filter(({ status }) => status === name).length]),
    ) as Record<AgentStatus, number>,
    next_cursor: last ? encodeCursor([last.agent_id, rank(last)]) : null,
  };
}

function rank({ status }: RosterEntry): number {
  return AGENT_STATUSES.indexOf(status);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

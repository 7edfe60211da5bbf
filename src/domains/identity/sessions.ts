// Agent sessions: what a caller's conversation with the server has done so far, also where its transport keeps no state.
// Calls are counted in memory and written behind: a count is worth less than the milliseconds of a commit per call.
import { sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import { toIso } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import type { Database } from '../../storage/database.ts';
import type { SessionTables } from './tables.ts';

const SESSIONS_IN_MEMORY_MAX_COUNT = 5_000;

export interface CallCount {
  readonly operation: string;
  readonly calls: number;
  readonly failures: number;
  readonly first_at: string;
  readonly last_at: string;
}

export interface SessionState {
  readonly session_key: string;
  readonly started_at: string;
  readonly last_seen_at: string;
  readonly guide_sent_at: string | null;
  readonly calls: readonly CallCount[];
}

export interface Sessions {
  /** Counts one call of the session. */
  note(ctx: OperationContext, operation: string, failed: boolean): void;
  /** True exactly once per session, also across processes and restarts. A derived session begins anew after a silence. */
  claimGuide(ctx: OperationContext): Promise<boolean>;
  /** What the session did, this call not included. */
  state(ctx: OperationContext): Promise<SessionState>;
  /** Writes the counts that are still in memory. */
  flush(): Promise<void>;
  /** Drops the user's counts that are not yet written; that of a call which is still to end will not be written either. */
  forget(user_id: string, request_id?: string): void;
  /** Forgets sessions not seen for a month. Returns how many. */
  prune(): Promise<number>;
}

interface Pending {
  ctx: OperationContext;
  calls: Map<string, { calls: number; failures: number; first_at: string; last_at: string }>;
}

export function createSessions(store: Database<SessionTables>): Sessions {
  const pending = new Map<string, Pending>();
  /** Sessions that have the guide, with the time of their last call that would have brought it. */
  const guided = new LRUCache<string, number>({ max: SESSIONS_IN_MEMORY_MAX_COUNT });
  /** Calls that are to leave no trace of their caller. */
  const unnoted = new LRUCache<string, true>({ max: SESSIONS_IN_MEMORY_MAX_COUNT });
  const nowIso = () => toIso(store.clock.now());

  async function flush(): Promise<void> {
    const batch = [...pending.values()];
    pending.clear();
    if (batch.length === 0) return;
    await store.write(async (trx) => {
      for (const entry of batch) {
        await touch(trx, entry.ctx, nowIso());
        for (const [operation, count] of entry.calls) await addCalls(trx, entry.ctx.session.key, operation, count);
      }
    });
  }

  return {
    note(ctx, operation, failed) {
      if (unnoted.delete(ctx.request_id)) return;
      const entry = pending.get(ctx.session.key) ?? { ctx, calls: new Map() };
      pending.set(ctx.session.key, entry);
      const at = nowIso();
      const count = entry.calls.get(operation) ?? { calls: 0, failures: 0, first_at: at, last_at: at };
      entry.calls.set(operation, {
        ...count,
        calls: count.calls + 1,
        failures: count.failures + (failed ? 1 : 0),
        last_at: at,
      });
    },

    async claimGuide(ctx) {
      const { key, derived = false } = ctx.session;
      const now_ms = store.clock.now();
      const isOver = (seen_ms: number) => derived && now_ms - seen_ms > limits.agent_session_idle_ms;
      const seen_ms = guided.get(key);
      guided.set(key, now_ms);
      if (seen_ms !== undefined && !isOver(seen_ms)) return false;
      const claim = store.write((trx) => claimWithin(trx, ctx, nowIso(), isOver));
      claim.catch(() => guided.delete(key));
      return claim;
    },

    async state(ctx) {
      await flush();
      const { key } = ctx.session;
      const row = await store.db
        .selectFrom('agent_sessions')
        .selectAll()
        .where('session_key', '=', key)
        .executeTakeFirst();
      const calls = await store.db
        .selectFrom('agent_session_calls')
        .select(['operation', 'calls', 'failures', 'first_at', 'last_at'])
        .where('session_key', '=', key)
        .orderBy('operation')
        .execute();
      const now = nowIso();
      return {
        session_key: key,
        started_at: row?.started_at ?? now,
        last_seen_at: row?.last_seen_at ?? now,
        guide_sent_at: row?.guide_sent_at ?? null,
        calls,
      };
    },

    flush,

    forget(user_id, request_id) {
      for (const [key, { ctx }] of pending) if (ctx.principal.user_id === user_id) pending.delete(key);
      if (request_id !== undefined) unnoted.set(request_id, true);
    },

    prune: () =>
      store.write(async (trx) => {
        const before = toIso(store.clock.now() - limits.agent_session_retention_ms);
        await trx
          .deleteFrom('agent_session_calls')
          .where('session_key', 'in', (eb) =>
            eb.selectFrom('agent_sessions').select('session_key').where('last_seen_at', '<', before),
          )
          .execute();
        const gone = await trx.deleteFrom('agent_sessions').where('last_seen_at', '<', before).executeTakeFirst();
        return Number(gone.numDeletedRows);
      }),
  };
}

type SessionTrx = Parameters<Parameters<Database<SessionTables>['write']>[0]>[0];

/** Notes the guide as sent where it is due; false where the session has it. */
async function claimWithin(
  trx: SessionTrx,
  ctx: OperationContext,
  now: string,
  isOver: (seen_ms: number) => boolean,
): Promise<boolean> {
  const { key } = ctx.session;
  const known = await trx
    .selectFrom('agent_sessions')
    .select(['guide_sent_at', 'last_seen_at'])
    .where('session_key', '=', key)
    .executeTakeFirst();
  await touch(trx, ctx, now);
  const sent_at = known?.guide_sent_at ?? null;
  if (known && sent_at !== null && !isOver(Date.parse(known.last_seen_at))) return false;
  // Another process may have been as fast: the guide goes to the caller who finds the session as it was read.
  const claimed = await trx
    .updateTable('agent_sessions')
    .set({ guide_sent_at: now })
    .where('session_key', '=', key)
    .where('guide_sent_at', sent_at === null ? 'is' : '=', sent_at)
    .executeTakeFirst();
  return claimed.numUpdatedRows === 1n;
}

async function touch(trx: SessionTrx, ctx: OperationContext, now: string): Promise<void> {
  const { session } = ctx;
  const { user_id, agent_id, machine_id } = ctx.principal;
  await trx
    .insertInto('agent_sessions')
    .values({
      session_key: session.key,
      user_id,
      agent_id,
      machine_id,
      client_name: session.client_name ?? null,
      transport: session.transport,
      started_at: now,
      last_seen_at: now,
      guide_sent_at: null,
    })
    .onConflict((conflict) => conflict.column('session_key').doUpdateSet({ last_seen_at: now }))
    .execute();
}

async function addCalls(
  trx: SessionTrx,
  session_key: string,
  operation: string,
  count: Omit<CallCount, 'operation'>,
): Promise<void> {
  await trx
    .insertInto('agent_session_calls')
    .values({ session_key, operation, ...count })
    .onConflict((conflict) =>
      conflict.columns(['session_key', 'operation']).doUpdateSet({
        calls: sql<number>`agent_session_calls.calls + ${count.calls}`,
        failures: sql<number>`agent_session_calls.failures + ${count.failures}`,
        last_at: count.last_at,
      }),
    )
    .execute();
}

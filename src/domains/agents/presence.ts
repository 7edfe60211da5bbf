// Presence: every call of a session with a registered agent is a heartbeat. It is noted in memory and written behind, with
// the leases of the claims that session holds: a heartbeat is worth less than the milliseconds of a commit per call.
import { toIso } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { AgentStore, AgentTrx, Heartbeat, NotedCall, Presence, TaskPort } from './deps.ts';

export const AGENT_STATUSES = ['active', 'idle', 'offline'] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

/** What an agent is at a moment: silent for too long, at work, or there. */
export function statusOf(last_seen_ms: number, held: number, now_ms: number): AgentStatus {
  const silent_ms = now_ms - last_seen_ms;
  if (silent_ms > limits.agent_presence_ttl_ms) return 'offline';
  return held > 0 || silent_ms <= limits.agent_active_ms ? 'active' : 'idle';
}

export interface PresenceDeps {
  readonly store: AgentStore;
  readonly tasks: Pick<TaskPort, 'renew'>;
  /** Told of a write behind that failed; it is tried again with the next one. */
  readonly onError: (error: unknown) => void;
}

interface Noted extends NotedCall {
  readonly at: string;
}

export function createPresence({ store, tasks, onError }: PresenceDeps): Presence {
  const noted = new Map<string, Noted>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function schedule(): void {
    if (timer !== undefined || stopped) return;
    timer = setTimeout(() => {
      timer = undefined;
      flush().catch(onError);
    }, limits.agent_heartbeat_flush_ms);
    timer.unref();
  }

  async function flush(): Promise<void> {
    const batch = [...noted.values()].sort((a, b) => (a.session_key < b.session_key ? -1 : 1));
    if (batch.length === 0) return;
    noted.clear();
    try {
      await store.write(async (trx) => {
        await writePresence(trx, batch);
        await touchSessions(trx, batch);
        const heartbeats = batch.flatMap(heartbeatOf);
        if (heartbeats.length > 0) await tasks.renew(trx, heartbeats);
      });
    } catch (error) {
      for (const call of batch) if (!noted.has(call.session_key)) noted.set(call.session_key, call);
      schedule();
      throw error;
    }
  }

  return {
    note(call) {
      noted.set(call.session_key, { ...call, at: toIso(store.clock.now()) });
      schedule();
    },
    flush,
    pendingOf(agent_id) {
      let latest: string | undefined;
      for (const call of noted.values())
        if (call.agent_id === agent_id && (latest === undefined || call.at > latest)) latest = call.at;
      return latest;
    },
    forget(user_id) {
      for (const [key, call] of noted) if (call.user_id === user_id) noted.delete(key);
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await flush();
    },
  };
}

function heartbeatOf({ agent_id, session_key, at }: Noted): Heartbeat[] {
  return agent_id === null ? [] : [{ agent_id, session_key, at }];
}

/** Only of agents that are still there: one that was erased meanwhile must not come back by its last call. */
async function writePresence(trx: AgentTrx, batch: readonly Noted[]): Promise<void> {
  const latest = new Map<string, Noted>();
  for (const call of batch) {
    const known = call.agent_id === null ? undefined : latest.get(call.agent_id);
    if (call.agent_id !== null && (known === undefined || known.at < call.at)) latest.set(call.agent_id, call);
  }
  // In one order everywhere, so that two hubs do not wait for each other.
  for (const [agent_id, { at, operation }] of [...latest].sort(([a], [b]) => (a < b ? -1 : 1)))
    await trx
      .insertInto('agent_presence')
      .columns(['agent_id', 'last_seen_at', 'last_call'])
      .expression((eb) =>
        eb
          .selectFrom('agents')
          .select((row) => ['agents.agent_id', row.val(at).as('last_seen_at'), row.val(operation).as('last_call')])
          .where('agents.agent_id', '=', agent_id),
      )
      .onConflict((conflict) =>
        conflict
          .column('agent_id')
          .doUpdateSet({ last_seen_at: at, ...(operation === null ? {} : { last_call: operation }) })
          .where('agent_presence.last_seen_at', '<', at),
      )
      .execute();
}

/** What is used is not forgotten: see the pruning of contexts. */
async function touchSessions(trx: AgentTrx, batch: readonly Noted[]): Promise<void> {
  for (const { session_key, at } of batch)
    await trx
      .updateTable('session_contexts')
      .set({ last_used_at: at })
      .where('session_key', '=', session_key)
      .where('last_used_at', '<', at)
      .execute();
}

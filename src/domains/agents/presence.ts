// Presence: every call of a session with a registered agent is a heartbeat. It is noted in memory and written behind, with
// the leases of the claims that session holds: a heartbeat is worth less than the milliseconds of a commit per call.
import { LRUCache } from 'lru-cache';
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
  /** Of the latest sign of life. */
  readonly at: string;
  /** Of the latest call; null: it was only connected. */
  readonly called: string | null;
  /** What is not written yet, the earliest first. */
  readonly signs: readonly Sign[];
}

interface Sign {
  readonly at_ms: number;
  readonly is_call: boolean;
}

/** Signs of life closer together than this are one: no lease is as short. */
const SIGNS_APART_MS = 1_000;
/** More are not remembered where writing fails for long. */
const SIGNS_MAX_COUNT = 1_000;

/** What is remembered of a session, in milliseconds. */
interface Remembered {
  readonly sign_ms: number;
  /** Its latest call, else when it was first noticed. */
  readonly called_ms: number;
}

const SESSIONS_MAX_COUNT = 10_000;

export function createPresence({ store, tasks, onError }: PresenceDeps): Presence {
  const noted = new Map<string, Noted>();
  const sessions = new LRUCache<string, Remembered>({ max: SESSIONS_MAX_COUNT });
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let writing: Promise<void> = Promise.resolve();

  function schedule(): void {
    if (timer !== undefined || stopped) return;
    timer = setTimeout(() => {
      timer = undefined;
      flush().catch(onError);
    }, limits.agent_heartbeat_flush_ms);
    timer.unref();
  }

  function flush(): Promise<void> {
    // After whatever is being written: it may be what the caller wants to see written.
    writing = writing.catch(() => undefined).then(write);
    return writing;
  }

  async function write(): Promise<void> {
    const batch = [...noted.values()].sort((a, b) => (a.session_key < b.session_key ? -1 : 1));
    if (batch.length === 0) return;
    noted.clear();
    try {
      await store.write(async (trx) => {
        await writePresence(trx, batch);
        await touchSessions(trx, batch);
        const calledAt = await latestCalls(trx, batch, sessions);
        const heartbeats = batch.flatMap((one) => heartbeatOf(one, calledAt(one.session_key)));
        if (heartbeats.length > 0) await tasks.renew(trx, heartbeats);
      });
    } catch (error) {
      for (const call of batch) noted.set(call.session_key, merged(call, noted.get(call.session_key)));
      schedule();
      throw error;
    }
  }

  function remember(session_key: string, isCall: boolean): void {
    const sign_ms = store.clock.now();
    const called_ms = isCall ? sign_ms : (sessions.get(session_key)?.called_ms ?? sign_ms);
    sessions.set(session_key, { sign_ms, called_ms });
  }

  return {
    note(call) {
      const at_ms = store.clock.now();
      const at = toIso(at_ms);
      const is_call = call.operation !== null;
      remember(call.session_key, is_call);
      const now: Noted = { ...call, at, called: is_call ? at : null, signs: [{ at_ms, is_call }] };
      const known = noted.get(call.session_key);
      noted.set(call.session_key, known ? merged(known, now) : now);
      schedule();
    },
    heard: (session_key) => remember(session_key, true),
    heardAt: (session_key) => sessions.get(session_key)?.sign_ms,
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

/** Both signs of life of a session as one. */
function merged(first: Noted, then: Noted | undefined): Noted {
  if (!then) return first;
  const { operation, called } = first;
  const signs = then.signs.reduce(withSign, first.signs);
  return { ...then, signs, operation: then.operation ?? operation, called: then.called ?? called };
}

function withSign(signs: readonly Sign[], sign: Sign): readonly Sign[] {
  const [before, last] = signs.slice(-2);
  if (!before || !last || sign.at_ms - before.at_ms >= SIGNS_APART_MS) return [...signs, sign].slice(-SIGNS_MAX_COUNT);
  return [...signs.slice(0, -1), { ...sign, is_call: sign.is_call || last.is_call }];
}

/**
 * What renews claims: calls, and for `limits.agent_attended_max_ms` after the latest of them also that the client is
 * connected. One that hangs would hold its task for ever.
 */
function heartbeatOf({ agent_id, session_key, signs }: Noted, called_ms: number): Heartbeat[] {
  if (agent_id === null) return [];
  const signs_ms = signs
    .filter(({ at_ms, is_call }) => is_call || at_ms - called_ms <= limits.agent_attended_max_ms)
    .map(({ at_ms }) => at_ms);
  return signs_ms.length === 0 ? [] : [{ session_key, signs_ms }];
}

/** When sessions that are only connected called last: in this process, or as another one wrote it. */
async function latestCalls(
  trx: AgentTrx,
  batch: readonly Noted[],
  sessions: Pick<LRUCache<string, Remembered>, 'peek'>,
): Promise<(session_key: string) => number> {
  const silent = batch.filter(({ at, called }) => at !== called).map(({ session_key }) => session_key);
  const rows =
    silent.length === 0
      ? []
      : await trx
          .selectFrom('session_contexts')
          .select(['session_key', 'last_used_at'])
          .where('session_key', 'in', silent)
          .execute();
  const written = new Map(rows.map(({ session_key, last_used_at }) => [session_key, Date.parse(last_used_at)]));
  return (key) => Math.max(written.get(key) ?? 0, sessions.peek(key)?.called_ms ?? 0);
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

/** What is used is not forgotten: see the pruning of contexts. To be connected is no use. */
async function touchSessions(trx: AgentTrx, batch: readonly Noted[]): Promise<void> {
  for (const { session_key, called } of batch) {
    if (called === null) continue;
    await trx
      .updateTable('session_contexts')
      .set({ last_used_at: called })
      .where('session_key', '=', session_key)
      .where('last_used_at', '<', called)
      .execute();
  }
}

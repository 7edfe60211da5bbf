// MCP sessions that this hub holds in memory: a bounded set, from which abandoned ones are dropped.

import type { Clock } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';

export interface McpSession {
  readonly session_id: string;
  /** Whose it is: sessions of one user never push out another's. */
  readonly owner: string;
  /** Ends what is open on it here. */
  close(): Promise<void>;
}

export interface McpSessions<S extends McpSession> {
  /** Finds a session and notes that it is in use. */
  get(session_id: string): S | undefined;
  /** Adds one; false where the owner has too many and all of them are in use. */
  add(session: S): boolean;
  /** Like get, without using it. */
  peek(session_id: string): S | undefined;
  remove(session_id: string): void;
  /** Removes it and closes it. */
  end(session_id: string): void;
  ids(): readonly string[];
  /** Those used since the last time this was asked. */
  takeUsed(): readonly string[];
  /** A request or stream on the session begins; the answer says that it ended. */
  use(session_id: string): () => void;
  readonly size: number;
  closeAll(): Promise<void>;
}

interface Entry<S> {
  readonly session: S;
  used_at_ms: number;
  open: number;
  /** Since `takeUsed` asked last. */
  used: boolean;
}

const SWEEP_INTERVAL_MS = 60_000;

export interface SessionBounds {
  readonly max_count: number;
  readonly idle_ms: number;
}

export const SESSION_BOUNDS: SessionBounds = {
  max_count: limits.mcp_sessions_max_count,
  idle_ms: limits.mcp_session_idle_ms,
};

export function createMcpSessions<S extends McpSession>(
  clock: Clock,
  bounds: SessionBounds = SESSION_BOUNDS,
): McpSessions<S> {
  const entries = new Map<string, Entry<S>>();
  const sweeper = setInterval(sweep, SWEEP_INTERVAL_MS);
  sweeper.unref();

  function sweep(): void {
    const oldest_ms = clock.now() - bounds.idle_ms;
    for (const entry of [...entries.values()]) if (entry.open === 0 && entry.used_at_ms < oldest_ms) end(entry);
  }

  function use(entry: Entry<S>): void {
    entry.used_at_ms = clock.now();
    entry.used = true;
  }

  function end(entry: Entry<S>): void {
    entries.delete(entry.session.session_id);
    void entry.session.close();
  }

  /** The least recently used session of an owner that nobody uses at the moment. */
  function leastUsed(owner: string): Entry<S> | undefined {
    let found: Entry<S> | undefined;
    for (const entry of entries.values()) {
      if (entry.session.owner !== owner || entry.open > 0) continue;
      if (!found || entry.used_at_ms < found.used_at_ms) found = entry;
    }
    return found;
  }

  function makeRoom(owner: string): boolean {
    sweep();
    const own = [...entries.values()].filter((entry) => entry.session.owner === owner).length;
    if (own < bounds.max_count) return true;
    const victim = leastUsed(owner);
    if (victim) end(victim);
    return victim !== undefined;
  }

  return {
    get(session_id) {
      const entry = entries.get(session_id);
      if (entry) use(entry);
      return entry?.session;
    },
    peek: (session_id) => entries.get(session_id)?.session,
    add(session) {
      if (!makeRoom(session.owner)) return false;
      entries.set(session.session_id, { session, used_at_ms: clock.now(), open: 0, used: false });
      return true;
    },
    remove(session_id) {
      entries.delete(session_id);
    },
    end(session_id) {
      const entry = entries.get(session_id);
      if (entry) end(entry);
    },
    ids: () => [...entries.keys()],
    takeUsed() {
      const used = [...entries.values()].filter((entry) => entry.used || entry.open > 0);
      for (const entry of used) entry.used = false;
      return used.map((entry) => entry.session.session_id);
    },
    use(session_id) {
      const entry = entries.get(session_id);
      if (!entry) return () => undefined;
      entry.open++;
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        entry.open--;
        use(entry);
      };
    },
    get size() {
      return entries.size;
    },
    async closeAll() {
      clearInterval(sweeper);
      const sessions = [...entries.values()].map((entry) => entry.session);
      entries.clear();
      await Promise.all(sessions.map((session) => session.close()));
    },
  };
}

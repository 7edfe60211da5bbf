// MCP sessions in the store, so that any hub can go on with what another began: a row a session, its state as JSON.
import { limits } from '../kernel/limits.ts';
import type { Database, Trx } from '../storage/database.ts';
import { StaleRead } from '../storage/engine.ts';
import type { McpSessionRecord, McpSessionState, McpSessionStore } from '../surfaces/runtime.ts';

interface McpSessionTable {
  session_id: string;
  owner: string;
  state: string;
  /** Counts the changes of the state: a change made on an older reading is made again. */
  version: number;
  last_seen_at_ms: number;
}

interface McpSessionTables {
  mcp_sessions: McpSessionTable;
}

export interface StoredMcpSessions extends McpSessionStore {
  /** Removes what was idle for too long. Returns how many. */
  prune(): Promise<number>;
}

/** Of the shape of a state: a hub of another version begins a new session instead of misreading one. */
const STATE_FORM = 1;
/** An owner's sessions are counted at every so many of them, not at each. */
const COUNT_EVERY = 50;

export function createMcpSessionStore(database: Database): StoredMcpSessions {
  const store = database.withTables<McpSessionTables>();
  const now = () => store.clock.now();
  let created_count = 0;

  return {
    async create({ session_id, owner, state }) {
      const crowded = ++created_count % COUNT_EVERY === 0;
      await store.write(async (trx) => {
        await trx
          .insertInto('mcp_sessions')
          .values({ session_id, owner, state: encode(state), version: 1, last_seen_at_ms: now() })
          .execute();
        if (crowded) await removeOldest(trx, owner);
      });
    },

    async load(session_id) {
      const row = await store.db
        .selectFrom('mcp_sessions')
        .selectAll()
        .where('session_id', '=', session_id)
        .where('last_seen_at_ms', '>', now() - limits.mcp_session_idle_ms)
        .executeTakeFirst();
      const state = row && decode(row.state);
      return state && { session_id, owner: row.owner, state, last_seen_at_ms: Number(row.last_seen_at_ms) };
    },

    change: (session_id, change) => store.write((trx) => changeWithin(trx, session_id, change, now())),

    async touch(session_ids) {
      if (session_ids.length === 0) return new Set();
      const rows = await store.write((trx) =>
        trx
          .updateTable('mcp_sessions')
          .set({ last_seen_at_ms: now() })
          .where('session_id', 'in', session_ids)
          .returning('session_id')
          .execute(),
      );
      return new Set(rows.map((row) => row.session_id));
    },

    async remove(session_id) {
      await store.write((trx) => trx.deleteFrom('mcp_sessions').where('session_id', '=', session_id).execute());
    },

    async prune() {
      const gone = await store.write((trx) =>
        trx
          .deleteFrom('mcp_sessions')
          .where('last_seen_at_ms', '<=', now() - limits.mcp_session_idle_ms)
          .executeTakeFirst(),
      );
      return Number(gone.numDeletedRows);
    },
  };
}

type SessionTrx = Trx<McpSessionTables>;

async function changeWithin(
  trx: SessionTrx,
  session_id: string,
  change: (state: McpSessionState) => McpSessionState,
  now_ms: number,
): Promise<boolean> {
  const row = await trx
    .selectFrom('mcp_sessions')
    .select(['state', 'version'])
    .where('session_id', '=', session_id)
    .executeTakeFirst();
  const state = row && decode(row.state);
  if (!state) return false;
  const changed = await trx
    .updateTable('mcp_sessions')
    .set({ state: encode(change(state)), version: Number(row.version) + 1, last_seen_at_ms: now_ms })
    .where('session_id', '=', session_id)
    .where('version', '=', row.version)
    .executeTakeFirst();
  if (changed.numUpdatedRows !== 1n) throw new StaleRead();
  return true;
}

/** A client that begins one session after the other must not fill the store. */
async function removeOldest(trx: SessionTrx, owner: string): Promise<void> {
  const surplus = await trx
    .selectFrom('mcp_sessions')
    .select('session_id')
    .where('owner', '=', owner)
    .orderBy('last_seen_at_ms', 'desc')
    .orderBy('session_id')
    .offset(limits.mcp_sessions_stored_max_count)
    .limit(limits.bulk_max_items)
    .execute();
  if (surplus.length === 0) return;
  await trx
    .deleteFrom('mcp_sessions')
    .where(
      'session_id',
      'in',
      surplus.map((row) => row.session_id),
    )
    .execute();
}

function encode(state: McpSessionState): string {
  return JSON.stringify({ form: STATE_FORM, state });
}

function decode(text: string): McpSessionRecord['state'] | undefined {
  const { form, state } = JSON.parse(text) as { form: number; state: McpSessionState };
  return form === STATE_FORM ? state : undefined;
}

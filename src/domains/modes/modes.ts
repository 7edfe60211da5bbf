// The operating mode of an agent session: kept in the store, so that a reconnect, another hub or a restart finds it again.
import { toIso } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import { type ModeContext, type OperatingMode, type OperationContext, SOLO } from '../../kernel/operation.ts';
import type { Database } from '../../storage/database.ts';
import type { ModeTables } from './tables.ts';

type Caller = Pick<OperationContext, 'principal' | 'session'>;
type ModeReader = Pick<Database<ModeTables>['db'], 'selectFrom'>;
type ModeTrx = Parameters<Parameters<Database<ModeTables>['write']>[0]>[0];

/** A row is renewed when it is older than this: not every call writes. */
const TOUCH_INTERVAL_MS = 60_000;

export interface Modes {
  /**
   * The session's mode. A session that has none yet takes over that of the same user's same agent on the same machine
   * if it was in use within the last half hour: a client that reconnects goes on where it was.
   */
  of(caller: Caller): Promise<ModeContext>;
  /** Chooses a mode, in the transaction of whatever has to happen with it. */
  choose(trx: ModeTrx, caller: Caller, mode: ModeContext): Promise<void>;
  /** Forgets modes of sessions not seen for a month. */
  prune(): Promise<number>;
}

export function createModes(store: Database<ModeTables>): Modes {
  return {
    async of(caller) {
      if (caller.session.transport === 'internal') return SOLO;
      const now_ms = store.clock.now();
      const own = await findOwn(store.db, caller);
      if (own) {
        if (now_ms - Date.parse(own.last_used_at) > TOUCH_INTERVAL_MS)
          await store.write((trx) => touch(trx, caller.session.key, toIso(now_ms)));
        return contextOf(own);
      }
      const earlier = await findEarlier(store.db, caller, toIso(now_ms - limits.agent_session_idle_ms));
      if (!earlier) return SOLO;
      const mode = contextOf(earlier);
      if (mode.mode !== 'solo') await store.write((trx) => keep(trx, caller, mode, toIso(now_ms)));
      return mode;
    },
    choose: (trx, caller, mode) => keep(trx, caller, mode, toIso(store.clock.now())),
    prune: () =>
      store.write(async (trx) => {
        const before = toIso(store.clock.now() - limits.agent_session_retention_ms);
        const gone = await trx.deleteFrom('agent_modes').where('last_used_at', '<', before).executeTakeFirst();
        return Number(gone.numDeletedRows);
      }),
  };
}

function findOwn(db: ModeReader, { session, principal }: Caller) {
  return (
    db
      .selectFrom('agent_modes')
      .select(['mode', 'context_id', 'last_used_at'])
      .where('session_key', '=', session.key)
      // The key has the user in it already; a mode must never reach anybody else.
      .where('user_id', '=', principal.user_id)
      .executeTakeFirst()
  );
}

function findEarlier(db: ModeReader, { principal }: Caller, since: string) {
  return db
    .selectFrom('agent_modes')
    .select(['mode', 'context_id', 'last_used_at'])
    .where('user_id', '=', principal.user_id)
    .where('agent_id', '=', principal.agent_id)
    .where('machine_id', '=', principal.machine_id)
    .where('last_used_at', '>=', since)
    .orderBy('last_used_at', 'desc')
    .orderBy('session_key')
    .limit(1)
    .executeTakeFirst();
}

function contextOf(row: { readonly mode: string; readonly context_id: string | null }): ModeContext {
  return { mode: row.mode as OperatingMode, context_id: row.context_id };
}

async function touch(trx: ModeTrx, session_key: string, last_used_at: string): Promise<void> {
  await trx.updateTable('agent_modes').set({ last_used_at }).where('session_key', '=', session_key).execute();
}

async function keep(trx: ModeTrx, { session, principal }: Caller, mode: ModeContext, now: string): Promise<void> {
  const { user_id, agent_id, machine_id } = principal;
  const values = { user_id, agent_id, machine_id, ...mode, set_at: now, last_used_at: now };
  await trx
    .insertInto('agent_modes')
    .values({ session_key: session.key, ...values })
    .onConflict((conflict) => conflict.column('session_key').doUpdateSet(values))
    .execute();
}

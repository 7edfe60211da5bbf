// The operating mode of an agent session: kept in the store, so that a reconnect, another hub or a restart finds it again.
import { toIso } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import {
  isAgentTransport,
  type ModeContext,
  type OperatingMode,
  type OperationContext,
  SOLO,
} from '../../kernel/operation.ts';
import type { Database, Trx } from '../../storage/database.ts';
import type { ModeTables } from './tables.ts';

export type ModeCaller = Pick<OperationContext, 'principal' | 'session'>;
type ModeReader = Pick<Database<ModeTables>['db'], 'selectFrom'>;
export type ModeTrx = Trx<ModeTables>;

/** A row is renewed when it is older than this: not every call writes. */
const TOUCH_INTERVAL_MS = 60_000;

export interface KeptMode {
  readonly mode: ModeContext;
  /** The session it was chosen in is over; only sessions that nothing but silence ends. */
  readonly over: boolean;
}

export interface ModeState {
  /** ISO time; null: the session never chose a mode. */
  readonly since: string | null;
  /** Mode and context that ended without being left. */
  readonly fell_back_from: string | null;
}

export interface Modes {
  /**
   * The session's mode. A session of an agent that is seen for the first time takes over that of the same user's same
   * agent on the same machine if it was in use within the last half hour: a client that reconnects goes on where it was.
   * From then on it has its own. One indexed read, and a write once in a minute at most. `own`: what `find` found.
   */
  of(caller: ModeCaller, own?: ModeRow | undefined): Promise<KeptMode>;
  /** The session's own mode as it is kept: a read that needs to know no more of the caller than its user. */
  find(caller: ModeCaller): Promise<ModeRow | undefined>;
  stateOf(caller: ModeCaller): Promise<ModeState>;
  /** Chooses a mode, in the transaction of whatever has to happen with it. Returns since when it holds, as ISO time. */
  choose(trx: ModeTrx, caller: ModeCaller, mode: ModeContext): Promise<string>;
  /** Back to solo, if the session is still in `from`; false where another call was first. */
  fallBack(trx: ModeTrx, caller: ModeCaller, from: ModeContext): Promise<boolean>;
  /** Forgets modes of sessions not seen for a month. Returns how many. */
  prune(): Promise<number>;
}

export function createModes(store: Database<ModeTables>): Modes {
  async function of(caller: ModeCaller, found?: ModeRow): Promise<KeptMode> {
    const { session } = caller;
    if (session.transport === 'internal') return { mode: SOLO, over: false };
    const now_ms = store.clock.now();
    const own = found ?? (await findOwn(store.db, caller));
    if (!own) return { mode: isAgentTransport(session.transport) ? await begin(caller, now_ms) : SOLO, over: false };
    const idle_ms = now_ms - Date.parse(own.last_used_at);
    const over = session.derived === true && own.mode !== 'solo' && idle_ms > limits.agent_session_idle_ms;
    if (!over && idle_ms > TOUCH_INTERVAL_MS)
      await ifPossible(store.write((trx) => touch(trx, session.key, toIso(now_ms))));
    return { mode: contextOf(own), over };
  }
  /**
   * The first call of an agent's session. Its mode is noted also where that is solo: what another session of the same
   * agent chooses later must not become this one's.
   */
  async function begin(caller: ModeCaller, now_ms: number): Promise<ModeContext> {
    const earlier = await findEarlier(store.db, caller, toIso(now_ms - limits.agent_session_idle_ms));
    const mode = earlier ? contextOf(earlier) : SOLO;
    await ifPossible(
      store.write((trx) =>
        trx
          .insertInto('agent_modes')
          .values({ session_key: caller.session.key, ...rowOf(caller, mode, toIso(now_ms)) })
          // Two first calls at once: the other may have chosen a mode already.
          .onConflict((conflict) => conflict.column('session_key').doNothing())
          .execute(),
      ),
    );
    const own = (await findOwn(store.db, caller)) ?? earlier;
    if (!own || own.mode === 'solo') return SOLO;
    return { ...contextOf(own), note: 'taken over from an earlier session of this agent; set_mode changes it' };
  }
  return {
    of,
    find: (caller) => findOwn(store.db, caller),
    async stateOf(caller) {
      const own = await findOwn(store.db, caller);
      return { since: own?.set_at ?? null, fell_back_from: own?.fell_back_from ?? null };
    },
    choose: (trx, caller, mode) => choose(trx, caller, mode, toIso(store.clock.now())),
    fallBack: (trx, caller, from) => fallBack(trx, caller, from, toIso(store.clock.now())),
    prune: () =>
      store.write(async (trx) => {
        const before = toIso(store.clock.now() - limits.agent_session_retention_ms);
        const gone = await trx.deleteFrom('agent_modes').where('last_used_at', '<', before).executeTakeFirst();
        return Number(gone.numDeletedRows);
      }),
  };
}

/** Bookkeeping: a full disk must not keep anybody from reading, and the next call tries again. */
async function ifPossible(write: Promise<unknown>): Promise<void> {
  await write.catch(() => undefined);
}

export type ModeRow = NonNullable<Awaited<ReturnType<typeof findOwn>>>;

function findOwn(db: ModeReader, { session, principal }: ModeCaller) {
  return (
    db
      .selectFrom('agent_modes')
      .select(['mode', 'context_id', 'set_at', 'last_used_at', 'fell_back_from'])
      .where('session_key', '=', session.key)
      // The key has the user in it already; a mode must never reach anybody else.
      .where('user_id', '=', principal.user_id)
      .executeTakeFirst()
  );
}

function findEarlier(db: ModeReader, { principal }: ModeCaller, since: string) {
  return db
    .selectFrom('agent_modes')
    .select(['mode', 'context_id'])
    .where('user_id', '=', principal.user_id)
    .where('agent_id', '=', principal.agent_id)
    .where('machine_id', '=', principal.machine_id)
    .where('last_used_at', '>=', since)
    .orderBy('last_used_at', 'desc')
    .orderBy('set_at', 'desc')
    .orderBy('session_key')
    .limit(1)
    .executeTakeFirst();
}

function contextOf(row: { readonly mode: string; readonly context_id: string | null }): ModeContext {
  return { mode: row.mode as OperatingMode, context_id: row.context_id };
}

function rowOf({ principal }: ModeCaller, { mode, context_id }: ModeContext, now: string) {
  const { user_id, agent_id, machine_id } = principal;
  return { user_id, agent_id, machine_id, mode, context_id, set_at: now, last_used_at: now, fell_back_from: null };
}

async function touch(trx: ModeTrx, session_key: string, last_used_at: string): Promise<void> {
  await trx.updateTable('agent_modes').set({ last_used_at }).where('session_key', '=', session_key).execute();
}

async function choose(trx: ModeTrx, caller: ModeCaller, mode: ModeContext, now: string): Promise<string> {
  const values = rowOf(caller, mode, now);
  await trx
    .insertInto('agent_modes')
    .values({ session_key: caller.session.key, ...values })
    .onConflict((conflict) => conflict.column('session_key').doUpdateSet(values))
    .execute();
  return now;
}

async function fallBack(trx: ModeTrx, caller: ModeCaller, from: ModeContext, now: string): Promise<boolean> {
  const { mode, context_id } = from;
  const changed = await trx
    .updateTable('agent_modes')
    .set({ ...SOLO, set_at: now, last_used_at: now, fell_back_from: modeName(from) })
    .where('session_key', '=', caller.session.key)
    .where('user_id', '=', caller.principal.user_id)
    .where('mode', '=', mode)
    .where('context_id', context_id === null ? 'is' : '=', context_id)
    .executeTakeFirst();
  return changed.numUpdatedRows > 0n;
}

/** `solo`, or the mode with what it is about: `team team_01...`. */
export function modeName({ mode, context_id }: ModeContext): string {
  return context_id === null ? mode : `${mode} ${context_id}`;
}

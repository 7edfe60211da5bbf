// Leases in the store's own table: the authority on who may do a piece of work, on every engine, with or without Redis.
import { type Expression, type Kysely, sql } from 'kysely';
import type { Clock } from '../../kernel/clock.ts';
import type { Lease, LeaseStore } from './port.ts';

export interface LeaseTable {
  name: string;
  /** Empty where it was given back. */
  holder: string;
  token: number;
  expires_at_ms: number;
}

interface LeaseTables {
  leases: LeaseTable;
}

export interface StoreLeaseDeps {
  /** The store's write door; the work may run more than once, each time as if it were the first. */
  readonly write: <T>(work: (trx: Kysely<LeaseTables>) => Promise<T>) => Promise<T>;
  readonly clock: Clock;
  readonly member_id: string;
  /**
   * The engine's own time in milliseconds, for a store that several machines share: with it their clocks need not
   * agree, they only have to run equally fast.
   */
  readonly engine_now_ms?: Expression<number>;
}

/** PostgreSQL's own time, in milliseconds since the Unix epoch. */
export const postgresNowMs: Expression<number> = sql<number>`floor(extract(epoch from clock_timestamp()) * 1000)::bigint`;

/**
 * Leases by one conditional upsert each: the row changes only where nobody holds it, and whoever gets a row back is the
 * holder. The token stays in the row after a release or an expiry and grows with every holder (a fencing token, after
 * M. Kleppmann, "How to do distributed locking", 2016). Rejects with what `write` rejects with.
 */
export function createStoreLeases(deps: StoreLeaseDeps): LeaseStore {
  const { write, clock, member_id } = deps;
  const engine_now_ms = deps.engine_now_ms;
  const now = (later_ms = 0): Expression<number> =>
    engine_now_ms ? sql<number>`${engine_now_ms} + ${later_ms}` : sql<number>`${clock.now() + later_ms}`;

  async function acquire(name: string, ttl_ms: number): Promise<Lease | undefined> {
    const asked_ms = clock.now();
    const row = await write((trx) =>
      trx
        .insertInto('leases')
        .values({ name, holder: member_id, token: 1, expires_at_ms: now(ttl_ms) })
        .onConflict((conflict) =>
          conflict
            .column('name')
            .doUpdateSet({
              holder: member_id,
              token: sql<number>`leases.token + 1`,
              expires_at_ms: sql<number>`excluded.expires_at_ms`,
            })
            .where((is) => is.or([is('leases.holder', '=', ''), is('leases.expires_at_ms', '<=', now())])),
        )
        .returning('token')
        .executeTakeFirst(),
    );
    // Some drivers give 64-bit integers as text.
    return row && hold(name, Number(row.token), ttl_ms, asked_ms);
  }

  function hold(name: string, token: number, ttl_ms: number, asked_ms: number): Lease {
    let sure_until_ms = asked_ms + ttl_ms;
    const mine = (trx: Kysely<LeaseTables>) =>
      trx.updateTable('leases').where('name', '=', name).where('token', '=', token).where('holder', '=', member_id);
    return {
      name,
      token,
      held: () => clock.now() < sure_until_ms,
      async renew() {
        const started_ms = clock.now();
        // Run out but taken by nobody is still ours: the token shows that nobody was in between.
        const renewed = await write((trx) =>
          mine(trx)
            .set({ expires_at_ms: now(ttl_ms) })
            .returning('token')
            .executeTakeFirst(),
        );
        sure_until_ms = renewed ? started_ms + ttl_ms : 0;
        return renewed !== undefined;
      },
      async release() {
        sure_until_ms = 0;
        await write((trx) => mine(trx).set({ holder: '', expires_at_ms: 0 }).execute());
      },
    };
  }

  return { acquire };
}

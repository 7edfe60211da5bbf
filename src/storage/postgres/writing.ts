// Connections for transactions: they know their transaction's id, so that a commit whose answer was lost is no riddle.
import { setTimeout } from 'node:timers/promises';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import { isLinkLost } from './errors.ts';
import type { Ask } from './prepared.ts';

const PAUSE_MS = 50;

/**
 * A pool whose transactions are committed exactly when `commit` resolves. Where the connection is lost while the commit
 * is under way, the server is asked by the transaction's id what became of it (pg_xact_status): `commit` then resolves,
 * or rejects with the lost connection, or with `unavailable` where the server stays away too long to tell.
 */
export function writingPool(pool: pg.Pool, ask: Ask): PostgresPool {
  return {
    options: {},
    connect: async () => writingClient(pool, await pool.connect(), ask),
    // The pool belongs to whoever made it.
    end: async () => {},
  } as PostgresPool;
}

function writingClient(pool: pg.Pool, client: pg.PoolClient, ask: Ask): PostgresPoolClient {
  let xid: string | undefined;
  const query = async (text: string, values: unknown[]) => {
    if (text === 'begin') {
      xid = await begin(client);
      return { command: 'BEGIN', rowCount: 0, rows: [] };
    }
    if (text !== 'commit' || xid === undefined) return ask(client, text, values);
    try {
      return await ask(client, text, values);
    } catch (error) {
      if (!isLinkLost(error) || !(await wasKept(pool, xid, error))) throw error;
      return { command: 'COMMIT', rowCount: 0, rows: [] };
    }
  };
  return { query, release: (destroy: boolean) => client.release(destroy) } as unknown as PostgresPoolClient;
}

/** Both in one message: a transaction costs no round trip more for knowing its id. */
async function begin(client: pg.PoolClient): Promise<string> {
  const answers: unknown = await client.query('begin; select pg_current_xact_id()::text as xid');
  const last = Array.isArray(answers) ? (answers.at(-1) as pg.QueryResult<{ xid: string }>) : undefined;
  const xid = last?.rows[0]?.xid;
  if (xid === undefined) throw new Error('PostgreSQL began a transaction without telling its id.');
  return xid;
}

/** Whether a transaction whose commit nobody answered was committed. */
async function wasKept(pool: pg.Pool, xid: string, cause: unknown): Promise<boolean> {
  const deadline_ms = performance.now() + limits.store_busy_timeout_ms;
  for (;;) {
    try {
      const { rows } = await pool.query<{ status: string | null }>('select pg_xact_status($1::text::xid8) as status', [
        xid,
      ]);
      if (rows[0]?.status === 'committed') return true;
      if (rows[0]?.status === 'aborted') return false;
    } catch (error) {
      if (!isLinkLost(error)) throw error;
    }
    if (performance.now() > deadline_ms) {
      throw failure(
        'unavailable',
        'PostgreSQL went away while a change was being confirmed.',
        'Read before you repeat it: the change may have been kept.',
        { cause },
      );
    }
    await setTimeout(PAUSE_MS);
  }
}

// Connections for transactions that leave a mark with their commit, so that one whose answer was lost is no riddle.
//
// The transaction's id alone would not tell: an id whose records a crash lost is given again to another transaction, and
// "committed" then speaks of that one. The mark is a row of the connection's own, written in the message that commits, so
// it costs no round trip; whether the transaction has ended at all is asked by its id (pg_xact_status).
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import { isFutureTransaction, isLinkLost } from './errors.ts';
import type { Ask } from './prepared.ts';

const PAUSE_MS = 50;
/** Far longer than anybody asks for a mark. */
const MARKS_KEPT_HOURS = 24;

/**
 * A pool whose transactions are committed exactly when `commit` resolves. Where the connection is lost while the commit
 * is under way, the server is asked what became of it: `commit` then resolves, or rejects with the lost connection, or
 * with `unavailable` where the server stays away too long to tell. Needs a migrated store.
 */
export function writingPool(pool: pg.Pool, ask: Ask): PostgresPool {
  const writers = new WeakMap<pg.PoolClient, string>();
  const writerOf = (client: pg.PoolClient): string => {
    const writer = writers.get(client) ?? randomUUID();
    writers.set(client, writer);
    return writer;
  };
  return {
    options: {},
    connect: async () => {
      const client = await pool.connect();
      return writingClient(pool, client, writerOf(client), ask);
    },
    // The pool belongs to whoever made it.
    end: async () => {},
  } as PostgresPool;
}

/** Removes the marks of connections that ended long ago. */
export async function forgetOldMarks(pool: pg.Pool): Promise<void> {
  await pool.query(`delete from commit_marks where made_at < now() - interval '${MARKS_KEPT_HOURS} hours'`);
}

interface Commit {
  readonly xid: string;
  readonly writer: string;
  readonly mark: string;
}

function writingClient(pool: pg.Pool, client: pg.PoolClient, writer: string, ask: Ask): PostgresPoolClient {
  let xid: string | undefined;
  /** Why the connection answers no more: it is not asked again, and nobody gets it after this transaction. */
  let lost: { readonly error: unknown } | undefined;
  const noticing = async <T>(asked: Promise<T>): Promise<T> => {
    try {
      return await asked;
    } catch (error) {
      if (isLinkLost(error)) lost = { error };
      throw error;
    }
  };
  const query = async (text: string, values: unknown[]) => {
    if (lost) throw lost.error;
    if (text === 'begin') {
      xid = await noticing(begin(client));
      return { command: 'BEGIN', rowCount: 0, rows: [] };
    }
    if (text !== 'commit' || xid === undefined) return noticing(ask(client, text, values));
    const commit = { xid, writer, mark: randomUUID() };
    try {
      await noticing(client.query(marked(commit)));
    } catch (error) {
      if (!isLinkLost(error) || !(await wasKept(pool, commit, error))) throw error;
    }
    return { command: 'COMMIT', rowCount: 0, rows: [] };
  };
  const release = (destroy: boolean) => client.release(destroy || lost !== undefined);
  return { query, release } as unknown as PostgresPoolClient;
}

/** Both in one message: a transaction costs no round trip more for knowing its id. */
async function begin(client: pg.PoolClient): Promise<string> {
  const answers: unknown = await client.query('begin; select pg_current_xact_id()::text as xid');
  const last = Array.isArray(answers) ? (answers.at(-1) as pg.QueryResult<{ xid: string }>) : undefined;
  const xid = last?.rows[0]?.xid;
  if (xid === undefined) throw new Error('PostgreSQL began a transaction without telling its id.');
  return xid;
}

/** The values are our own random names: a message of several statements takes no parameters. */
function marked({ writer, mark }: Commit): string {
  return `insert into commit_marks (writer, mark, made_at) values ('${writer}', '${mark}', now())
    on conflict (writer) do update set mark = excluded.mark, made_at = excluded.made_at; commit`;
}

/** Whether a transaction whose commit nobody answered was committed. */
async function wasKept(pool: pg.Pool, commit: Commit, cause: unknown): Promise<boolean> {
  const deadline_ms = performance.now() + limits.store_busy_timeout_ms;
  for (;;) {
    try {
      if (await hasEnded(pool, commit.xid)) return await hasMark(pool, commit);
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

async function hasEnded(pool: pg.Pool, xid: string): Promise<boolean> {
  try {
    const { rows } = await pool.query<{ status: string | null }>('select pg_xact_status($1::text::xid8) as status', [
      xid,
    ]);
    return rows[0]?.status !== 'in progress';
  } catch (error) {
    // A crash lost it, and its id was not given again yet.
    if (isFutureTransaction(error)) return true;
    throw error;
  }
}

/** Asked after the transaction has ended, in a statement of its own: it sees all that was committed by then. */
async function hasMark(pool: pg.Pool, { writer, mark }: Commit): Promise<boolean> {
  const { rows } = await pool.query<{ mark: string }>('select mark from commit_marks where writer = $1', [writer]);
  return rows[0]?.mark === mark;
}

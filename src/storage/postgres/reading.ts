// Reads that survive a restart of the server: a query whose connection was lost is asked again on a new one.
import { setTimeout } from 'node:timers/promises';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import { limits } from '../../kernel/limits.ts';
import { isLinkLost, postgresError } from './errors.ts';
import type { Ask } from './prepared.ts';

const PAUSE_MS = 100;

/** A pool for reads alone: asking twice changes nothing. Waits as long as a busy store is waited for. */
export function readingPool(pool: pg.Pool, place: string, ask: Ask): PostgresPool {
  return {
    options: {},
    connect: async () => {
      const deadline_ms = performance.now() + limits.store_busy_timeout_ms;
      return readingClient(pool, await connect(pool, deadline_ms, place), place, ask);
    },
    // The pool belongs to whoever made it.
    end: async () => {},
  } as PostgresPool;
}

async function connect(pool: pg.Pool, deadline_ms: number, place: string): Promise<pg.PoolClient> {
  for (;;) {
    try {
      return await pool.connect();
    } catch (error) {
      if (!isLinkLost(error) || performance.now() > deadline_ms) throw postgresError(error, place);
    }
    await setTimeout(PAUSE_MS);
  }
}

function readingClient(pool: pg.Pool, first: pg.PoolClient, place: string, ask: Ask): PostgresPoolClient {
  /** Absent while there is none: one that was lost is not given back to be asked by others. */
  let client: pg.PoolClient | undefined = first;
  const query = async (text: string, values: unknown[]) => {
    const deadline_ms = performance.now() + limits.store_busy_timeout_ms;
    for (;;) {
      client ??= await connect(pool, deadline_ms, place);
      try {
        return await ask(client, text, values);
      } catch (error) {
        if (!isLinkLost(error)) throw postgresError(error, place);
        client.release(true);
        client = undefined;
        if (performance.now() > deadline_ms) throw postgresError(error, place);
      }
      await setTimeout(PAUSE_MS);
    }
  };
  return { query, release: () => client?.release() } as unknown as PostgresPoolClient;
}

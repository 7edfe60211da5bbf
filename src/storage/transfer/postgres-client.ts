// The one connection of a transfer to PostgreSQL: without time limits on statements, because some run for minutes.
import pg from 'pg';
import { postgresError } from '../postgres/errors.ts';
import { clientConfig, type PostgresSettings, placeOf } from '../postgres/pool.ts';

export interface TransferClient {
  readonly place: string;
  rows<T extends object>(sql: string, values?: readonly unknown[]): Promise<T[]>;
  /** Runs work in one transaction. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /** For what takes a pool: every connection it asks for is this one. */
  readonly pool: { connect(): Promise<unknown>; end(): Promise<void> };
  end(): Promise<void>;
}

/** Told apart from hubs, which may not be connected while a store is replaced. */
const APPLICATION_NAME = 'haivemind-transfer';

/** Connects. Errors as postgresError makes them. */
export async function connectTransfer(settings: PostgresSettings): Promise<TransferClient> {
  const { query_timeout: _, ...config } = clientConfig(settings);
  const place = placeOf(settings.url);
  const client = new pg.Client({ ...config, application_name: APPLICATION_NAME });
  // A connection that breaks is noticed by the query that meets it.
  client.on('error', () => {});
  const rows = async <T extends object>(sql: string, values: readonly unknown[] = []): Promise<T[]> => {
    try {
      return (await client.query(sql, [...values])).rows as T[];
    } catch (error) {
      throw postgresError(error, place);
    }
  };
  try {
    await client.connect();
    await client.query(
      "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set lock_timeout = '10s'; set client_min_messages = warning",
    );
  } catch (error) {
    await client.end().catch(() => {});
    throw postgresError(error, place);
  }
  const borrowed = {
    query: (...args: never[]) => (client.query as (...all: never[]) => unknown)(...args),
    release: () => {},
  };
  return {
    place,
    rows,
    pool: { connect: async () => borrowed, end: async () => {} },
    async transaction(work) {
      await rows('begin');
      try {
        const result = await work();
        await rows('commit');
        return result;
      } catch (error) {
        await rows('rollback').catch(() => {});
        throw error;
      }
    },
    end: () => client.end(),
  };
}

/** Processes of hubs that are connected to the same database. */
export async function connectedHubs(client: TransferClient): Promise<number> {
  const found = await client.rows<{ hubs: number }>(
    "select count(*) as hubs from pg_stat_activity where datname = current_database() and application_name = 'haivemind' and pid <> pg_backend_pid()",
  );
  return found[0]?.hubs ?? 0;
}

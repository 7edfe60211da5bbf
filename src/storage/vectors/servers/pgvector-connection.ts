// Connections to the PostgreSQL that holds the vectors: a small pool with deadlines, and its failures in our words.
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { failure, HaivemindError } from '../../../kernel/errors.ts';
import { postgresError } from '../../postgres/errors.ts';

export interface PgvectorPoolSettings {
  /** postgres://user:password@host:port/database */
  readonly url: string;
  readonly ssl?: boolean | ConnectionOptions | undefined;
  readonly connections_max?: number | undefined;
  /** For one statement of a search or a page. */
  readonly timeout_ms?: number | undefined;
  /** Until a connection is had, the wait for a free one included. */
  readonly connect_timeout_ms?: number | undefined;
}

export type Query = <Row extends object>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

export interface PgvectorConnections extends AsyncDisposable {
  /** Without user and password. */
  readonly place: string;
  /** Runs `work` in a transaction on one connection; again where the connection broke or another one was in the way. */
  transaction<T>(options: TransactionOptions, work: (query: Query) => Promise<T>): Promise<T>;
}

export interface TransactionOptions {
  /** `set local` statements after `begin`, sent with it; never anything a user wrote. */
  readonly settings?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** SQLSTATE of a table that is not there. */
export const UNDEFINED_TABLE = '42P01';

const CONNECTIONS_MAX = 4;
const TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 2_000;
const IDLE_TIMEOUT_MS = 30_000;
/** The client gives up this long after the server should have: the link is cut then. */
const CUT_LINK_MARGIN_MS = 2_000;
const ATTEMPTS_MAX = 3;

/** Serialisation failure and deadlock: another transaction won. */
const LOST_RACES = new Set(['40001', '40P01']);
const MISCONFIGURED = new Set(['28P01', '28000', '3D000', '42501', '3F000']);

export const sqlState = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Server shut down, connection refused, reset or timed out: codes of the system, classes 08 and 57, or pg's own words. */
const isAway = (error: unknown): boolean =>
  /^(?:E[A-Z_]{3,}|08\w{3}|57P\w\d|53300)$/.test(sqlState(error)) ||
  (error instanceof Error &&
    /connection (?:terminated|ended|timeout)|timeout exceeded|not queryable|read timeout/i.test(error.message));

const placeOf = (url: string): string => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'postgres:' || parsed?.protocol === 'postgresql:')
    return `${parsed.host || 'local socket'}${parsed.pathname}`;
  throw failure(
    'config_invalid',
    'The address of the PostgreSQL with the vectors is not a postgres URL.',
    'Write it as postgres://user@host:5432/database.',
  );
};

const explain = (place: string, error: unknown): unknown => {
  if (error instanceof HaivemindError) return error;
  const state = sqlState(error);
  const cause = { cause: error };
  if (MISCONFIGURED.has(state)) {
    const hint = 'Correct user, password, database and its rights in the address, then start again.';
    return failure('config_invalid', `PostgreSQL at ${place} refused us (SQLSTATE ${state}).`, hint, cause);
  }
  const hint = 'Start it or correct its address; memories are found by their words meanwhile.';
  if (state === '57014')
    return failure('unavailable', `PostgreSQL at ${place} took too long over the vectors.`, hint, cause);
  if (isAway(error)) return failure('unavailable', `PostgreSQL at ${place} cannot be reached.`, hint, cause);
  return postgresError(error, place);
};

/** Rejects as soon as the caller gives up; what runs on the server ends by its own deadline. */
const unlessAborted = async <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (!signal) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const give_up = () => reject(signal.reason);
  signal.addEventListener('abort', give_up, { once: true });
  if (signal.aborted) give_up();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', give_up);
  }
};

/** Makes the pool; it connects with the first transaction. Throws `config_invalid` on an address that is none. */
export const createPgvectorConnections = (settings: PgvectorPoolSettings): PgvectorConnections => {
  const place = placeOf(settings.url);
  const timeout_ms = settings.timeout_ms ?? TIMEOUT_MS;
  const pool = new pg.Pool({
    connectionString: settings.url,
    ...(settings.ssl === undefined ? {} : { ssl: settings.ssl }),
    max: settings.connections_max ?? CONNECTIONS_MAX,
    connectionTimeoutMillis: settings.connect_timeout_ms ?? CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    statement_timeout: timeout_ms,
    query_timeout: timeout_ms + CUT_LINK_MARGIN_MS,
    application_name: 'haivemind vectors',
    keepAlive: true,
    allowExitOnIdle: true,
  });
  // An idle connection that breaks is replaced with the next query; without a listener the process would end.
  pool.on('error', () => {});

  const once = async <T>(begin: string, work: (query: Query) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    let broken: Error | undefined;
    const notice = (error: Error) => {
      broken = error;
    };
    client.on('error', notice);
    try {
      await client.query(begin);
      const result = await work(async (text, values = []) => (await client.query(text, [...values])).rows);
      await client.query('commit');
      return result;
    } catch (error) {
      // A connection that cannot even roll back is of no use to the next caller.
      await client.query('rollback').catch(notice);
      throw error;
    } finally {
      client.removeListener('error', notice);
      client.release(broken);
    }
  };

  const repeated = async <T>(begin: string, work: (query: Query) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(begin, work);
      } catch (error) {
        const again = LOST_RACES.has(sqlState(error)) || isDropped(error);
        if (!again || attempt >= ATTEMPTS_MAX) throw explain(place, error);
      }
    }
  };

  return {
    place,
    transaction: async ({ settings: local = [], signal }, work) => {
      signal?.throwIfAborted();
      return unlessAborted(repeated(['begin', ...local].join('; '), work), signal);
    },
    [Symbol.asyncDispose]: () => pool.end(),
  };
};

/** A connection of the pool that the server had ended, as after its restart: a new one may work. */
const isDropped = (error: unknown): boolean =>
  ['57P01', 'ECONNRESET', 'EPIPE'].includes(sqlState(error)) ||
  (error instanceof Error && /connection terminated(?! due to)|not queryable/i.test(error.message));

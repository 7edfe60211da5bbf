// Connections to PostgreSQL: bounded, with time-outs on everything that can hang.
import pg from 'pg';
import { failure } from '../../kernel/errors.ts';
import { passFilePassword } from './pass-file.ts';

export interface PostgresSettings {
  /** postgres://user@host:port/database */
  readonly url: string;
  /** Where it is not in the URL. */
  readonly password?: string | undefined;
  readonly pool_max_count?: number | undefined;
  readonly statement_timeout_ms?: number | undefined;
  /** Certificate authority in PEM where the server's certificate is signed by one of one's own. */
  readonly ca?: string | undefined;
  /** A connection came to an end on its own. */
  readonly onError?: (error: unknown) => void;
}

const CONNECT_TIMEOUT_MS = 5_000;
const LOCK_TIMEOUT_MS = 10_000;
const IDLE_IN_TRANSACTION_MS = 60_000;
const IDLE_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_DELAY_MS = 10_000;
const POOL_MAX_COUNT = 10;
const STATEMENT_TIMEOUT_MS = 30_000;

const INT8 = 20;
const NUMERIC = 1700;

/** Counts and ids of 64 bits are numbers here: they stay far below 2^53. Sums of them come as numeric. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 || oid === NUMERIC
      ? Number
      : pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
};

/** Options every connection of ours has. Throws `config_invalid` for what is no URL of PostgreSQL. */
export function clientConfig(settings: PostgresSettings): pg.ClientConfig {
  return {
    ...addressOf(settings),
    application_name: 'haivemind',
    // Compiling pays for reports over whole tables; here it would cost a search more than the search.
    options: '-c jit=off',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: settings.statement_timeout_ms ?? STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    // The server may vanish without a word: the answer is not waited for longer than its own time-out and a little.
    query_timeout: (settings.statement_timeout_ms ?? STATEMENT_TIMEOUT_MS) + CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    types,
  };
}

/** What of the URL says how to encrypt: the driver would take it instead of an authority given apart. */
const TLS_PARAMETERS = ['ssl', 'sslmode'];
/** The driver takes them for verify-full, and says at length on standard error that a later one will check less. */
const TAKEN_FOR_VERIFY_FULL = new Set(['prefer', 'require', 'verify-ca']);
const OWN_CERTIFICATE = ['sslcert', 'sslkey', 'sslrootcert'];

/**
 * Where to connect, as the driver reads it. Password and authority go into one place with the URL: beside one, the driver
 * takes what the URL says, and that is none. A password in the URL wins; an authority means a connection that is
 * encrypted and checked, and so does every sslmode but `disable` and the driver's `no-verify`. Throws `config_invalid` for
 * what is no URL of PostgreSQL.
 */
export function addressOf({
  url,
  password,
  ca,
}: Pick<PostgresSettings, 'url' | 'password' | 'ca'>): Pick<pg.ClientConfig, 'connectionString' | 'ssl'> {
  assertPostgresUrl(url);
  const full = new URL(url);
  const connection = () => ({ connectionString: full.href === new URL(url).href ? url : full.href });
  const inside = full.password || full.searchParams.get('password');
  const apart = inside ? undefined : password || (process.env.PGPASSWORD ? undefined : passFilePassword(full));
  if (apart !== undefined) full.password = encodeURIComponent(apart);
  if (
    TAKEN_FOR_VERIFY_FULL.has(full.searchParams.get('sslmode') ?? '') &&
    full.searchParams.get('uselibpqcompat') !== 'true'
  )
    full.searchParams.set('sslmode', 'verify-full');
  // Its files name the authority beside the certificate.
  if (ca === undefined || OWN_CERTIFICATE.some((name) => full.searchParams.has(name))) return connection();
  for (const name of TLS_PARAMETERS) full.searchParams.delete(name);
  return { ...connection(), ssl: { ca } };
}

export function createPool(settings: PostgresSettings): pg.Pool {
  const pool = new pg.Pool({
    ...clientConfig(settings),
    max: settings.pool_max_count ?? POOL_MAX_COUNT,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
  });
  // An idle connection that breaks would otherwise end the process.
  pool.on('error', (error) => settings.onError?.(error));
  pool.on('connect', (client) => client.on('error', (error) => settings.onError?.(error)));
  return pool;
}

function assertPostgresUrl(url: string): void {
  const parsed = /^postgres(ql)?:\/\//.test(url) ? URL.parse(url) : null;
  if (!parsed) {
    throw failure(
      'config_invalid',
      'The database URL is not one of PostgreSQL.',
      'Write it as postgres://user@host:5432/database in HAIVEMIND_DATABASE_URL or storage.postgres.url.',
    );
  }
  // What follows would be taken for host and database, and shown as such.
  if (!/[#@]/.test(parsed.pathname + parsed.hash)) return;
  throw failure(
    'config_invalid',
    'The database URL has a character in its user or password that ends them there.',
    'Write / as %2F, # as %23, ? as %3F and @ as %40 in them, or give the password by storage.postgres.password.',
  );
}

/** host:port/database, for people: neither user nor password. */
export function placeOf(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname || 'local socket'}:${port || '5432'}${pathname}`;
}

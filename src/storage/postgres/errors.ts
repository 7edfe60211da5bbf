// Turns what PostgreSQL and its driver throw into errors that tell the reader what to do. Codes: PostgreSQL, appendix A.
import { DatabaseError } from 'pg';
import { failure, HaivemindError } from '../../kernel/errors.ts';
import { StaleRead } from '../engine.ts';

const UNIQUE_VIOLATION = '23505';
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const INVALID_PARAMETER_VALUE = '22023';
const IN_FAILED_SQL_TRANSACTION = '25P02';
/** The server is going down, was killed, is not up yet, or has ended this connection because nothing came over it. */
const NOT_SERVING = new Set(['57P01', '57P02', '57P03', '57P05', '25P03', '08000', '08001', '08003', '08004', '08006']);
/** A name that is not known at the moment: mistyped, the server moves, or the name server is away. */
const NAME_UNKNOWN = new Set(['ENOTFOUND', 'EAI_AGAIN']);
const LINK_LOST = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  ...NAME_UNKNOWN,
]);
/** The driver's own words for a lost connection; it gives them no code. */
const LINK_LOST_WORDS =
  /connection terminated|connection error and is not queryable|timeout exceeded when trying to connect|connection timeout|query read timeout/i;
/** What Node and OpenSSL call a certificate they do not accept, and the driver's words for a server without TLS. */
const TLS_CODES = /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;
const TLS_WORDS = /does not support SSL connections/;
/** The driver's own words for a server that asks for a password where none, or an empty one, was given. */
const PASSWORD_WORDS = /client password must be a (?:non-empty )?string/;

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** True where the connection is gone or the server does not serve at the moment. */
export function isLinkLost(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isLinkLost);
  if (error instanceof DatabaseError) return NOT_SERVING.has(error.code ?? '');
  return LINK_LOST.has(codeOf(error)) || (error instanceof Error && LINK_LOST_WORDS.test(error.message));
}

/** True for `pg_xact_status` of an id that was not given yet. */
export function isFutureTransaction(error: unknown): boolean {
  return codeOf(error) === INVALID_PARAMETER_VALUE;
}

/** True where the engine gave up a transaction because of others: running it again helps, and nothing of it was kept. */
export function isConflict(error: unknown): boolean {
  return codeOf(error) === SERIALIZATION_FAILURE || codeOf(error) === DEADLOCK_DETECTED;
}

/** True where a transaction could not go on, or be committed, because a statement of it had failed before. */
export function isAbortedTransaction(error: unknown): boolean {
  return codeOf(error) === IN_FAILED_SQL_TRANSACTION;
}

/** True where another process was faster: the same text was stored, or the row changed since it was read. */
export function isLostRace(error: unknown): boolean {
  return error instanceof StaleRead || isConflict(error) || codeOf(error) === UNIQUE_VIOLATION;
}

/** Maps a failure of the engine to a HaivemindError; others come back unchanged. `place` names no password. */
export function postgresError(error: unknown, place: string): unknown {
  if (error instanceof HaivemindError) return error;
  const code = codeOf(error);
  if (NAME_UNKNOWN.has(code))
    return failure(
      'unavailable',
      `PostgreSQL at ${place} cannot be reached: the name of its host is not known (${code}).`,
      'Correct the host in HAIVEMIND_DATABASE_URL or storage.postgres.url, or look after the name server.',
      { cause: error },
    );
  if (isLinkLost(error)) {
    return failure(
      'unavailable',
      `PostgreSQL at ${place} does not answer.`,
      'Check that it runs and can be reached; the call can be repeated. `haivemind doctor` looks closer.',
      { cause: error },
    );
  }
  const words = error instanceof Error ? error.message : '';
  const refused = TLS_CODES.test(code)
    ? UNTRUSTED
    : (REFUSED_BY_DRIVER.find(({ words: known }) => known.test(words)) ?? REFUSALS[code] ?? REFUSALS[code.slice(0, 2)]);
  if (!refused) return error;
  const which = refused === UNTRUSTED ? ` (${code})` : '';
  return failure(refused.code, `PostgreSQL at ${place}: ${refused.message}${which}`, refused.hint, { cause: error });
}

interface Refusal {
  readonly code: 'config_invalid' | 'storage_full' | 'storage_read_only' | 'unavailable';
  readonly message: string;
  readonly hint: string;
}

const UNTRUSTED: Refusal = {
  code: 'config_invalid',
  message: 'no encrypted connection that can be trusted.',
  hint: 'Set storage.postgres.ca_file to the authority that signed its certificate, and name the server in the URL as the certificate does.',
};

/** What the driver refuses by itself, without a code. */
const REFUSED_BY_DRIVER: readonly (Refusal & { readonly words: RegExp })[] = [
  {
    words: PASSWORD_WORDS,
    code: 'config_invalid',
    message: 'it wants a password, and none was given.',
    hint: 'Give it by PGPASSWORD, by ~/.pgpass (mode 0600), or by storage.postgres.password = "file:/path" in the configuration.',
  },
  {
    words: TLS_WORDS,
    code: 'config_invalid',
    message: 'it offers no encrypted connection, and the settings ask for one.',
    hint: 'Turn TLS on there (ssl = on), or take sslmode and storage.postgres.ca_file away where the connection stays on this machine.',
  },
];

const REFUSALS: Readonly<Record<string, Refusal>> = {
  '28': {
    code: 'config_invalid',
    message: 'the user or password was refused.',
    hint: 'Correct HAIVEMIND_DATABASE_URL or storage.postgres, or the server’s pg_hba.conf.',
  },
  '08P01': {
    code: 'config_invalid',
    message: 'it, or a pooler before it, does not take the settings of our connections.',
    hint: 'Connect past the pooler, or let PgBouncer run with pool_mode = session and ignore_startup_parameters = options, statement_timeout, lock_timeout, idle_in_transaction_session_timeout.',
  },
  '3F000': {
    code: 'config_invalid',
    message: 'no schema of the search path exists.',
    hint: 'Create the schema, or correct the search_path of the user or of the URL.',
  },
  '3D000': {
    code: 'config_invalid',
    message: 'the database does not exist.',
    hint: 'Create it: createdb --owner <user> --template template0 --encoding UTF8 --locale C.UTF-8 <name>.',
  },
  '42501': {
    code: 'config_invalid',
    message: 'the user may not do this.',
    hint: 'Make the user the owner of the database, or grant it CREATE on the schema.',
  },
  '53100': {
    code: 'storage_full',
    message: 'its disk is full.',
    hint: 'Free space there; nothing that was confirmed is lost.',
  },
  '53300': {
    code: 'unavailable',
    message: 'it has no connection left.',
    hint: 'Raise max_connections there, or lower storage.postgres.pool_max_count of the hubs.',
  },
  '25006': {
    code: 'storage_read_only',
    message: 'it is read-only.',
    hint: 'This is a standby or in recovery: connect to the primary (target_session_attrs=read-write).',
  },
  '57014': {
    code: 'unavailable',
    message: 'the statement took too long and was stopped.',
    hint: 'Try again, or ask for less.',
  },
  '55P03': {
    code: 'unavailable',
    message: 'a lock was not had in time.',
    hint: 'Another process writes for very long; try again.',
  },
};

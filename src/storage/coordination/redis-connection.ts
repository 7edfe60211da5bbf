// Connections to Redis: from settings to a client, what the server says about itself, and failures in words for people.
import { readFileSync } from 'node:fs';
import { ConnectionTimeoutError, createClient, ErrorReply } from '@redis/client';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import { NoAnswerError } from './link.ts';

export interface RedisTls {
  /** File of certificates (PEM) that sign the server's; without it, those that Node trusts. */
  readonly ca_file?: string | undefined;
}

export interface RedisSettings {
  /** `redis://` or `rediss://` (TLS), with host, port, user, password and database number where needed. */
  readonly url: string;
  /** Wins over the one in the URL. */
  readonly password?: string | undefined;
  /** Given, also empty: TLS, whatever the URL says. */
  readonly tls?: RedisTls | undefined;
}

/** Settings read and checked; `place` is for people and holds no secret. */
export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly tls: RedisTls | undefined;
  readonly place: string;
}

export const REDIS_MAJOR_MIN = 7;
const DEFAULT_PORT = 6379;

/** Throws `config_invalid`, without the URL in it: it may hold a password. */
export function readRedisSettings({ url, password, tls }: RedisSettings): RedisTarget {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const database = Number(parsed?.pathname.slice(1) || '0');
  if (
    !parsed?.hostname ||
    !['redis:', 'rediss:'].includes(parsed.protocol) ||
    !Number.isInteger(database) ||
    database < 0
  )
    throw failure(
      'config_invalid',
      'storage.redis.url is not the address of a Redis server.',
      'Write it as redis://host:6379 or rediss://host:6379 (TLS), with /<number> for a database other than 0.',
    );
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(parsed.port || DEFAULT_PORT);
  const secure = tls ?? (parsed.protocol === 'rediss:' ? {} : undefined);
  const { username, password: inUrl } = credentialsOf(parsed);
  return {
    host,
    port,
    username,
    password: password ?? inUrl,
    database,
    tls: secure,
    place: `${parsed.hostname}:${port}${database ? `, database ${database}` : ''}${secure ? ' (TLS)' : ''}`,
  };
}

function credentialsOf(url: URL): { username: string | undefined; password: string | undefined } {
  const plain = (text: string): string | undefined => {
    try {
      return text === '' ? undefined : decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  return { username: plain(url.username), password: plain(url.password) };
}

export type RedisConnection = ReturnType<typeof newRedisClient>;

/** A client that is not connected yet and gives up at its first failure: reconnecting is the link's business. */
export function newRedisClient(target: RedisTarget, name: string) {
  const { host, port, username, password, database, tls } = target;
  const common = {
    host,
    port,
    connectTimeout: limits.coordination_connect_timeout_ms,
    keepAlive: true,
    keepAliveInitialDelay: limits.coordination_keep_alive_ms,
    reconnectStrategy: false as const,
  };
  return createClient({
    socket: tls ? { ...common, tls: true, ...trusted(tls) } : common,
    name,
    database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    disableOfflineQueue: true,
    commandsQueueMaxLength: limits.coordination_queue_max_commands,
    maintNotifications: 'disabled',
  });
}

/** Read at each connection, so that a renewed certificate is used without a restart. */
function trusted({ ca_file }: RedisTls): { ca?: Buffer } {
  return ca_file === undefined ? {} : { ca: readFileSync(ca_file) };
}

export interface RedisServerFacts {
  readonly version: string;
  /** Another one after each start of the server, and on another server: what a restart may have lost is known by it. */
  readonly run_id: string;
  /** Since that start, in whole seconds: at most a second too little. */
  readonly uptime_ms: number;
}

/** Throws RedisTooOldError before anything else is asked of an older server. */
export async function askServer(client: RedisConnection): Promise<RedisServerFacts> {
  const info = await client.info('server');
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const version = field('redis_version');
  if (!(Number.parseInt(version, 10) >= REDIS_MAJOR_MIN)) throw new RedisTooOldError(version || 'unknown');
  return { version, run_id: field('run_id'), uptime_ms: 1000 * Number(field('uptime_in_seconds')) };
}

export class RedisTooOldError extends Error {
  readonly version: string;
  constructor(version: string) {
    super(`Redis ${version} is older than ${REDIS_MAJOR_MIN}.`);
    this.name = 'RedisTooOldError';
    this.version = version;
  }
}

export interface Trouble {
  /** What is wrong, half a sentence. */
  readonly what: string;
  readonly fix: string;
}

const RETRIED = 'It reconnects by itself.';

/** What a failure means and what mends it. Takes words from the error only where they cannot hold a secret. */
export function describeTrouble(error: unknown): Trouble {
  if (error instanceof RedisTooOldError)
    return {
      what: `is version ${error.version}, older than ${REDIS_MAJOR_MIN}`,
      fix: `Run Redis ${REDIS_MAJOR_MIN} or newer there, or point storage.redis.url at one.`,
    };
  if (error instanceof NoAnswerError || error instanceof ConnectionTimeoutError)
    return { what: 'does not answer in time', fix: `Look at the server's load and the network to it. ${RETRIED}` };
  if (error instanceof ErrorReply) return refused(error.message.split(' ', 1)[0] ?? '');
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/CERT|SSL|TLS|SIGNATURE|SELF_SIGNED|ALTNAME/.test(code))
    return {
      what: `fails the TLS check (${code})`,
      fix: "Set storage.redis.ca_file to the certificate that signed the server's, and name the server in storage.redis.url as its certificate does.",
    };
  if (code === 'ENOENT' || code === 'EACCES')
    return {
      what: `needs a certificate file that cannot be read (${code})`,
      fix: `Correct storage.redis.ca_file. ${RETRIED}`,
    };
  return {
    what: code ? `cannot be reached (${code})` : 'closed the connection',
    fix: `Start Redis or correct storage.redis.url. ${RETRIED}`,
  };
}

function refused(word: string): Trouble {
  if (['WRONGPASS', 'NOAUTH', 'NOPERM'].includes(word))
    return {
      what: `refuses this user or password (${word})`,
      fix: 'Correct storage.redis.password, or give this user access to all commands on its key prefix.',
    };
  if (word === 'OOM')
    return { what: 'is full (OOM)', fix: `Raise maxmemory or remove what else is stored there. ${RETRIED}` };
  if (word === 'READONLY')
    return { what: 'is a replica that takes no writes', fix: 'Point storage.redis.url at the primary.' };
  const known = /^[A-Z]{2,20}$/.test(word) ? word : 'an error';
  return { what: `answers with ${known}`, fix: `Look at the server's log. ${RETRIED}` };
}

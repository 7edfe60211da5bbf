// Which engines hold the store, its vectors and what processes share, from the file and the environment; secrets resolved.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { failure } from '../kernel/errors.ts';
import type { Config } from './schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface PostgresTarget {
  readonly url: string;
  readonly password?: string;
  readonly pool_max_count: number;
  readonly statement_timeout_ms: number;
  /** Certificate authority, PEM. */
  readonly ca?: string;
}

export interface RedisTarget {
  /** redis:// or rediss://, without a password where one is given apart. */
  readonly url: string;
  readonly password?: string;
  readonly tls?: { readonly ca_file: string };
  readonly prefix: string;
}

export interface ChromaTarget {
  readonly url: string;
  readonly token?: string;
  readonly tenant: string;
  readonly database: string;
}

/** A secret that is in a vault of the store itself, so that it can be had only once the store is open. */
export interface VaultReference {
  /** Of the configuration, for people. */
  readonly field: 'storage.redis.password' | 'storage.chromadb.token';
  /** Its id or name. */
  readonly vault: string;
  readonly key: string;
}

/** What is absent is not used. */
export interface Engines {
  readonly postgres?: PostgresTarget;
  readonly redis?: RedisTarget;
  readonly vectors:
    | { readonly engine: 'embedded' }
    | ({ readonly engine: 'chroma' } & ChromaTarget)
    | ({ readonly engine: 'pgvector' } & PostgresTarget);
}

/**
 * `folder`: what relative paths of the file start from. Errors: `config_invalid` for a secret that cannot be had, for one
 * that stands in an address of the file, and for an index whose server is not named.
 */
export function enginesOf(written: Config['storage'], env: Environment, folder = process.cwd()): Engines {
  refuseTypedSecrets(written);
  const storage = withFullPaths(written, folder);
  const postgres = postgresTarget(storage, env);
  const redis = redisTarget(storage, env);
  return {
    ...(postgres ? { postgres } : {}),
    ...(redis ? { redis } : {}),
    vectors: vectorsOf(storage, env, postgres),
  };
}

/** The secrets of the file that a vault holds, of engines that are used. */
export function vaultReferences(storage: Config['storage'], engines: Engines): readonly VaultReference[] {
  const { redis, vectors } = engines;
  const asked = [
    ['storage.redis.password', redis && redis.password === undefined ? storage.redis.password : undefined],
    ['storage.chromadb.token', vectors.engine === 'chroma' ? storage.chromadb.token : undefined],
  ] as const;
  return asked.flatMap(([field, reference]) => {
    const [, vault, key] = /^vault:([^/]+)\/(.+)$/.exec(reference ?? '') ?? [];
    return vault === undefined || key === undefined ? [] : [{ field, vault, key }];
  });
}

/** The engines with what the vaults hold put in its place. */
export function withVaultSecrets(engines: Engines, secrets: ReadonlyMap<VaultReference['field'], string>): Engines {
  const { redis, vectors } = engines;
  const password = secrets.get('storage.redis.password');
  const token = secrets.get('storage.chromadb.token');
  return {
    ...engines,
    ...(redis && password !== undefined ? { redis: { ...redis, password } } : {}),
    ...(vectors.engine === 'chroma' && token !== undefined ? { vectors: { ...vectors, token } } : {}),
  };
}

function postgresTarget({ postgres }: Config['storage'], env: Environment): PostgresTarget | undefined {
  const url = env.HAIVEMIND_DATABASE_URL || postgres.url;
  if (!url) return undefined;
  if (!/^postgres(ql)?:\/\//.test(url))
    throw notAUrl('HAIVEMIND_DATABASE_URL or storage.postgres.url', 'postgres://user@host:5432/database');
  return { ...postgresDetails(postgres, env), url };
}

function postgresDetails(postgres: Config['storage']['postgres'], env: Environment) {
  const { pool_max_count, statement_timeout_ms } = postgres;
  return {
    ...optional('password', secretOf(postgres.password, 'storage.postgres.password', env)),
    ...optional('ca', readCa(postgres.ca_file, 'storage.postgres.ca_file')),
    pool_max_count,
    statement_timeout_ms,
  };
}

function redisTarget({ redis }: Config['storage'], env: Environment): RedisTarget | undefined {
  const url = env.HAIVEMIND_REDIS_URL || redis.url || hostUrl(redis);
  if (!url) return undefined;
  if (!/^rediss?:\/\//.test(url)) throw notAUrl('HAIVEMIND_REDIS_URL or storage.redis.url', 'redis://host:6379/0');
  const { ca_file } = redis;
  // Read when connecting, but a wrong path is found now.
  readCa(ca_file, 'storage.redis.ca_file');
  return {
    url,
    // One in the URL wins, as with PostgreSQL: the environment's URL is not asked with the file's password.
    ...(URL.parse(url)?.password ? {} : optional('password', secretOf(redis.password, 'storage.redis.password', env))),
    ...(ca_file === undefined ? {} : { tls: { ca_file } }),
    prefix: redis.prefix,
  };
}

function hostUrl({ host, port, database, username, tls }: Config['storage']['redis']): string | undefined {
  if (host === undefined) return undefined;
  const user = username === undefined ? '' : `${encodeURIComponent(username)}@`;
  const name = host.includes(':') ? `[${host.replace(/^\[|\]$/g, '')}]` : host;
  return `${tls ? 'rediss' : 'redis'}://${user}${name}:${port}/${database}`;
}

function vectorsOf(
  storage: Config['storage'],
  env: Environment,
  postgres: PostgresTarget | undefined,
): Engines['vectors'] {
  const { chromadb, vectors } = storage;
  const url = env.HAIVEMIND_CHROMA_URL || chromadb.url;
  const engine = vectors.engine === 'auto' ? (url ? 'chroma' : 'embedded') : vectors.engine;
  if (engine === 'embedded') return { engine };
  if (engine === 'chroma') {
    if (!url || !/^https?:\/\//.test(url))
      throw notAUrl('HAIVEMIND_CHROMA_URL or storage.chromadb.url', 'http://host:8000');
    const { tenant, database } = chromadb;
    return {
      engine,
      url,
      ...optional('token', secretOf(chromadb.token, 'storage.chromadb.token', env)),
      tenant,
      database,
    };
  }
  if (vectors.url) return { ...postgresDetails(storage.postgres, env), engine, url: vectors.url };
  if (postgres) return { ...postgres, engine };
  throw failure(
    'config_invalid',
    'storage.vectors.engine is pgvector, but no PostgreSQL is named.',
    'Set HAIVEMIND_DATABASE_URL, or storage.vectors.url for a database of its own.',
  );
}

/** The files secrets are in, by field, with full paths. */
export function secretFiles(
  storage: Config['storage'],
  folder = process.cwd(),
): { readonly field: string; readonly path: string }[] {
  return SECRETS.flatMap(([section, name]) => {
    const reference = (storage[section] as Readonly<Record<string, unknown>>)[name];
    if (typeof reference !== 'string' || !reference.startsWith('file:')) return [];
    return [{ field: `storage.${section}.${name}`, path: resolve(folder, reference.slice('file:'.length)) }];
  });
}

const SECRETS = [
  ['postgres', 'password'],
  ['redis', 'password'],
  ['chromadb', 'token'],
] as const;

/** A file is found from the configuration that names it: a client starts us in whatever folder it works on. */
function withFullPaths(storage: Config['storage'], folder: string): Config['storage'] {
  const full = structuredClone(storage);
  for (const { field, path } of secretFiles(storage, folder)) {
    const [, section, name] = field.split('.') as ['storage', ...(typeof SECRETS)[number]];
    Object.assign(full[section], { [name]: `file:${path}` });
  }
  for (const section of ['postgres', 'redis'] as const) {
    const { ca_file } = full[section];
    if (ca_file !== undefined) full[section].ca_file = resolve(folder, ca_file);
  }
  return full;
}

const ADDRESSES = [
  ['postgres', 'storage.postgres.password'],
  ['redis', 'storage.redis.password'],
  ['vectors', 'storage.postgres.password'],
  ['chromadb', 'storage.chromadb.token'],
] as const;

/** The file is copied, shown and backed up; a secret has no place in it. The environment may carry one. */
function refuseTypedSecrets(storage: Config['storage']): void {
  for (const [section, instead] of ADDRESSES) {
    if (!hasPassword(storage[section].url)) continue;
    throw failure(
      'config_invalid',
      `storage.${section}.url has a password in it, which does not belong in the file.`,
      `Take it out of the address and set ${instead} to file:/path/to/secret (mode 0600) or env:NAME.`,
    );
  }
}

function hasPassword(address: string | undefined): boolean {
  if (address === undefined) return false;
  const url = URL.parse(address);
  // One that is not written as a URL wants it is still a password.
  if (!url) return /:\/\/[^/]*:.*@/.test(address);
  return url.password !== '' || Boolean(url.searchParams.get('password'));
}

/**
 * The value a reference stands for: `file:/path` (its text without the final line end) or `env:NAME`; undefined for
 * `vault:<vault>/<key>`, which is looked up when the store is open (`vaultReferences`).
 * A secret itself is never in the configuration file.
 */
function secretOf(reference: string | undefined, field: string, env: Environment): string | undefined {
  if (reference === undefined) return undefined;
  const [, kind, rest = ''] = /^(file|env|vault):(.+)$/.exec(reference) ?? [];
  if (kind === 'file') return readSecret(rest, field);
  if (kind === 'env' && env[rest]) return env[rest];
  if (kind === 'env')
    throw failure(
      'config_invalid',
      `${field}: the environment variable ${rest} is not set.`,
      'Set it, or use file:/path.',
    );
  if (kind === 'vault') {
    assertVaultReference(reference, field);
    return undefined;
  }
  throw failure(
    'config_invalid',
    `${field} is not a reference to a secret.`,
    'Write file:/path/to/secret (mode 0600) or env:NAME; the secret itself does not belong in the file.',
  );
}

/** Vaults are in the store: what opens the store cannot be in one. */
function assertVaultReference(reference: string, field: string): void {
  if (field === 'storage.postgres.password')
    throw failure(
      'config_invalid',
      `${field} cannot be in a vault: the vaults are in that database.`,
      'Use file:/path or env:NAME.',
    );
  if (/^vault:[^/]+\/.+$/.test(reference)) return;
  throw failure('config_invalid', `${field} is not vault:<vault>/<key>.`, 'For example vault:hub/redis_password.');
}

function readSecret(path: string, field: string): string {
  const secret = readText(path, field).replace(/\r?\n$/, '');
  if (secret !== '') return secret;
  throw failure('config_invalid', `${field}: ${path} is empty.`, 'Write the secret into it, and nothing else.');
}

function readCa(path: string | undefined, field: string): string | undefined {
  return path === undefined ? undefined : readText(path, field);
}

function readText(path: string, field: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw failure(
      'config_invalid',
      `${field}: ${path} cannot be read.`,
      'Correct the path and let this user read it.',
      { cause },
    );
  }
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

function notAUrl(field: string, example: string) {
  return failure('config_invalid', `${field} is not such a URL.`, `Write it as ${example}.`);
}

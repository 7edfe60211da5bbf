// Configuration: defaults, then the file, then the environment; anything invalid is one clear error before start.
import { existsSync, readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { failure } from '../kernel/errors.ts';
import { type Engines, enginesOf, type VaultReference, vaultReferences } from './engines.ts';
import { type Config, configSchema, MACHINE_ID_RULE, MACHINE_ID_SHAPE } from './schema.ts';

export interface LoadedConfig extends Omit<Config, 'server' | 'remote_server' | 'security'> {
  /** The sections `server` and `remote_server` of the file, and what the environment says. */
  readonly server: Config['server'] & Config['remote_server'];
  /** With the key file's full path. */
  readonly security: Security;
  readonly data_dir: string;
  readonly machine_id: string;
  readonly engines: Engines;
  /** Secrets of the engines that are still to be had from vaults. */
  readonly vault_references: readonly VaultReference[];
  /** The file that was read, if any. */
  readonly file: string | undefined;
}

type Security = Config['security'] & { readonly keyring: { readonly file: string } };
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration: the file HAIVEMIND_CONFIG names, else config.json in the data directory, else
 * config/config.json of the installation. Never one of the working directory: a client starts the stdio server in
 * whatever project it works on, and that project's config/config.json is not ours. Rejects with `config_invalid`.
 */
export function loadConfig(env: Environment, installRoot: string): LoadedConfig {
  const file = configFile(env, installRoot);
  const raw = file === undefined ? {} : readJson(file);
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue ? issue.path.join('.') : '';
    throw failure(
      'config_invalid',
      `${file ?? 'configuration'}: ${field}: ${issue?.message ?? 'invalid'}`,
      'Compare the file with config/config.schema.json.',
    );
  }
  return withEnvironment(parsed.data, env, file);
}

function configFile(env: Environment, installRoot: string): string | undefined {
  const named = env.HAIVEMIND_CONFIG;
  if (named) {
    if (existsSync(named)) return resolve(named);
    throw failure(
      'config_invalid',
      `HAIVEMIND_CONFIG names ${named}, which does not exist.`,
      'Correct the path or unset the variable.',
    );
  }
  const data_dir = env.HAIVEMIND_DATA_DIR || defaultDataDir(env);
  const candidates = [join(data_dir, 'config.json'), join(installRoot, 'config', 'config.json')];
  return candidates.find((path) => existsSync(path));
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unreadable';
    throw failure(
      'config_invalid',
      `${file} cannot be read as JSON: ${why}`,
      'Mend the file or remove it to use the defaults.',
      { cause },
    );
  }
}

function withEnvironment(config: Config, env: Environment, file: string | undefined): LoadedConfig {
  // An empty variable means unset: `resolve('')` would be the current directory.
  const data_dir = resolve(env.HAIVEMIND_DATA_DIR || config.storage.data_dir || defaultDataDir(env));
  const { remote_server, ...rest } = config;
  const engines = enginesOf(config.storage, env, file === undefined ? undefined : dirname(file));
  return {
    ...rest,
    server: {
      ...config.server,
      ...remote_server,
      host: env.HAIVEMIND_HOST || remote_server.host,
      port: portFrom(env, 'HAIVEMIND_PORT') ?? remote_server.port,
      log_level: logLevel(env) ?? config.server.log_level,
    },
    sync: { ...config.sync, port: portFrom(env, 'HAIVEMIND_SYNC_PORT') ?? config.sync.port },
    data_dir,
    security: withKeyFile(config.security, data_dir, file),
    machine_id: machineId(env) || config.claudeops.machine_id || hostname(),
    engines,
    vault_references: vaultReferences(config.storage, engines),
    file,
  };
}

/** A file is found from the configuration that names it: a client starts us in whatever folder it works on. */
function withKeyFile(security: Config['security'], data_dir: string, file: string | undefined): Security {
  const { keyring } = security;
  const folder = file === undefined ? process.cwd() : dirname(file);
  const path = keyring.file === undefined ? join(data_dir, 'keys', 'master.json') : resolve(folder, keyring.file);
  return { ...security, keyring: { ...keyring, file: path } };
}

/** The user data directory by the system's convention. */
export function defaultDataDir(env: Environment): string {
  if (process.platform === 'win32') return join(env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'haivemind');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'haivemind');
  return join(env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'haivemind');
}

/** It is part of keys, channels and logs, so it has to be a plain word. */
function machineId(env: Environment): string | undefined {
  const name = env.HAIVEMIND_MACHINE_ID;
  if (!name || MACHINE_ID_SHAPE.test(name)) return name;
  throw failure(
    'config_invalid',
    `HAIVEMIND_MACHINE_ID is no name of a machine: it ${MACHINE_ID_RULE}.`,
    'Use a name such as hub-1 or web.example.org.',
  );
}

function portFrom(env: Environment, name: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw failure(
    'config_invalid',
    `${name}=${text} is not a port.`,
    'Use a number from 0 to 65535; 0 picks a free port.',
  );
}

function logLevel(env: Environment): Config['server']['log_level'] | undefined {
  const text = env.HAIVEMIND_LOG_LEVEL;
  if (text === undefined || text === '') return undefined;
  const parsed = configSchema.shape.server.unwrap().shape.log_level.safeParse(text);
  if (parsed.success && parsed.data) return parsed.data;
  throw failure(
    'config_invalid',
    `HAIVEMIND_LOG_LEVEL=${text} is not a level.`,
    'Use debug, info, warn, error or silent.',
  );
}

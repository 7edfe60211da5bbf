// PostgreSQL from this machine's packages, with a cluster of its own, for one run of tests or benches.
import { spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { withClient } from './client.ts';
import { makePlace } from './place.ts';
import { type EngineServer, runEngine } from './process.ts';
import { postgresDirectory } from './programs.ts';

export interface PostgresOptions {
  /** A free one without it. */
  readonly port?: number;
  /** Waits for the disk at each commit, as in production: what figures have to be measured with. Default false. */
  readonly durable?: boolean;
}

export interface PostgresServer extends EngineServer {
  /** Of an empty database of a superuser without a password; loopback only. */
  readonly url: string;
}

const USER = 'haivemind';
const CONNECTIONS_MAX = 200;
/** The system user Debian's packages make: PostgreSQL refuses to run as root. */
const SYSTEM_USER = 'postgres';

/**
 * Starts an empty cluster (UTF-8, locale C.UTF-8). `stop` disconnects clients and ends in good order; `kill` is
 * PostgreSQL's immediate shutdown: nothing is written out and the next start recovers from the log, as after a crash,
 * without the orphaned processes that SIGKILL leaves holding the data directory. Throws where PostgreSQL is missing.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const programs = postgresDirectory();
  const owner = systemOwner();
  const place = makePlace('postgres', 'QUIT');
  const data = join(place.directory, 'data');
  try {
    if (owner) chownSync(place.directory, owner.uid, owner.gid);
    makeCluster(programs, data, place.directory, owner);
  } catch (error) {
    await place.remove();
    throw error;
  }
  const server = await runEngine({
    name: 'PostgreSQL',
    place,
    port: options.port,
    command: (port) => ({
      command: join(programs, 'postgres'),
      args: ['-D', data, '-p', String(port), ...settings(place.directory, options.durable ?? false)],
      env: environment(),
      ...owner,
    }),
    ready: /database system is ready to accept connections/,
    signals: { stop: 'SIGINT', kill: 'SIGQUIT' },
  });
  try {
    await withClient(urlOf(server.port, 'postgres'), (client) => client.query(`create database ${USER}`));
  } catch (error) {
    await server.stop();
    throw error;
  }
  return Object.assign(server, { url: urlOf(server.port, USER) });
}

function settings(directory: string, durable: boolean): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: directory,
    max_connections: String(CONNECTIONS_MAX),
    // Without it a commit still is with the system when it is acknowledged: it survives `kill`, though not a power cut.
    ...(durable ? {} : { fsync: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function makeCluster(programs: string, data: string, cwd: string, owner: Owner | undefined): void {
  const wanted = ['--auth=trust', `--username=${USER}`, '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'];
  const result = spawnSync(join(programs, 'initdb'), ['-D', data, ...wanted], {
    cwd,
    encoding: 'utf8',
    env: environment(),
    ...owner,
  });
  if (result.status === 0) return;
  throw new Error(`PostgreSQL could not make a cluster:\n${result.error?.message ?? result.stderr}`);
}

/** Without the settings a developer has for other servers (PGDATA, PGPORT, ...), and with messages in English. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:PG|LC_|LANG)/.test(name));
  return { ...Object.fromEntries(kept), LC_ALL: 'C.UTF-8' };
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Whom to run as: another user only where this process is root's. */
function systemOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(idOf(flag)));
  if (uid === undefined || gid === undefined || !(uid > 0) || !(gid > 0))
    throw new Error(`PostgreSQL does not run as root, and this machine has no user ${SYSTEM_USER} to run it as.`);
  return { uid, gid };
}

function idOf(flag: string): string {
  return spawnSync('id', [flag, SYSTEM_USER], { encoding: 'utf8' }).stdout ?? '';
}

function urlOf(port: number, database: string): string {
  return `postgres://${USER}@127.0.0.1:${port}/${database}`;
}

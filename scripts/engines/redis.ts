// Redis from this machine's packages, with settings of its own, for one run of tests or benches.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EnginePlace, makePlace } from './place.ts';
import { type EngineServer, runEngine } from './process.ts';
import { opensslProgram, redisProgram } from './programs.ts';

export interface RedisOptions {
  /** A free one without it. */
  readonly port?: number;
  readonly password?: string;
  /** Serves TLS and nothing else, with a certificate of an authority of its own (`ca_file`). */
  readonly tls?: boolean;
  /** Writes each change to its append-only file, so that `restart` finds it again. Default false. */
  readonly persist?: boolean;
}

export interface RedisServer extends EngineServer {
  /** `redis:` or `rediss:`; the password is in it where one was given. */
  readonly url: string;
  /** What a client has to trust, where TLS was asked for. */
  readonly ca_file?: string;
}

const CERTIFICATE_DAYS = 2;

/** `kill` is SIGKILL. Throws where redis-server is missing, or openssl where TLS is asked for. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = redisProgram();
  const openssl = options.tls ? opensslProgram() : undefined;
  const place = makePlace('redis', 'KILL');
  const settings_file = join(place.directory, 'redis.conf');
  try {
    if (openssl !== undefined) makeCertificate(openssl, place.directory);
    // In a file of its own mode: a password among the arguments would show in the list of processes.
    writeFileSync(settings_file, settings(place, options), { mode: 0o600 });
  } catch (error) {
    await place.remove();
    throw error;
  }
  const server = await runEngine({
    name: 'Redis',
    place,
    port: options.port,
    command: (port) => ({
      command: program,
      args: [settings_file, options.tls ? '--tls-port' : '--port', String(port)],
    }),
    ready: /Ready to accept connections/,
    signals: { stop: 'SIGTERM', kill: 'SIGKILL' },
  });
  const secret = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`;
  const url = `${options.tls ? 'rediss' : 'redis'}://${secret}127.0.0.1:${server.port}`;
  return Object.assign(server, { url, ...(options.tls ? { ca_file: join(place.directory, 'ca.crt') } : {}) });
}

function settings({ directory }: EnginePlace, options: RedisOptions): string {
  const lines = ['bind 127.0.0.1', `dir ${quoted(directory)}`, 'save ""', 'daemonize no', 'logfile ""'];
  if (options.persist) lines.push('appendonly yes', 'appendfsync always');
  if (options.password !== undefined) lines.push(`requirepass ${quoted(options.password)}`);
  if (options.tls) {
    lines.push('port 0', 'tls-auth-clients no');
    lines.push(`tls-ca-cert-file ${quoted(join(directory, 'ca.crt'))}`);
    lines.push(`tls-cert-file ${quoted(join(directory, 'server.crt'))}`);
    lines.push(`tls-key-file ${quoted(join(directory, 'server.key'))}`);
  }
  return `${lines.join('\n')}\n`;
}

function quoted(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&')}"`;
}

/** An authority and one certificate it signed for this machine's loopback names. */
function makeCertificate(openssl: string, directory: string): void {
  const names = join(directory, 'names.txt');
  writeFileSync(names, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const days = ['-days', String(CERTIFICATE_DAYS)];
  const steps = [
    ['req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=haivemind test authority', ...days],
    ['req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost'],
    [
      'x509',
      '-req',
      '-in',
      'server.csr',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      'server.crt',
    ].concat(['-extfile', names, ...days]),
  ];
  for (const step of steps) {
    const result = spawnSync(openssl, step, { cwd: directory, encoding: 'utf8' });
    if (result.status !== 0) throw new Error(`openssl could not make a certificate for Redis:\n${result.stderr}`);
  }
}

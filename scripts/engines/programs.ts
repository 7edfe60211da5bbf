// Finds the programs of the engines on this machine, in a version that will do.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian keeps PostgreSQL, one directory for each major version. */
const DEBIAN_POSTGRES = '/usr/lib/postgresql';
export const POSTGRES_MAJOR_MIN = 15;
export const REDIS_MAJOR_MIN = 7;

/** The directory with initdb and postgres: the newest of Debian's, else the one on PATH. Throws where there is none. */
export function postgresDirectory(): string {
  for (const directory of [...debianDirectories(), ...pathDirectories()]) {
    if (!isProgram(join(directory, 'initdb'))) continue;
    const major = majorOf(join(directory, 'postgres'), ['--version'], /(\d+)/);
    if (major !== undefined && major >= POSTGRES_MAJOR_MIN) return directory;
  }
  throw missing('PostgreSQL', 'postgresql', `${POSTGRES_MAJOR_MIN} or later`);
}

/** Throws where redis-server is missing or older than 7. */
export function redisProgram(): string {
  const found = pathDirectories()
    .map((directory) => join(directory, 'redis-server'))
    .find((path) => isProgram(path) && (majorOf(path, ['--version'], /v=(\d+)/) ?? 0) >= REDIS_MAJOR_MIN);
  if (found !== undefined) return found;
  throw missing('Redis', 'redis-server', `${REDIS_MAJOR_MIN} or later`);
}

/** Throws where openssl is missing. */
export function opensslProgram(): string {
  const found = pathDirectories()
    .map((directory) => join(directory, 'openssl'))
    .find(isProgram);
  if (found !== undefined) return found;
  throw missing('OpenSSL', 'openssl', 'any version');
}

function missing(name: string, debian_package: string, version: string): Error {
  return new Error(
    `${name} (${version}) was not found on this machine. On Debian: apt-get install --no-install-recommends ${debian_package}`,
  );
}

function debianDirectories(): string[] {
  try {
    return readdirSync(DEBIAN_POSTGRES)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(DEBIAN_POSTGRES, version, 'bin'));
  } catch {
    return [];
  }
}

function pathDirectories(): string[] {
  return (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function majorOf(program: string, args: readonly string[], pattern: RegExp): number | undefined {
  const found = pattern.exec(spawnSync(program, args, { encoding: 'utf8' }).stdout ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

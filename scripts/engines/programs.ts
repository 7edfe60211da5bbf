// Finds the programs of the engines on this machine, in a version that will do.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { EngineName } from './skipped.ts';

/** Where Debian keeps PostgreSQL, one directory for each major version. */
const DEBIAN_POSTGRES = '/usr/lib/postgresql';
const POSTGRES_MAJOR_MIN = 15;
const REDIS_MAJOR_MIN = 7;

/** What an engine needs of this machine, and the Debian package it comes in. */
export interface Program {
  readonly engine: EngineName;
  readonly name: string;
  readonly debian_package: string;
  /** Where it is; undefined where it is missing or too old. */
  find(): string | undefined;
}

const POSTGRES: Program = {
  engine: 'postgres',
  name: `PostgreSQL (${POSTGRES_MAJOR_MIN} or later)`,
  debian_package: 'postgresql',
  /** The directory with initdb and postgres: the newest of Debian's, else the one on PATH. */
  find: () =>
    [...debianDirectories(), ...pathDirectories()].find(
      (directory) =>
        isProgram(join(directory, 'initdb')) && majorOf(join(directory, 'postgres'), /(\d+)/) >= POSTGRES_MAJOR_MIN,
    ),
};
const REDIS: Program = {
  engine: 'redis',
  name: `Redis (${REDIS_MAJOR_MIN} or later)`,
  debian_package: 'redis-server',
  find: () => onPath('redis-server').find((path) => majorOf(path, /v=(\d+)/) >= REDIS_MAJOR_MIN),
};
const OPENSSL: Program = {
  engine: 'redis',
  name: 'OpenSSL',
  debian_package: 'openssl',
  find: () => onPath('openssl')[0],
};

const KEYRING = keyringPart('gnome-keyring-daemon', 'gnome-keyring');
const BUS = keyringPart('dbus-daemon', 'dbus');
const BUS_QUESTION = keyringPart('dbus-send', 'dbus');

export const PROGRAMS: readonly Program[] = [POSTGRES, REDIS, OPENSSL, KEYRING, BUS, BUS_QUESTION];

/** The directory with initdb and postgres. Throws where there is none. */
export const postgresDirectory = (): string => found(POSTGRES);
/** Throws where redis-server is missing or older than 7. */
export const redisProgram = (): string => found(REDIS);
/** Throws where openssl is missing. */
export const opensslProgram = (): string => found(OPENSSL);

/** These three throw where the program is missing. */
export const keyringProgram = (): string => found(KEYRING);
export const busProgram = (): string => found(BUS);
export const busQuestionProgram = (): string => found(BUS_QUESTION);

export function aptCommand(packages: readonly string[]): string {
  return `apt-get install --no-install-recommends ${packages.join(' ')}`;
}

/** A key ring of the system, or the message bus it is reached by: any version will do. */
function keyringPart(name: string, debian_package: string): Program {
  return { engine: 'keyring', name, debian_package, find: () => onPath(name)[0] };
}

function found(program: Program): string {
  const path = program.find();
  if (path !== undefined) return path;
  throw new Error(`${program.name} was not found on this machine. On Debian: ${aptCommand([program.debian_package])}`);
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

function onPath(name: string): string[] {
  return pathDirectories()
    .map((directory) => join(directory, name))
    .filter(isProgram);
}

/** The first number of its version; 0 where it does not tell. */
function majorOf(program: string, pattern: RegExp): number {
  return Number(pattern.exec(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? 0);
}

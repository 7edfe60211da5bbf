// hub.json in the data directory: how commands and stdio servers of this machine find the hub that runs on it.
import { constants, copyFileSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadedConfig } from '../../config/load.ts';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import type { Reach } from './reach.ts';

export interface HubRecord {
  /** Random; what answers at `url` proves with it that it is the hub of this file. */
  readonly hub_id: string;
  /** Makes this machine's commands the owner's, also where loopback is not trusted. The file is its owner's alone. */
  readonly owner_key: string;
  readonly pid: number;
  /** Base URL on loopback, without a slash at the end. */
  readonly url: string;
  /** Path of the socket stdio servers proxy to; empty where there is none. */
  readonly socket: string;
  readonly version: string;
  readonly machine_id: string;
  readonly started_at: string;
  /** Which store it serves, without a password; see `storeOf`. */
  readonly store: string;
  /** Where clients elsewhere reach it; absent in the file of an earlier version. */
  readonly reach?: Reach;
}

export type HubState =
  | { readonly state: 'none' }
  /** The file is there, its hub is not: it was killed. */
  | { readonly state: 'stale'; readonly hub: HubRecord | undefined; readonly detail: string }
  /** Something accepts connections there but does not answer in time. */
  | { readonly state: 'silent'; readonly hub: HubRecord; readonly detail: string }
  | { readonly state: 'alive'; readonly hub: HubRecord };

export function hubFile(data_dir: string): string {
  return join(data_dir, 'hub.json');
}

/** Undefined where the file is missing or is not a hub record. */
export function readHubFile(data_dir: string): HubRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(hubFile(data_dir), 'utf8'));
    return isHubRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isHubRecord(value: unknown): value is HubRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Readonly<Record<string, unknown>>;
  const texts = ['hub_id', 'owner_key', 'url', 'socket', 'version', 'machine_id', 'started_at', 'store'].every(
    (key) => typeof record[key] === 'string',
  );
  return texts && Number.isSafeInteger(record.pid) && URL.canParse(String(record.url));
}

/** Asks the hub named in the file who it is: a file alone proves nothing, its process may have been killed. */
export async function probeHub(data_dir: string): Promise<HubState> {
  const text = readIfPresent(hubFile(data_dir));
  if (text === undefined) return { state: 'none' };
  const hub = readHubFile(data_dir);
  if (!hub) return { state: 'stale', hub: undefined, detail: 'the file is not a hub record' };
  if (!processExists(hub.pid)) return { state: 'stale', hub, detail: `process ${hub.pid} is gone` };
  try {
    const answer = await fetch(`${hub.url}/health/live`, {
      signal: AbortSignal.timeout(limits.hub_probe_timeout_ms),
      redirect: 'error',
    });
    const live: unknown = await answer.json();
    const answered = typeof live === 'object' && live !== null && 'hub_id' in live ? live.hub_id : undefined;
    if (answered === hub.hub_id) return { state: 'alive', hub };
    return { state: 'stale', hub, detail: `${hub.url} belongs to another program` };
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError';
    if (timedOut) return { state: 'silent', hub, detail: `no answer in ${limits.hub_probe_timeout_ms} ms` };
    return { state: 'stale', hub, detail: `nothing answers at ${hub.url}` };
  }
}

/** Names the store a configuration means, for comparing. */
export function storeOf({ engines, data_dir }: Pick<LoadedConfig, 'engines' | 'data_dir'>): string {
  if (!engines.postgres) return data_dir;
  const { host, pathname } = new URL(engines.postgres.url);
  return `postgres://${host}${pathname}`;
}

/**
 * Whether a process of this configuration may leave its work to the hub. One that names no PostgreSQL means the store of
 * the data directory's hub, wherever that is.
 */
export function servesStoreOf(hub: HubRecord, config: Pick<LoadedConfig, 'engines' | 'data_dir'>): boolean {
  return !config.engines.postgres || hub.store === storeOf(config);
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return codeOf(error) === 'EPERM';
  }
}

/**
 * Makes this process the hub of the data directory and returns the way to resign. Linking a finished file into place
 * is atomic and fails where one exists, so of two hubs starting at once exactly one wins.
 * Rejects with `conflict` where another hub lives.
 */
export async function claimHub(data_dir: string, record: HubRecord): Promise<() => void> {
  const target = hubFile(data_dir);
  const draft = `${target}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  try {
    while (!linked(draft, target)) {
      const found = await probeHub(data_dir);
      if (found.state === 'alive' || found.state === 'silent') throw alreadyRunning(found.hub, found.state);
      // Moved, not deleted: a hub that took the place since the probe would otherwise lose its file.
      if (found.state === 'stale') moveAside(target, found.hub);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return () => {
    if (readHubFile(data_dir)?.started_at === record.started_at) rmSync(target, { force: true });
  };
}

function linked(from: string, to: string): boolean {
  for (const place of [linkSync, copyExclusively]) {
    try {
      place(from, to);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      if (place === copyExclusively) throw error;
    }
  }
  return false;
}

/** For file systems without hard links. */
function copyExclusively(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_EXCL);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function moveAside(target: string, stale: HubRecord | undefined): void {
  const aside = `${target}.stale-${process.pid}`;
  try {
    renameSync(target, aside);
  } catch {
    return;
  }
  const moved = readIfPresent(aside);
  const started_at = stale?.started_at ?? '';
  if (moved !== undefined && started_at !== '' && !moved.includes(started_at)) linked(aside, target);
  rmSync(aside, { force: true });
}

/** The error of a second hub on one data directory. */
export function alreadyRunning(hub: HubRecord, state: 'alive' | 'silent'): Error {
  return failure(
    'conflict',
    `A hub for this data directory already runs: process ${hub.pid} at ${hub.url}${state === 'silent' ? ', but it does not answer' : ''}.`,
    state === 'silent'
      ? `Stop it (kill ${hub.pid}) and start again.`
      : `Use it as it is, stop it (kill ${hub.pid}), or give this hub another HAIVEMIND_DATA_DIR.`,
    { details: { pid: hub.pid, url: hub.url } },
  );
}

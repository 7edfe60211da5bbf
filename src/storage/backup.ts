// Copies of the whole store: written while others go on writing, checked before they replace anything.
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { toIso } from '../kernel/clock.ts';
import { failure } from '../kernel/errors.ts';
import type { BackupReport } from './engine.ts';
import { makeDirectory } from './make-directory.ts';
import { SCHEMA_VERSION } from './migrations/index.ts';
import { isBusy, storageError } from './sqlite/errors.ts';
import { STORE_FILE } from './sqlite/open.ts';

/** Writes a consistent copy. Errors: `conflict` where the file exists, `storage_full`, `storage_read_only`. */
export async function backupStore(raw: DatabaseSync, path: string): Promise<BackupReport> {
  const target = resolve(path);
  if (existsSync(target))
    throw failure('conflict', `${target} exists already.`, 'Choose another name; a backup overwrites nothing.');
  const unfinished = `${target}.unfinished`;
  try {
    makeDirectory(dirname(target));
    rmSync(unfinished, { force: true });
    raw.prepare('vacuum into ?').run(unfinished);
    // A backup may lie outside the data directory, which only its owner can enter.
    chmodSync(unfinished, 0o600);
    const memories = inspectBackup(unfinished);
    renameSync(unfinished, target);
    return { bytes: statSync(target).size, memories };
  } catch (error) {
    // Where not even the folder can be made, there is nothing to take away.
    if (existsSync(unfinished)) rmSync(unfinished, { force: true });
    throw storageError(error, target);
  }
}

export interface RestoreReport {
  readonly memories: number;
  /** Where the earlier store lies now. */
  readonly kept: string | undefined;
}

/** Puts a checked copy in the place of a store that no process has open; the earlier one is kept beside it. */
export function restoreBackup(data_dir: string, backup: string): RestoreReport {
  const source = resolve(backup);
  if (!existsSync(source)) throw failure('not_found', `There is no backup ${source}.`, 'Check the path.');
  const memories = inspectBackup(source);
  const file = join(data_dir, STORE_FILE);
  try {
    makeDirectory(data_dir);
    if (existsSync(file)) refuseWhileOpen(file);
    return { memories, kept: replaceStore(data_dir, file, source) };
  } catch (error) {
    throw storageError(error, file);
  }
}

/** The copy is whole before the earlier store moves, so that a full disk costs nothing. Returns where that one lies. */
function replaceStore(data_dir: string, file: string, source: string): string | undefined {
  const incoming = `${file}.incoming`;
  try {
    copyFileSync(source, incoming);
    chmodSync(incoming, 0o600);
    flush(incoming);
    const kept = existsSync(file) ? keepEarlier(data_dir, file) : undefined;
    renameSync(incoming, file);
    flush(data_dir);
    return kept;
  } catch (error) {
    rmSync(incoming, { force: true });
    throw error;
  }
}

/** To the disk itself: after a power loss a renamed file must not be an empty one. */
export function flush(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** In WAL mode the exclusive lock is to be had only where nobody else has the file open. Errors: `unavailable`. */
export function refuseWhileOpen(file: string): void {
  let current: DatabaseSync | undefined;
  try {
    current = new DatabaseSync(file, { timeout: 0 });
    current.exec('pragma locking_mode = exclusive; begin exclusive; commit;');
  } catch (error) {
    if (isBusy(error)) {
      throw failure(
        'unavailable',
        `${file} is open in another process.`,
        'Stop the hub and the clients that use it, then restore again.',
        { cause: error },
      );
    }
    // A damaged store cannot be locked, and it is what a restore is for.
  } finally {
    current?.close();
  }
}

/** Moves a store's file to the backups folder of its data directory; returns where it lies then. */
export function keepEarlier(data_dir: string, file: string): string {
  const folder = join(data_dir, 'backups');
  makeDirectory(folder);
  const kept = join(folder, `before-restore-${toIso(Date.now()).replaceAll(':', '')}.db`);
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, kept + suffix);
  }
  return kept;
}

/** Vaults in a copy, whose master keys are never in it; undefined where there are none. */
export function vaultsInCopy(path: string): number | undefined {
  const copy = new DatabaseSync(path, { readOnly: true });
  try {
    // A copy from before there were vaults has no such table.
    if (!copy.prepare("select 1 from sqlite_schema where type = 'table' and name = 'vaults'").get()) return undefined;
    const row = copy.prepare('select count(*) as count from vaults where destroyed_at is null').get();
    return Number(row?.count ?? 0) || undefined;
  } finally {
    copy.close();
  }
}

/** Opens a copy read-only and checks it. Returns the number of living memories. */
export function inspectBackup(path: string): number {
  try {
    const copy = new DatabaseSync(path, { readOnly: true });
    try {
      const { user_version } = copy.prepare('pragma user_version').get() as { user_version: number };
      if (user_version < 1)
        throw failure(
          'storage_corrupt',
          `${path} is not a haivemind backup.`,
          'Choose a file that `haivemind backup` wrote.',
        );
      if (user_version > SCHEMA_VERSION) {
        throw failure(
          'storage_too_new',
          `${path} has schema ${user_version}; this program knows up to ${SCHEMA_VERSION}.`,
          'Update haivemind on this machine.',
        );
      }
      const { integrity_check } = copy.prepare('pragma integrity_check(1)').get() as { integrity_check: string };
      if (integrity_check !== 'ok') throw failure('storage_corrupt', `${path} is damaged.`, 'Choose another backup.');
      const { count } = copy.prepare('select count(*) as count from memories where deleted_at is null').get() as {
        count: number;
      };
      return count;
    } finally {
      copy.close();
    }
  } catch (error) {
    throw storageError(error, path);
  }
}

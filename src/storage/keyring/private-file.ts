// A small file that only its owner may read: made once whoever comes first, replaced by one process at a time, and on the
// disk before anybody relies on it. What it holds never gets into an error.
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { failure } from '../../kernel/errors.ts';
import { flush } from '../backup.ts';
import { makeDirectory } from '../make-directory.ts';

const OWNER_ONLY = 0o600;
const ACCESS_OF_OTHERS = 0o077;

/** Undefined where there is none. `config_invalid` where others have access to it, `unavailable` where it cannot be read. */
export function readPrivateFile(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw outOfReach(path, 'read', error);
  }
  try {
    refuseAccessOfOthers(path, fstatSync(descriptor).mode);
    return readFileSync(descriptor, 'utf8');
  } catch (error) {
    throw outOfReach(path, 'read', error);
  } finally {
    closeSync(descriptor);
  }
}

/** The mode is that of the opened file: one that is swapped meanwhile is not read. Windows has no such modes. */
function refuseAccessOfOthers(path: string, mode: number): void {
  if (process.platform === 'win32' || (mode & ACCESS_OF_OTHERS) === 0) return;
  const shown = (mode & 0o777).toString(8).padStart(3, '0');
  throw failure(
    'config_invalid',
    `Others than its owner have access to ${path} (${shown}).`,
    `chmod 600 '${path}'; where somebody may have read it, make a new key afterwards: haivemind vault rotate-key`,
  );
}

/** Makes the file where there is none; one that is there, or that another process makes first, stays as it is. */
export function createPrivateFile(path: string, text: string): void {
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  try {
    makeDirectory(dirname(path));
    writeFlushed(draft, text);
    placeOnce(draft, path);
    flush(dirname(path));
  } catch (error) {
    throw outOfReach(path, 'written', error);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A link is made whole or not at all, and never over another file. Without hard links a copy that is exclusive has to do. */
function placeOnce(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    copyExclusively(draft, path);
  }
}

function copyExclusively(draft: string, path: string): void {
  try {
    copyFileSync(draft, path, constants.COPYFILE_EXCL);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * Replaces the file by what `change` makes of it, one process at a time: the draft is the lock, as with git's index.
 * `conflict` where another process is at it; `change` may throw.
 */
export function replacePrivateFile(path: string, change: (text: string | undefined) => string): void {
  const draft = `${path}.lock`;
  let descriptor: number;
  try {
    descriptor = openSync(draft, 'wx', OWNER_ONLY);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw outOfReach(path, 'written', error);
    throw failure(
      'conflict',
      `Another process is changing ${path}, or was stopped while it did.`,
      `Try again; where no other haivemind command runs: rm '${draft}'`,
    );
  }
  closeSync(descriptor);
  try {
    writeFlushed(draft, change(readPrivateFile(path)), 'r+');
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw outOfReach(path, 'written', error);
  }
  // The lock is gone with the rename; one that is there now is another process' own.
  flush(dirname(path));
}

function writeFlushed(path: string, text: string, flag: 'wx' | 'r+' = 'wx'): void {
  const descriptor = openSync(path, flag, OWNER_ONLY);
  try {
    // The mode of open is cut by the umask, which could take the owner's own rights.
    fchmodSync(descriptor, OWNER_ONLY);
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Errors of the system name the path and the call; all others pass as they are. */
function outOfReach(path: string, what: 'read' | 'written', error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  return failure(
    'unavailable',
    `${path} cannot be ${what}: ${codeOf(error) ?? 'an error of the system'}.`,
    'Let the user who runs haivemind read and write it and its folder, or choose another place (security.keyring).',
    { cause: error },
  );
}

// The directory of a machine's project backups: files named by their ids, there whole or not at all, their owner's alone.
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { failure } from '../../../kernel/errors.ts';
import { limits } from '../../../kernel/limits.ts';
import { makeDirectory } from '../../../storage/make-directory.ts';
import { backupNotFound } from './errors.ts';
import { BACKUP_ID } from './manifest.ts';
import { readAbout, type Said } from './read-container.ts';

const SUFFIX = '.hbackup';
const DRAFT = '.part';
/** A draft this old is of a process that ended. */
const DRAFT_AGE_MS = 24 * 60 * 60 * 1000;
const FILES_LOOKED_AT_MAX_COUNT = 5_000;

export interface FoundFile extends Said {
  /** Inside the directory. */
  readonly file: string;
  readonly bytes: number;
}

export interface BackupFiles {
  readonly folder: string;
  /**
   * The file of this id: by its name, else by what it says about itself. Undefined where there is none. Rejects with
   * `storage_corrupt` where the file of that name is damaged at its head.
   */
  find(backup_id: string): Promise<FoundFile | undefined>;
  list(): Promise<readonly FoundFile[]>;
  /** What the file of this id is called. */
  nameOf(backup_id: string): string;
  /** Those of these names that are in the directory. */
  present(files: readonly string[]): Promise<ReadonlySet<string>>;
  read(file: string): AsyncIterable<Uint8Array>;
  /**
   * A file that appears under its id when `write` has written and checked it, and never before. Rejects with `conflict`
   * where the id is there already.
   */
  create<T extends { readonly backup_id: string }>(write: (draft: string) => Promise<T>): Promise<T & { file: string }>;
}

export function backupFiles(data_dir: string): BackupFiles {
  const folder = join(data_dir, 'backups', 'projects');
  const read = (file: string) => createReadStream(join(folder, file));

  async function look(file: string): Promise<FoundFile | undefined> {
    const path = join(folder, file);
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) return undefined;
    const stream = createReadStream(path);
    try {
      return { file, ...(await readAbout(stream)), bytes: found.size };
    } finally {
      stream.destroy();
    }
  }

  async function list(): Promise<FoundFile[]> {
    const names = await readdir(folder).catch(() => []);
    const files = names.filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.')).sort();
    const out: FoundFile[] = [];
    for (const file of files.slice(0, FILES_LOOKED_AT_MAX_COUNT)) {
      // What is damaged at its head, or no backup, is not listed.
      const found = await look(file).catch(() => undefined);
      if (found) out.push(found);
    }
    return out;
  }

  return {
    folder,
    list,
    read,
    nameOf: (backup_id) => `${backup_id}${SUFFIX}`,
    async present(files) {
      const names = new Set(await readdir(folder).catch(() => []));
      return new Set(files.filter((file) => names.has(file)));
    },
    async find(backup_id) {
      if (!BACKUP_ID.test(backup_id)) throw backupNotFound(backup_id);
      const named = await look(`${backup_id}${SUFFIX}`);
      if (named?.about.backup_id === backup_id) return named;
      return (await list()).find(({ about }) => about.backup_id === backup_id);
    },
    async create(write) {
      try {
        makeDirectory(folder);
        await removeOldDrafts(folder);
        return await written(folder, write);
      } catch (error) {
        throw readable(error, folder);
      }
    },
  };
}

async function written<T extends { readonly backup_id: string }>(
  folder: string,
  write: (draft: string) => Promise<T>,
): Promise<T & { file: string }> {
  const draft = join(folder, `.${randomUUID()}${DRAFT}`);
  try {
    const made = await write(draft);
    const file = `${made.backup_id}${SUFFIX}`;
    if (await exists(join(folder, file)))
      throw failure('conflict', `Backup ${made.backup_id} is here already.`, 'Restore it by its id.', {
        details: { backup_id: made.backup_id },
      });
    await rename(draft, join(folder, file));
    await flushed(folder);
    return { ...made, file };
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** The directory itself, so that the name is there after a power loss. */
async function flushed(folder: string): Promise<void> {
  const handle: FileHandle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What a process that was killed left. */
async function removeOldDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith('.') || !name.includes(DRAFT)) continue;
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > DRAFT_AGE_MS) await rm(join(folder, name), { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Copies pieces to a new file and to the disk. Rejects with `limit_exceeded` for too many bytes. */
export async function writeDraft(path: string, pieces: AsyncIterable<Uint8Array>, room_bytes: number): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  let bytes = 0;
  try {
    for await (const piece of pieces) {
      bytes += piece.length;
      if (bytes > Math.min(room_bytes, limits.project_backup_file_max_bytes))
        throw failure(
          'limit_exceeded',
          'The backup is larger than what this hub takes of you.',
          'Copy it into the directory itself.',
        );
      for (let done = 0; done < piece.length; ) done += (await file.write(piece, done)).bytesWritten;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

function readable(error: unknown, folder: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const full = 'code' in error && error.code === 'ENOSPC';
  return failure(
    full ? 'storage_full' : 'unavailable',
    `${folder} cannot be written: ${error.message}`,
    'Check its permissions and the free space.',
    { cause: error },
  );
}

// Turns SQLite result codes into errors that tell the reader what to do. Codes: sqlite.org/rescode.html.
import { failure, HaivemindError } from '../../kernel/errors.ts';

/** The primary result code of a node:sqlite error, or undefined for anything else. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

/** True for SQLITE_BUSY and SQLITE_LOCKED: another process holds the store; trying again helps. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 5 || code === 6;
}

/** Maps an engine failure to a HaivemindError; other errors come back unchanged. */
export function storageError(error: unknown, file: string): unknown {
  if (error instanceof HaivemindError) return error;
  switch (sqliteCode(error)) {
    case 5:
    case 6:
      return failure(
        'unavailable',
        `The store ${file} is busy.`,
        'Another process writes for very long; try again, or look for it with `haivemind doctor`.',
        { cause: error },
      );
    case 8:
      return failure(
        'storage_read_only',
        `The store ${file} cannot be written.`,
        'Give this user write permission on the data directory, or set HAIVEMIND_DATA_DIR to another one.',
        { cause: error },
      );
    case 10:
    case 13:
      return failure(
        'storage_full',
        `The store ${file} could not be written: the disk is full or failing.`,
        'Free space on that disk; nothing that was confirmed is lost.',
        { cause: error },
      );
    case 11:
    case 26:
      return failure(
        'storage_corrupt',
        `The store ${file} is damaged or not a haivemind store.`,
        'Keep the file, and restore a copy: `haivemind restore <backup>`; backups are in the backups folder beside it.',
        { cause: error },
      );
    case 14:
      return failure(
        'storage_read_only',
        `The store ${file} cannot be opened.`,
        'Check that the data directory exists and that this user may read and write it.',
        { cause: error },
      );
    default:
      return fileError(error, file);
  }
}

/** What the file system refused while a store or a copy of it was written. */
function fileError(error: unknown, file: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return failure('storage_full', `There is no space for ${file}.`, 'Free space on that disk.', { cause: error });
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOENT'].includes(code)) {
    return failure(
      'storage_read_only',
      `${file} cannot be written (${code}).`,
      'Check that its folder exists and that this user may write there.',
      { cause: error },
    );
  }
  return error;
}

// Errors of backups of projects.
import { failure, type HaivemindError } from '../../../kernel/errors.ts';

/** A file that is not what was written. `part` is the name of a part of the manifest, `header`, `manifest` or `end`. */
export function damaged(part: string, why: string, cause?: unknown): HaivemindError {
  return failure(
    'storage_corrupt',
    `The backup is damaged in its part ${part}: ${why}.`,
    'Nothing was changed. Use another copy of the file, or an earlier backup (list_project_backups).',
    { details: { part }, cause },
  );
}

export function backupNotFound(backup_id: string): HaivemindError {
  return failure(
    'not_found',
    `There is no backup ${backup_id} here.`,
    'list_project_backups shows those you may use; `haivemind project restore --file <file>` brings one from elsewhere.',
    { details: { backup_id } },
  );
}

export function backupElsewhere(backup_id: string, machine_id: string): HaivemindError {
  return failure(
    'unavailable',
    `The file of backup ${backup_id} is on machine ${machine_id}, not on this one.`,
    'Call the hub there, or copy the file into backups/projects of this data directory.',
    { details: { backup_id, machine_id } },
  );
}

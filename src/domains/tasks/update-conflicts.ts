// Two write the same field of a task: who comes second is told what the first one wrote, and nothing is changed.
import { failure } from '../../kernel/errors.ts';
import type { TaskRow } from './record.ts';
import { toTask } from './record.ts';

/** A field of a call and the column it is kept in. */
export interface FieldChange {
  readonly field: string;
  readonly column: keyof TaskRow;
  readonly value: string | number | null;
}

interface Conflict {
  readonly field: string;
  readonly current: unknown;
  /** Version of the task in which it was changed. */
  readonly version: number;
}

/**
 * Refuses changes of fields that were changed after `expected_version`. Who wants what is there already has lost
 * nothing: the same call sent twice is no conflict. Errors: `conflict` naming each field, its value and its version.
 */
export function refuseOverwriting(row: TaskRow, changes: readonly FieldChange[], expected_version: number): void {
  const versions = JSON.parse(row.field_versions) as Readonly<Record<string, number>>;
  const shown: Readonly<Record<string, unknown>> = toTask(row);
  const conflicts = changes.flatMap(({ field, column, value }): Conflict[] => {
    const version = versions[column] ?? 1;
    if (version <= expected_version || row[column] === value) return [];
    return [{ field, current: shown[field] ?? row[column], version }];
  });
  const [first] = conflicts;
  if (!first) return;
  const fields = conflicts.map(({ field, version }) => `${field} (in version ${version})`).join(', ');
  throw failure(
    'conflict',
    `Since version ${expected_version} somebody changed ${fields} of task ${row.task_id}; nothing was written.`,
    `The details have what is there now. Send expected_version=${row.version} if yours is still to stand.`,
    { details: { task_id: row.task_id, version: row.version, conflicts } },
  );
}

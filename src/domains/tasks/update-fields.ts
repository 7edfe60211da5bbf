// The fields of a call as columns: what changes, what only its holder may write.
import type { Updateable } from 'kysely';
import type { TaskRow } from './record.ts';
import { type Priority, rankOf, type Status } from './statuses.ts';
import type { TaskTable } from './tables.ts';
import type { FieldChange } from './update-conflicts.ts';

/** What a call says about a task. */
export interface TaskUpdate {
  readonly task_id: string;
  readonly status?: Status | undefined;
  readonly progress?: number | undefined;
  readonly comment?: string | undefined;
  readonly resolution?: string | undefined;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly priority?: Priority | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly due?: string | null | undefined;
  readonly estimate_minutes?: number | undefined;
  readonly required_capabilities?: readonly string[] | undefined;
  readonly project_id?: string | null | undefined;
  readonly parent_id?: string | null | undefined;
  readonly add_dependencies?: readonly string[] | undefined;
  readonly remove_dependencies?: readonly string[] | undefined;
  readonly expected_version?: number | undefined;
  readonly fencing_token?: number | undefined;
}

/** Only whoever holds the task says how it goes. */
const OF_THE_HOLDER: ReadonlySet<string> = new Set(['status', 'progress', 'resolution']);

/** Fields that are kept as they are given. */
const PLAIN = ['title', 'description', 'progress', 'resolution', 'status', 'estimate_minutes'] as const;

/** What a call says about columns, whether or not it differs from what is there. */
export function changesIn(input: TaskUpdate): FieldChange[] {
  const changes: FieldChange[] = [];
  for (const field of PLAIN) {
    const value = input[field];
    if (value !== undefined) changes.push({ field, column: field, value });
  }
  const { priority, tags, due, required_capabilities, project_id, parent_id } = input;
  if (priority !== undefined) changes.push({ field: 'priority', column: 'priority', value: rankOf(priority) });
  if (tags !== undefined) changes.push({ field: 'tags', column: 'tags', value: JSON.stringify(tags) });
  if (due !== undefined) changes.push({ field: 'due', column: 'due_at', value: due });
  if (required_capabilities !== undefined) {
    const value = JSON.stringify([...required_capabilities].sort());
    changes.push({ field: 'required_capabilities', column: 'required_capabilities', value });
  }
  if (project_id !== undefined) changes.push({ field: 'project_id', column: 'project_id', value: project_id });
  if (parent_id !== undefined) changes.push({ field: 'parent_id', column: 'parent_id', value: parent_id });
  return changes;
}

/** Something in the call is the holder's to say. */
export function needsHolder(changes: readonly FieldChange[]): boolean {
  return changes.some(({ field }) => OF_THE_HOLDER.has(field));
}

/** Those that differ from what is there. */
export function differing(row: TaskRow, changes: readonly FieldChange[]): FieldChange[] {
  return changes.filter(({ column, value }) => row[column] !== value);
}

export function asValues(changes: readonly FieldChange[]): Updateable<TaskTable> {
  return Object.fromEntries(changes.map(({ column, value }) => [column, value]));
}

/** What history keeps of a change: fields by name, before and after; long texts as their length only. */
export function asFacts(row: TaskRow, changes: readonly FieldChange[]): Readonly<Record<string, unknown>> {
  const told = changes.filter(({ field }) => field !== 'status');
  if (told.length === 0) return {};
  const short = (value: unknown) =>
    typeof value === 'string' && value.length > FACT_LENGTH_MAX_CHARS ? `${value.length} characters` : value;
  return {
    changed: Object.fromEntries(told.map(({ field, column, value }) => [field, [short(row[column]), short(value)]])),
  };
}

const FACT_LENGTH_MAX_CHARS = 200;

// What a source said of a task when it was last imported, kept so that the next import can tell what changed there from
// what changed here.
//
// The rule: a field that the source did not change stays as it is here. One that the source changed is taken, unless it
// was changed here as well: then it stays, and the import says so.
import { createHash } from 'node:crypto';
import type { TaskRow } from '../record.ts';
import { rankOf } from '../statuses.ts';
import type { Item } from './item.ts';

/** Columns that an import brings up to date. */
export const FIELDS = [
  'title',
  'description',
  'status',
  'priority',
  'parent_id',
  'tags',
  'required_capabilities',
  'due_at',
  'estimate_minutes',
  'resolution',
] as const;
export type Field = (typeof FIELDS)[number];
export type Facts = Readonly<Record<Field, string | number | null>>;

/** Kept in the details of the history row of an import. */
export interface SourceState {
  /** Digest by field. */
  readonly fields: Readonly<Partial<Record<Field, string>>>;
  readonly depends_on_ids: readonly string[];
  readonly comment_ids: readonly string[];
}

/** An item as columns; secrets are out already, and names of other tasks are ids. */
export function factsOf(item: Item, parent_id: string | null): Facts {
  return {
    title: item.title,
    description: item.description,
    // A claim does not travel.
    status: item.status === 'in_progress' ? 'todo' : item.status,
    priority: rankOf(item.priority),
    parent_id,
    tags: JSON.stringify(item.tags),
    required_capabilities: JSON.stringify(item.required_capabilities),
    due_at: item.due,
    estimate_minutes: item.estimate_minutes,
    resolution: item.resolution,
  };
}

export function stateOf(facts: Facts, depends_on_ids: readonly string[], item: Item): SourceState {
  return {
    fields: Object.fromEntries(FIELDS.map((field) => [field, digest(facts[field])])),
    depends_on_ids: [...depends_on_ids],
    comment_ids: item.comments.map(({ comment_id }) => comment_id),
  };
}

export interface Merge {
  /** Changed in the source alone. */
  readonly take: readonly Field[];
  /** Changed on both sides, and differently: stays as it is here. */
  readonly kept: readonly Field[];
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/**
 * What an import changes of a task. `before` is what the source said last; without it (an export of this very hub)
 * `version` is that of the task when it was exported, and fields with a later one were changed here.
 */
export function merge(
  row: TaskRow,
  facts: Facts,
  depends_on_ids: readonly string[],
  before: SourceState | undefined,
  version: number | null,
): Merge {
  const take: Field[] = [];
  const kept: Field[] = [];
  const versions = JSON.parse(row.field_versions) as Readonly<Record<string, number>>;
  for (const field of FIELDS) {
    const here = row[field];
    if (digest(here) === digest(facts[field])) continue;
    const known = before?.fields[field];
    if (known !== undefined && known === digest(facts[field])) continue;
    const changedHere = known === undefined ? (versions[field] ?? 1) > (version ?? 0) : known !== digest(here);
    if (changedHere) kept.push(field);
    else take.push(field);
  }
  const last = new Set(before?.depends_on_ids ?? []);
  const now = new Set(depends_on_ids);
  return {
    ...{ take, kept },
    add: depends_on_ids.filter((task_id) => !last.has(task_id)),
    remove: [...last].filter((task_id) => !now.has(task_id)),
  };
}

function digest(value: string | number | null): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 16);
}

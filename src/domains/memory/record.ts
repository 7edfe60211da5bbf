// From row to record and back: JSON columns opened, storage columns left out.
import type { Insertable, Selectable } from 'kysely';
import type { Category, Memory, Scope } from './schema.ts';
import type { MemoryTable } from './tables.ts';

export type MemoryRow = Selectable<MemoryTable>;
export type NewMemoryRow = Omit<
  Insertable<MemoryTable>,
  'row_id' | 'origin' | 'origin_sequence' | 'clock' | 'version_vector'
>;

/** The public record of a row. */
export function toMemory(row: MemoryRow): Memory {
  return {
    memory_id: row.memory_id,
    content: row.content,
    category: row.category as Category,
    context: row.context,
    tags: JSON.parse(row.tags) as string[],
    metadata: JSON.parse(row.metadata) as Memory['metadata'],
    project_id: row.project_id,
    project: row.project,
    scope: row.scope as Scope,
    importance: row.importance,
    session_id: row.session_id,
    sequence: row.sequence,
    occurred_at: row.occurred_at,
    valid_from: row.valid_from,
    valid_until: row.valid_until,
    supersedes: row.supersedes,
    superseded_by: row.superseded_by,
    user_id: row.user_id,
    agent_id: row.agent_id,
    machine_id: row.machine_id,
    team_id: row.team_id,
    source: row.source,
    format_version: row.format_version === 'v2' ? 'v2' : 'v1',
    version: row.version,
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}

/** What a version keeps: everything a caller can change, so that an undo restores it. */
export const SNAPSHOT_COLUMNS = [
  'content',
  'category',
  'context',
  'tags',
  'metadata',
  'project_id',
  'project',
  'scope',
  'team_id',
  'importance',
  'session_id',
  'sequence',
  'occurred_at',
  'valid_from',
  'valid_until',
  'supersedes',
  'superseded_by',
  'source',
  'format_version',
] as const;

export type Snapshot = Pick<MemoryRow, (typeof SNAPSHOT_COLUMNS)[number]>;

export function snapshotOf(row: MemoryRow): Snapshot {
  return Object.fromEntries(SNAPSHOT_COLUMNS.map((column) => [column, row[column]])) as unknown as Snapshot;
}

/** A kept version. Those from before there were teams say nothing of one. */
export function readSnapshot(json: string): Snapshot {
  const kept = JSON.parse(json) as MemoryRow;
  return snapshotOf({ ...kept, team_id: kept.team_id ?? null });
}

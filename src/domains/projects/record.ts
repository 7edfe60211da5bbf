// Rows of projects as records.
import type { Selectable } from 'kysely';
import type { WorkPlace } from '../access/index.ts';
import type { Project, ProjectPriority, ProjectSettings, ProjectStatus } from './schema.ts';
import type { ProjectTable } from './tables.ts';

export type ProjectRow = Selectable<ProjectTable>;

export function toProject(row: ProjectRow): Project {
  return {
    ...row,
    status: row.status as ProjectStatus,
    priority: row.priority as ProjectPriority,
    scope: row.scope as Project['scope'],
    tags: JSON.parse(row.tags) as string[],
    metadata: JSON.parse(row.metadata) as Project['metadata'],
    wip_limits: settingsOf(row).wip_limits ?? {},
  };
}

export function settingsOf({ settings }: Pick<ProjectRow, 'settings'>): ProjectSettings {
  return JSON.parse(settings) as ProjectSettings;
}

export function placeOf({ scope, team_id }: Pick<ProjectRow, 'scope' | 'team_id'>): WorkPlace {
  return { scope: scope as WorkPlace['scope'], team_id };
}

/** Nothing more is to be done in it: its name is free again. */
export function isClosed(status: string): boolean {
  return status === 'completed' || status === 'archived';
}

// The projects domain put together, and what other domains ask of it.
import type { OperationContext } from '../../kernel/operation.ts';
import type { WorkPlace } from '../access/index.ts';
import type { ProjectDeps } from './deps.ts';
import { projectNotFound } from './errors.ts';
import { placeOf, settingsOf } from './record.ts';
import { findVisible } from './repository.ts';
import type { StoredWipLimits } from './schema.ts';

type Column = Exclude<keyof StoredWipLimits, 'per_agent'>;

/** A project as work in it needs it. */
export interface ProjectForWork {
  readonly place: WorkPlace;
  readonly name: string;
  readonly wip: {
    readonly columns: Readonly<Partial<Record<Column, number>>>;
    readonly per_agent?: number | undefined;
  };
}

export interface Projects {
  readonly deps: ProjectDeps;
  /** The place of a project and the limits of its board. Throws `not_found` where the caller may not see it. */
  projectFor(project_id: string, ctx: Pick<OperationContext, 'principal'>): Promise<ProjectForWork>;
}

export function createProjects(deps: ProjectDeps): Projects {
  const { store } = deps;
  return {
    deps,
    async projectFor(project_id, { principal }) {
      const row = await findVisible(store.db, project_id, principal);
      if (!row) throw projectNotFound(project_id);
      const { per_agent, ...columns } = settingsOf(row).wip_limits ?? {};
      return {
        place: placeOf(row),
        name: row.name,
        wip: { columns: given(columns), ...(per_agent === undefined ? {} : { per_agent }) },
      };
    },
  };
}

function given(columns: Partial<Record<Column, number | undefined>>): Partial<Record<Column, number>> {
  return Object.fromEntries(Object.entries(columns).filter(([, most]) => most !== undefined));
}

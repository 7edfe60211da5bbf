// Rows of projects: found, held for a change, written with their change record and a line of activity.
import type { Insertable, Updateable } from 'kysely';
import { toIso } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { VersionVector } from '../../storage/changes.ts';
import { visibleWork } from '../access/index.ts';
import type { ProjectReader, ProjectStore, ProjectTrx } from './deps.ts';
import { nameAmbiguous, projectNotFound } from './errors.ts';
import type { ProjectRow } from './record.ts';
import type { ProjectTable } from './tables.ts';

/** The project, where the principal may see it. */
export function findVisible(
  db: ProjectReader,
  project_id: string,
  principal: Principal,
): Promise<ProjectRow | undefined> {
  return db
    .selectFrom('projects')
    .selectAll()
    .where('project_id', '=', project_id)
    .where(visibleWork(principal, 'projects'))
    .executeTakeFirst();
}

/**
 * The project by its id or its exact name. Names of projects that are not over come before those of others. Throws
 * `not_found`, and `conflict` where the name stands for several.
 */
export async function findNamed(db: ProjectReader, id_or_name: string, principal: Principal): Promise<ProjectRow> {
  const byId = await findVisible(db, id_or_name, principal);
  if (byId) return byId;
  const named = await db
    .selectFrom('projects')
    .selectAll()
    .where('name', '=', id_or_name)
    .where(visibleWork(principal, 'projects'))
    .orderBy('project_id')
    .limit(20)
    .execute();
  const open = named.filter(({ status }) => status === 'active' || status === 'paused');
  const [meant, ...others] = open.length > 0 ? open : named;
  if (!meant) throw projectNotFound(id_or_name);
  if (others.length > 0) throw nameAmbiguous([meant, ...others].map(({ project_id }) => project_id));
  return meant;
}

/** The project, kept from changing until the transaction ends. Throws `not_found` where the principal may not see it. */
export async function holdVisible(
  store: Pick<ProjectStore, 'dialect'>,
  trx: ProjectTrx,
  project_id: string,
  principal: Principal,
): Promise<ProjectRow> {
  const query = trx
    .selectFrom('projects')
    .selectAll()
    .where('project_id', '=', project_id)
    .where(visibleWork(principal, 'projects'));
  const row = await store.dialect.forChange(query).executeTakeFirst();
  if (!row) throw projectNotFound(project_id);
  return row;
}

type Unversioned = Omit<
  Insertable<ProjectTable>,
  'origin' | 'origin_sequence' | 'clock' | 'version_vector' | 'version'
>;

export async function insertProject(store: ProjectStore, trx: ProjectTrx, project: Unversioned): Promise<ProjectRow> {
  const change = { entity: 'project', entity_id: project.project_id, kind: 'put', before: {} } as const;
  const row = { ...project, version: 1, ...(await store.recordChange(trx, change)) } as ProjectRow;
  await trx.insertInto('projects').values(row).execute();
  return row;
}

/** Writes changed columns of a project that this transaction holds and counts its version. Returns the row as it is now. */
export async function updateProject(
  store: ProjectStore,
  trx: ProjectTrx,
  row: ProjectRow,
  values: Updateable<ProjectTable>,
): Promise<ProjectRow> {
  const before = JSON.parse(row.version_vector) as VersionVector;
  const next = {
    ...row,
    ...values,
    version: row.version + 1,
    updated_at: toIso(store.clock.now()),
    ...(await store.recordChange(trx, { entity: 'project', entity_id: row.project_id, kind: 'put', before })),
  } as ProjectRow;
  const { project_id, ...columns } = next;
  await trx.updateTable('projects').set(columns).where('project_id', '=', project_id).execute();
  return next;
}

export interface ProjectAct {
  /** `<thing>.<happened>`, for example `project.created`. */
  readonly action: string;
  /** In the caller's words, redacted. */
  readonly reason?: string | null;
  /** Further facts: ids, counts, names of fields. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Adds a line to what happened in a project, in the transaction of what happened. */
export async function addActivity(
  store: Pick<ProjectStore, 'clock'>,
  trx: ProjectTrx,
  project_id: string,
  actor: Principal,
  { action, reason = null, details = {} }: ProjectAct,
): Promise<void> {
  const { user_id, agent_id, machine_id } = actor;
  const now_ms = store.clock.now();
  await trx
    .insertInto('project_activity')
    .values({
      activity_id: newId('pact', now_ms),
      at: toIso(now_ms),
      details: JSON.stringify(details),
      ...{ project_id, action, reason, user_id, agent_id, machine_id },
    })
    .execute();
}

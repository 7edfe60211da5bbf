// Changing a project: by its user, and in a team by whoever manages work there.
import { failure } from '../../kernel/errors.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import { assertAllowed, mayManageWork } from '../access/index.ts';
import { redactMetadata } from '../memory/index.ts';
import { assertNameFree } from './create.ts';
import type { ProjectDeps } from './deps.ts';
import { projectChanged, projectNotFound } from './errors.ts';
import { isClosed, type ProjectRow, settingsOf, toProject } from './record.ts';
import { addActivity, holdVisible, updateProject as write } from './repository.ts';
import type { Project, ProjectPriority, ProjectStatus, StoredWipLimits } from './schema.ts';

export interface ProjectChanges {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly status?: ProjectStatus | undefined;
  readonly owner_agent_id?: string | undefined;
  readonly project_type?: string | undefined;
  readonly priority?: ProjectPriority | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: Project['metadata'] | undefined;
  readonly wip_limits?: StoredWipLimits | undefined;
}

export interface UpdateRequest extends ProjectChanges {
  readonly project_id: string;
  readonly expected_version?: number | undefined;
}

/**
 * Errors: `invalid_input` where nothing is to be changed; `not_found`; `forbidden`; `conflict` where the version is
 * another than expected, or another project of its place that is not over has the name.
 */
export async function updateProject(
  deps: ProjectDeps,
  { project_id, expected_version, ...changes }: UpdateRequest,
  ctx: OperationContext,
): Promise<Project> {
  const { store, audit } = deps;
  const { principal } = ctx;
  const wanted = await columnsOf(deps, changes);
  const fields = Object.keys(changes).filter((name) => changes[name as keyof ProjectChanges] !== undefined);
  if (fields.length === 0)
    throw failure('invalid_input', 'update_project: nothing to change is given.', 'Give the fields that change.');
  const row = await store.write(async (trx) => {
    const held = await holdVisible(store, trx, project_id, principal);
    assertAllowed(mayManageWork(principal, held), () => projectNotFound(project_id));
    if (expected_version !== undefined && expected_version !== held.version)
      throw projectChanged(project_id, held.version);
    const next: ProjectRow = { ...held, ...wanted };
    const opened = isClosed(held.status) && !isClosed(next.status);
    if (!isClosed(next.status) && (opened || next.name !== held.name)) await assertNameFree(store, trx, next);
    const settings = changes.wip_limits === undefined ? {} : { settings: withLimits(held, changes.wip_limits) };
    const written = await write(store, trx, held, { ...wanted, ...settings });
    const details = { fields: fields.join(','), status: next.status };
    await addActivity(store, trx, project_id, principal, { action: 'project.updated', details });
    await audit.append(trx, principal, {
      action: 'project.update',
      target_type: 'project',
      target_id: project_id,
      result: 'ok',
      details: { ...details, version: written.version },
    });
    return written;
  });
  deps.changed(project_id);
  return toProject(row);
}

async function columnsOf({ redact }: ProjectDeps, changes: ProjectChanges): Promise<Partial<ProjectRow>> {
  const { name, description, project_type, status, owner_agent_id, priority, tags, metadata } = changes;
  const clean = async (text: string | undefined) => (text === undefined ? undefined : (await redact(text)).text);
  const columns = {
    name: await clean(name),
    description: await clean(description),
    project_type: await clean(project_type),
    ...{ status, owner_agent_id, priority },
    tags: tags && JSON.stringify(tags),
    metadata: metadata && JSON.stringify(await redactMetadata(redact, metadata, [])),
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined)) as Partial<ProjectRow>;
}

/** The whole of the limits is given: a limit that is left out is lifted. */
function withLimits(row: ProjectRow, wip_limits: StoredWipLimits): string {
  return JSON.stringify({ ...settingsOf(row), wip_limits });
}

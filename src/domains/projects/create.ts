// A new project: in its place, under a name that is free there.
import { toIso } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import { placeOfWork, type WorkPlace } from '../access/index.ts';
import { redactMetadata } from '../memory/index.ts';
import type { ProjectDeps, ProjectStore, ProjectTrx } from './deps.ts';
import { nameTaken } from './errors.ts';
import { type ProjectRow, toProject } from './record.ts';
import { addActivity, insertProject } from './repository.ts';
import type { Project, ProjectPriority, StoredWipLimits } from './schema.ts';

export interface NewProject {
  readonly name: string;
  readonly description: string;
  readonly owner_agent_id?: string | undefined;
  readonly project_type: string;
  readonly priority: ProjectPriority;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: Project['metadata'] | undefined;
  readonly wip_limits?: StoredWipLimits | undefined;
  readonly scope?: WorkPlace['scope'] | undefined;
  readonly team_id?: string | undefined;
}

/** Errors: those of `placeOfWork`, and `conflict` where a project of the place that is not over has the name. */
export async function createProject(deps: ProjectDeps, input: NewProject, ctx: OperationContext): Promise<Project> {
  const { store, redact } = deps;
  const { principal, mode } = ctx;
  const place = placeOfWork({ principal, mode, scope: input.scope, team_id: input.team_id });
  const { user_id, agent_id, machine_id } = principal;
  const words = {
    name: (await redact(input.name)).text,
    description: (await redact(input.description)).text,
    project_type: (await redact(input.project_type)).text,
    metadata: JSON.stringify(await redactMetadata(redact, input.metadata ?? {}, [])),
  };
  const settings = input.wip_limits === undefined ? {} : { wip_limits: input.wip_limits };
  const row = await store.write(async (trx) => {
    const now_ms = store.clock.now();
    const at = toIso(now_ms);
    await assertNameFree(store, trx, { name: words.name, ...place, user_id });
    const made = await insertProject(store, trx, {
      project_id: newId('proj', now_ms),
      ...words,
      status: 'active',
      priority: input.priority,
      owner_agent_id: input.owner_agent_id ?? agent_id,
      tags: JSON.stringify(input.tags ?? []),
      settings: JSON.stringify(settings),
      ...place,
      ...{ user_id, agent_id, machine_id },
      created_at: at,
      updated_at: at,
    });
    await addActivity(store, trx, made.project_id, principal, { action: 'project.created' });
    return made;
  });
  deps.changed(row.project_id);
  return toProject(row);
}

/**
 * Throws `conflict` with the id of another project of the same place that has the name and is not over. Whoever makes or
 * renames one in the same place at the same moment waits.
 */
export async function assertNameFree(
  store: Pick<ProjectStore, 'dialect'>,
  trx: ProjectTrx,
  wanted: Pick<ProjectRow, 'name' | 'scope' | 'team_id' | 'user_id'> & { readonly project_id?: string },
): Promise<void> {
  const { name, scope, team_id, user_id, project_id } = wanted;
  await store.dialect.serialise(trx, 'project-names');
  let query = trx
    .selectFrom('projects')
    .select('project_id')
    .where('name', '=', name)
    .where('scope', '=', scope)
    .where('status', 'in', ['active', 'paused']);
  if (scope === 'solo') query = query.where('user_id', '=', user_id);
  if (scope === 'team') query = query.where('team_id', '=', team_id);
  if (project_id !== undefined) query = query.where('project_id', '<>', project_id);
  const other = await query.executeTakeFirst();
  if (other) throw nameTaken(other.project_id);
}

// Switching a session to a project, and out of it: noted for the session, for the project, and as a memory of the reason.
import { toIso } from '../../kernel/clock.ts';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import type { OperationContext, Principal } from '../../kernel/operation.ts';
import { mayAddMemory, mayCall } from '../access/index.ts';
import type { LearningEvent } from '../learning/index.ts';
import { briefOf, SWITCH_TAG } from './brief.ts';
import type { ProjectDeps, ProjectTrx } from './deps.ts';
import { type ProjectRow, placeOf, toProject } from './record.ts';
import { addActivity, findNamed, holdVisible } from './repository.ts';
import type { Project, ShownBrief } from './schema.ts';

/** In the place of a project: out of the one the session is in. */
export const NO_PROJECT = 'none';

export interface SwitchRequest {
  /** Id, exact name, or `none`. */
  readonly project_id: string;
  readonly agent_id?: string | undefined;
  readonly reason?: string | undefined;
  readonly max_tokens: number;
}

export interface Switched {
  readonly project: Project | null;
  readonly left_project_id: string | null;
  readonly switched_at: string;
  readonly memory_id: string | null;
  readonly brief: ShownBrief | null;
}

/**
 * Errors: `forbidden` where `agent_id` is another than the session's; `not_found` for a project the caller may not see;
 * `conflict` where its name stands for several.
 */
export async function switchProject(
  deps: ProjectDeps,
  request: SwitchRequest,
  ctx: OperationContext,
): Promise<Switched> {
  assertOwnAgent(ctx.principal, request.agent_id);
  const { store } = deps;
  const reason = request.reason === undefined ? null : (await deps.redact(request.reason)).text;
  const wanted =
    request.project_id === NO_PROJECT ? null : await findNamed(store.db, request.project_id, ctx.principal);
  const switched_at = toIso(store.clock.now());
  const left = ctx.project?.project_id ?? null;
  const row = await store.write(async (trx) => {
    // Held again: it may have been taken out of sight meanwhile.
    const project = wanted && (await holdVisible(store, trx, wanted.project_id, ctx.principal));
    await putContext(trx, ctx, { project_id: project?.project_id ?? null, reason, switched_at });
    if (left !== null && left !== project?.project_id) await noteLeft(deps, trx, left, ctx.principal, reason);
    if (project) await noteEntered(deps, trx, project, ctx.principal, reason);
    return project;
  });
  if (row === null) return { project: null, left_project_id: left, switched_at, memory_id: null, brief: null };
  const memories = reason === null ? undefined : await deps.learning.settle();
  deps.changed(row.project_id);
  return {
    project: toProject(row),
    left_project_id: left === row.project_id ? null : left,
    switched_at,
    memory_id: memories?.get(row.project_id) ?? null,
    brief: await briefOf(deps, row, ctx, { reason, max_tokens: request.max_tokens }),
  };
}

/** Sessions switch for themselves: what another agent is about is that agent's to say. */
function assertOwnAgent({ agent_id: own }: Principal, agent_id: string | undefined): void {
  if (agent_id === undefined || agent_id === own) return;
  throw failure(
    'forbidden',
    `This session acts as ${own}, not as ${agent_id}.`,
    'Leave agent_id out, or register_agent first; another agent switches in its own session.',
    { details: { agent_id: own } },
  );
}

interface SessionProject {
  readonly project_id: string | null;
  readonly reason: string | null;
  readonly switched_at: string;
}

/** The session's row: made, bound to no agent, where it is the first thing it says of itself; else only its project changes. */
async function putContext(
  trx: ProjectTrx,
  { session, principal, agent, ...ctx }: OperationContext,
  { project_id, reason, switched_at }: SessionProject,
): Promise<void> {
  const { user_id, machine_id } = principal;
  const client = agent?.client ?? ctx.client ?? principal.agent_id;
  const values = { project_id, reason, switched_at, last_used_at: switched_at };
  await trx
    .insertInto('session_contexts')
    .values({
      ...{ session_key: session.key, user_id, machine_id, client, agent_id: null, bound_at: null },
      ...values,
    })
    // The key has the user in it already; a context must never become anybody else's.
    .onConflict((conflict) =>
      conflict.column('session_key').doUpdateSet(values).where('session_contexts.user_id', '=', user_id),
    )
    .execute();
}

async function noteLeft(
  { store }: ProjectDeps,
  trx: ProjectTrx,
  project_id: string,
  actor: Principal,
  reason: string | null,
): Promise<void> {
  await addActivity(store, trx, project_id, actor, { action: 'project.left', reason });
}

async function noteEntered(
  { store, learning }: ProjectDeps,
  trx: ProjectTrx,
  project: ProjectRow,
  actor: Principal,
  reason: string | null,
): Promise<void> {
  await addActivity(store, trx, project.project_id, actor, { action: 'project.entered', reason });
  if (reason === null || !mayCall(actor, 'memory.write').allowed) return;
  await learning.report(trx, actor, memoryOfSwitch(project, actor, reason));
}

/** It goes where the project is; who may not write memories there keeps it to oneself. */
function memoryOfSwitch(project: ProjectRow, actor: Principal, reason: string): LearningEvent {
  const { project_id, name } = project;
  const place = placeOf(project);
  return {
    kind: 'project.entered',
    entity: 'project',
    entity_id: project_id,
    place: mayAddMemory(actor, place).allowed ? place : { scope: 'solo', team_id: null },
    project_id,
    title: `${actor.agent_id} began to work on ${name}`.slice(0, limits.context_length_max_chars),
    content: reason,
    category: 'agent',
    tags: [SWITCH_TAG],
    importance: 0.2,
    facts: {},
  };
}

// Making tasks, whoever asks for one: a call, a delegation, an import.
import { toIso } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import type { OperationContext, Principal } from '../../kernel/operation.ts';
import { assertAllowed, mayChangeWork, placeOfWork, type WorkPlace } from '../access/index.ts';
import { assigneeOf, refuseBlindAssignee } from './assignee.ts';
import { boardIsFull } from './claims/errors.ts';
import type { ProjectPort, TaskDeps, TaskTrx } from './deps.ts';
import { partElsewhere, projectElsewhere, storyIsOver, taskNotFound } from './errors.ts';
import { endOf, refuseCircle } from './graph/cycles.ts';
import { holdDependencies, insertEdges, refuseHiddenBlockers } from './graph/edges.ts';
import { countChildren, holdGraph } from './graph/readiness.ts';
import { holdStory } from './graph/stories.ts';
import type { TaskRow } from './record.ts';
import { type HistoryEntry, insertTask } from './repository.ts';
import type { NewTask } from './schema.ts';
import { isOver, rankOf, type Status, satisfies } from './statuses.ts';
import { fullFor, limitsOf } from './wip.ts';

/** What a task may begin with where it does not come from a call. */
export interface NewTaskOrigin {
  readonly action?: 'created' | 'delegated' | 'imported';
  readonly assigned_agent_id?: string | undefined;
  /** User of the assigned agent, where the caller knows it already. */
  readonly assigned_user_id?: string | undefined;
  readonly delegated_by?: string | undefined;
  readonly external_id?: string | undefined;
  /** Of a task that was over elsewhere; never `in_progress`, which is a claim. */
  readonly status?: Exclude<Status, 'in_progress'>;
  readonly resolution?: string | undefined;
  readonly created_at?: string | undefined;
  readonly finished_at?: string | undefined;
  readonly comment?: string | undefined;
  /** Facts for the first line of its history. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A task as it will be made, with everything that is asked of others before the transaction. */
export interface PreparedTask {
  readonly input: NewTask;
  readonly origin: NewTaskOrigin;
  readonly project: Awaited<ReturnType<ProjectPort['projectFor']>> | undefined;
  readonly project_id: string | undefined;
  /** Whose agent it is for. */
  readonly assignee: Principal | undefined;
}

/**
 * Replaces secrets, looks the project and the agent up. Errors: `not_found` for a project or an agent the caller may not
 * see.
 */
export async function prepareTask(
  deps: TaskDeps,
  ctx: OperationContext,
  input: NewTask,
  origin: NewTaskOrigin = {},
): Promise<PreparedTask> {
  const clean = async (text: string) => (await deps.redact(text)).text;
  // A part belongs to the project of its story, unless another is named.
  const project_id = input.project_id ?? (input.parent_id === undefined ? ctx.project?.project_id : undefined);
  const project = project_id === undefined ? undefined : await deps.projects.projectFor(project_id, ctx);
  const { description, tags, required_capabilities } = input;
  return {
    input: {
      ...input,
      title: await clean(input.title),
      ...(description === undefined ? {} : { description: await clean(description) }),
      ...(tags === undefined ? {} : { tags: await Promise.all(tags.map(clean)) }),
      ...(required_capabilities === undefined
        ? {}
        : { required_capabilities: await Promise.all(required_capabilities.map(clean)) }),
    },
    origin: {
      ...origin,
      ...(origin.resolution === undefined ? {} : { resolution: await clean(origin.resolution) }),
      ...(origin.comment === undefined ? {} : { comment: await clean(origin.comment) }),
    },
    project,
    project_id,
    assignee: await assigneeOf(deps, ctx, origin),
  };
}

export interface CreatedTask {
  readonly row: TaskRow;
  /** Ids whose readiness changed besides its own: its story no longer is. */
  readonly touched: readonly string[];
}

/**
 * Makes a task in the caller's transaction; tell `deps.changed` after the commit. Errors: `not_found` for a dependency,
 * a parent or a team that the caller may not see, `forbidden` where they may not write there, `conflict` with the circle
 * it would close, `invalid_input` where what it waits for is out of sight of those who see it or it is out of sight of
 * the agent it is for, `limit_exceeded` below too many parents.
 */
export async function createTask(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  prepared: PreparedTask,
): Promise<CreatedTask> {
  const { input, origin, project, assignee } = prepared;
  const { store } = deps;
  const { principal } = ctx;
  const status = origin.status ?? input.status;
  const depends_on_ids = [...new Set(input.dependencies ?? [])];
  // What it is a part of and what it waits for is held in whatever order: who ends one of these waits here.
  if (input.parent_id !== undefined || depends_on_ids.length > 0) await holdGraph(store, trx);
  const story = input.parent_id === undefined ? undefined : await storyFor(deps, trx, ctx, input.parent_id, status);
  const belongs_to = (story?.row as WorkPlace | undefined) ?? project?.place;
  const { scope, team_id } = input;
  const place = placeOfWork({ principal, mode: ctx.mode, scope, team_id, belongs_to });
  if (story && !samePlace(story.row, place)) throw partElsewhere(story.row.task_id);
  const board = boardFor(prepared, place, story?.row);
  if (assignee) refuseBlindAssignee(assignee, { ...place, user_id: principal.user_id });
  const dependencies = await holdDependencies(store, trx, depends_on_ids, principal);
  refuseHiddenBlockers(place, dependencies);
  // Nothing waits for a new task but its story: without one it closes no circle.
  if (story && dependencies.length > 0) {
    const to = dependencies.map(({ task_id }) => endOf(task_id));
    await refuseCircle(trx, { from: endOf(story.row.task_id), to, principal, through: input.title });
  }
  const open_dependencies = dependencies.filter((dependency) => !satisfies(dependency.status as Status)).length;
  const blocked_ancestors = story?.waiting ?? 0;
  if (origin.action !== 'imported') await refuseFullColumn(deps, trx, ctx, { ...place, ...board }, status);
  const touched = new Set<string>();
  if (story && !isOver(status)) await countChildren(trx, story.row.task_id, 1, touched);
  const values = {
    ...fieldsOf(deps, ctx, prepared),
    ...place,
    ...board,
    open_dependencies,
    open_children: 0,
    blocked_ancestors,
    is_ready: status === 'todo' && open_dependencies + blocked_ancestors === 0 ? 1 : 0,
  };
  const entry = entryOf(prepared, status, depends_on_ids);
  const row = await insertTask(store, trx, values, principal, entry);
  await insertEdges(store, trx, row.task_id, dependencies);
  return { row, touched: [...touched] };
}

/** Its project: a named one has to be where the task is, the session's only counts where it is. */
function boardFor({ input, project, project_id }: PreparedTask, place: WorkPlace, story: TaskRow | undefined) {
  if (project === undefined || project_id === undefined) return { project_id: story?.project_id ?? null };
  if (samePlace(project.place, place)) return { project_id };
  if (input.project_id !== undefined) throw projectElsewhere('(new)');
  return { project_id: null };
}

async function refuseFullColumn(
  deps: TaskDeps,
  trx: TaskTrx,
  ctx: OperationContext,
  board: WorkPlace & { readonly project_id: string | null },
  status: Status,
): Promise<void> {
  const place = { ...board, user_id: ctx.principal.user_id };
  const full = await fullFor(deps, trx, await limitsOf(deps, ctx, place), { place, status });
  if (full) throw boardIsFull('(new)', status, full);
}

/** The first line of its history. Analytics are made of history alone: what they need is said there. */
function entryOf({ input, origin }: PreparedTask, status: Status, dependencies: readonly string[]): HistoryEntry {
  const { action = 'created', assigned_agent_id = null, comment = null, details = {} } = origin;
  const { required_capabilities = [] } = input;
  const facts = {
    ...(dependencies.length > 0 ? { dependencies } : {}),
    ...(required_capabilities.length > 0 ? { required_capabilities } : {}),
    ...details,
  };
  return { action, to_status: status, subject_agent_id: assigned_agent_id, comment, details: facts };
}

async function storyFor(deps: TaskDeps, trx: TaskTrx, ctx: OperationContext, parent_id: string, status: Status) {
  const story = await holdStory(deps.store, trx, parent_id, ctx.principal);
  assertAllowed(mayChangeWork(ctx.principal, story.row), () => taskNotFound(parent_id));
  if (isOver(story.row.status as Status) && !isOver(status)) throw storyIsOver(parent_id, story.row.status as Status);
  return story;
}

function samePlace(row: Pick<TaskRow, 'scope' | 'team_id'>, place: WorkPlace): boolean {
  return row.scope === place.scope && row.team_id === place.team_id;
}

function fieldsOf(deps: TaskDeps, ctx: OperationContext, { input, origin }: PreparedTask) {
  const now_ms = deps.store.clock.now();
  const now = toIso(now_ms);
  const status = origin.status ?? input.status;
  const { user_id, agent_id, machine_id } = ctx.principal;
  return {
    task_id: newId('task', now_ms),
    title: input.title,
    description: input.description ?? '',
    status: status as string,
    priority: rankOf(input.priority),
    progress: status === 'done' ? 100 : 0,
    parent_id: input.parent_id ?? null,
    tags: JSON.stringify(input.tags ?? []),
    required_capabilities: JSON.stringify([...(input.required_capabilities ?? [])].sort()),
    due_at: input.due ?? null,
    estimate_minutes: input.estimate_minutes ?? null,
    assigned_agent_id: origin.assigned_agent_id ?? null,
    delegated_by: origin.delegated_by ?? null,
    resolution: origin.resolution ?? null,
    external_id: origin.external_id ?? null,
    ...{ user_id, agent_id, machine_id },
    created_at: origin.created_at ?? now,
    updated_at: now,
    started_at: null,
    finished_at: isOver(status) ? (origin.finished_at ?? now) : null,
    holder_agent_id: null,
    holder_session: null,
    fencing_token: 0,
    lease_expires_at: null,
  };
}

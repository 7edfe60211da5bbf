// Imports a board: every item in a transaction with what it refers to, some dozens of items to a transaction.
import { HaivemindError } from '../../../kernel/errors.ts';
import { limits } from '../../../kernel/limits.ts';
import type { OperationContext } from '../../../kernel/operation.ts';
import { placeOfWork, type WorkPlace } from '../../access/index.ts';
import { prepareTask } from '../create.ts';
import type { TaskDeps } from '../deps.ts';
import { chunks, holdGraph } from '../graph/readiness.ts';
import type { TaskRow } from '../record.ts';
import type { NewTask } from '../schema.ts';
import { type Applied, applyItem, type Ready } from './apply.ts';
import { arrange } from './arrange.ts';
import type { Item, Placed, Problem } from './item.ts';
import { knownTasks, statesOf } from './known.ts';
import { type Format, type ParseOptions, parseBoard } from './parse.ts';

export interface ImportRequest extends ParseOptions {
  readonly content: string;
  readonly project_id?: string | undefined;
  readonly scope?: WorkPlace['scope'] | undefined;
  readonly team_id?: string | undefined;
}

export interface ImportReport {
  readonly format: Format;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Of the source's items: no work, or gone there. */
  readonly skipped: number;
  readonly failed: number;
  readonly problems: readonly Problem[];
}

const BATCH_ITEMS = 50;

interface Importing {
  readonly deps: TaskDeps;
  readonly ctx: OperationContext;
  readonly request: ImportRequest;
  /** Ids of tasks by external id: those found here, and those made so far. */
  readonly ids: Map<string, string>;
  readonly rows: ReadonlyMap<string, TaskRow>;
  readonly states: Awaited<ReturnType<typeof statesOf>>;
  readonly agents: ReadonlyMap<string, string>;
  readonly project_ids: ReadonlySet<string>;
  readonly problems: Problem[];
}

/** Errors: `not_found` and `forbidden` for the project or the team; what is wrong with items becomes problems. */
export async function importBoard(
  deps: TaskDeps,
  ctx: OperationContext,
  request: ImportRequest,
): Promise<ImportReport> {
  const parsed = parseBoard(request.content, { ...request, max_items: limits.task_import_items_max_count });
  const { items, problems } = arrange(parsed);
  const importing = await begin(deps, ctx, request, items, [...parsed.problems, ...problems]);
  const counts = { created: 0, updated: 0, unchanged: 0, failed: 0 };
  let done = 0;
  for (const batch of chunks(items, BATCH_ITEMS)) {
    ctx.signal.throwIfAborted();
    for (const outcome of await importBatch(importing, batch)) counts[outcome]++;
    done += batch.length;
    ctx.reportProgress({ done, total: items.length });
  }
  return { format: parsed.format, ...counts, skipped: parsed.skipped, problems: importing.problems };
}

async function begin(
  deps: TaskDeps,
  ctx: OperationContext,
  request: ImportRequest,
  items: readonly Placed[],
  problems: Problem[],
): Promise<Importing> {
  const wanted = request.project_id ?? ctx.project?.project_id;
  const project = wanted === undefined ? undefined : await deps.projects.projectFor(wanted, ctx);
  // Who may add nothing there is told at once, not item by item.
  const { scope, team_id } = request;
  placeOfWork({ principal: ctx.principal, mode: ctx.mode, scope, team_id, belongs_to: project?.place });
  const place = {
    scope: request.team_id ? ('team' as const) : (request.scope ?? project?.place.scope),
    team_id: request.team_id ?? project?.place.team_id ?? (ctx.mode?.mode === 'team' ? ctx.mode.context_id : null),
  };
  const names = new Set(
    items.flatMap(({ item }) => [item.external_id, ...item.depends_on, ...(item.parent ? [item.parent] : [])]),
  );
  const rows = await knownTasks(deps.store.db, ctx.principal, place as Partial<WorkPlace>, [...names]);
  const states = await statesOf(
    deps.store.db,
    [...rows.values()].map(({ task_id }) => task_id),
  );
  const agents = await deps.agents.candidates(ctx);
  return {
    ...{ deps, ctx, request, rows, states, problems },
    ids: new Map([...rows].map(([external_id, { task_id }]) => [external_id, task_id])),
    agents: new Map(agents.map(({ agent_id, user_id }) => [agent_id, user_id])),
    project_ids: await visibleProjects(deps, ctx, items),
  };
}

/** Projects that items name, as far as they are here. */
async function visibleProjects(deps: TaskDeps, ctx: OperationContext, items: readonly Placed[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const project_id of new Set(items.flatMap(({ item }) => item.project_id ?? []))) {
    const project = await deps.projects.projectFor(project_id, ctx).catch((error: unknown) => {
      if (error instanceof HaivemindError && error.code === 'not_found') return undefined;
      throw error;
    });
    if (project) found.add(project_id);
  }
  return found;
}

type Outcome = 'created' | 'updated' | 'unchanged' | 'failed';

async function importBatch(importing: Importing, batch: readonly Placed[]): Promise<Outcome[]> {
  const told = importing.problems.length;
  try {
    const all = await write(importing, batch, false);
    return all.map((applied, i) => finished(importing, batch[i], applied));
  } catch (error) {
    if (!(error instanceof HaivemindError) || error.code === 'cancelled') throw error;
  }
  // Something in it is refused: each on its own, so that the others are not.
  importing.problems.length = told;
  const outcomes: Outcome[] = [];
  for (const placed of batch) outcomes.push(await importAlone(importing, placed));
  return outcomes;
}

async function importAlone(importing: Importing, placed: Placed): Promise<Outcome> {
  try {
    const [applied] = await write(importing, [placed], true);
    return finished(importing, placed, applied);
  } catch (error) {
    if (!(error instanceof HaivemindError) || error.code === 'cancelled') throw error;
    importing.problems.push({ line: placed.line, item: placed.item.external_id, message: error.message });
    return 'failed';
  }
}

function finished(
  { deps, problems, ids }: Importing,
  placed: Placed | undefined,
  applied: Applied | undefined,
): Outcome {
  if (!placed || !applied) return 'failed';
  const { item, line } = placed;
  ids.set(item.external_id, applied.task_id);
  for (const message of applied.messages) problems.push({ line, item: item.external_id, message });
  for (const task_id of applied.touched) deps.changed(task_id);
  return applied.outcome;
}

/** One transaction. Ids of tasks made in it are known to those after them in it. */
async function write(importing: Importing, batch: readonly Placed[], careful: boolean): Promise<Applied[]> {
  const { deps, ctx } = importing;
  const clean: Clean[] = [];
  for (const placed of batch) clean.push(await cleaned(importing, placed));
  const told = importing.problems.length;
  return deps.store.write(async (trx) => {
    // The work of a transaction may run again: what an earlier run said is forgotten.
    importing.problems.length = told;
    // Before it holds any task: some of the items link others.
    await holdGraph(deps.store, trx);
    const made = new Map<string, string>();
    const all: Applied[] = [];
    for (const one of clean) {
      const ready = readyFor(importing, one, made);
      const applied = await applyItem({ deps, trx, ctx }, ready, careful);
      made.set(one.item.external_id, applied.task_id);
      all.push(applied);
    }
    return all;
  });
}

interface Clean {
  readonly item: Item;
  readonly line: number | undefined;
  readonly prepared: Ready['prepared'];
  readonly assigned_agent_id: string | undefined;
}

/** Secrets out, and everything looked up that is asked of others. */
async function cleaned({ deps, ctx, request, agents, project_ids }: Importing, { item, line }: Placed): Promise<Clean> {
  const { title, description, priority, tags, required_capabilities, due, estimate_minutes, assignee } = item;
  const known = assignee !== null && agents.has(assignee);
  // Somebody who is no agent here stays as a label.
  const labels = assignee === null || known ? tags : [...tags, `assignee:${assignee.toLowerCase()}`];
  const own = item.project_id !== null && project_ids.has(item.project_id) ? item.project_id : undefined;
  const { scope, team_id } = request;
  const project_id = request.project_id ?? own;
  const input: NewTask = {
    ...{ title, description, priority, required_capabilities, scope, team_id, project_id },
    status: 'todo',
    tags: labels,
    due: due ?? undefined,
    estimate_minutes: estimate_minutes ?? undefined,
  };
  const assigned = known ? { assigned_agent_id: assignee, assigned_user_id: agents.get(assignee) } : {};
  const prepared = await prepareTask(deps, ctx, input, assigned);
  const redacted = async (text: string) => (await deps.redact(text)).text;
  const comments: Item['comments'] = [];
  for (const comment of item.comments) comments.push({ ...comment, text: await redacted(comment.text) });
  return {
    line,
    prepared,
    assigned_agent_id: known ? assignee : undefined,
    item: {
      ...item,
      title: prepared.input.title,
      description: prepared.input.description ?? '',
      tags: prepared.input.tags ?? [],
      required_capabilities: [...(prepared.input.required_capabilities ?? [])].sort(),
      resolution: item.resolution === null ? null : await redacted(item.resolution),
      comments,
    },
  };
}

function readyFor(importing: Importing, clean: Clean, made: ReadonlyMap<string, string>): Ready {
  const { rows, states, ids, problems } = importing;
  const { item, line, prepared, assigned_agent_id } = clean;
  const idOf = (external_id: string): string | undefined => {
    const task_id = made.get(external_id) ?? ids.get(external_id);
    if (task_id === undefined)
      problems.push({
        line,
        item: item.external_id,
        message: `${external_id} is neither in the file nor here; the reference to it was left out`,
      });
    return task_id;
  };
  const existing = rows.get(item.external_id);
  return {
    ...{ item, prepared, assigned_agent_id, existing },
    parent_id: item.parent === null ? null : (idOf(item.parent) ?? null),
    depends_on_ids: item.depends_on.flatMap((on) => idOf(on) ?? []).sort(),
    before: existing === undefined ? undefined : states.get(existing.task_id),
  };
}

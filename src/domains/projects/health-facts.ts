// The facts a health check is made of, and each dimension with its score, evidence and what to do about it.
import { limits } from '../../kernel/limits.ts';
import type { OperationContext, Permission } from '../../kernel/operation.ts';
import { mayCall } from '../access/index.ts';
import type { Counted, ProjectDeps, TaskFlow } from './deps.ts';
import {
  AGED_DEFAULT_MS,
  backupScore,
  DIMENSION_WEIGHTS,
  type DimensionName,
  driftScore,
  flowScore,
  incidentScore,
  knowledgeScore,
  stalenessScore,
} from './health-scores.ts';
import { isClosed, type ProjectRow } from './record.ts';
import type { HealthDimension } from './schema.ts';

export interface Check {
  readonly deps: ProjectDeps;
  readonly project: ProjectRow;
  readonly ctx: OperationContext;
  readonly now_ms: number;
  /** ISO time at which the period begins. */
  readonly since: string;
}

/**
 * Only rows in the project's own place count: whoever may see the project sees them, so all get the same figures, and
 * nothing of one viewer is evidence for another.
 */
function placed({ project_id, name, scope, user_id, team_id }: ProjectRow) {
  return { project_id, name, scope, user_id, team_id };
}

/** All dimensions in their order. `complete`: nothing was left out for want of rights of the credential. */
export async function dimensionsOf(check: Check): Promise<{ dimensions: HealthDimension[]; complete: boolean }> {
  const { deps, project, ctx, since } = check;
  const may = (permission: Permission) => mayCall(ctx.principal, permission).allowed;
  const flow = may('task.read') ? await deps.tasks.flow(placed(project), ctx, since) : undefined;
  const memories = may('memory.read');
  const changed_at = await lastChange(check, flow, memories);
  const dimensions = [
    flow ? flowDimension(check, flow) : withheld('task_flow', 'task.read'),
    stalenessDimension(check, changed_at),
    memories || deps.incidents ? await incidentDimension(check) : withheld('incidents', 'memory.read'),
    await driftDimension(check),
    flow && memories
      ? await knowledgeDimension(check, flow)
      : withheld('knowledge', flow ? 'memory.read' : 'task.read'),
    await backupDimension(check, changed_at),
  ];
  return { dimensions, complete: flow !== undefined && memories };
}

/** Below this a dimension says what to do. */
const FINE = 80;

function dimension(
  name: DimensionName,
  score: number | null,
  evidence: readonly (readonly [string, Counted])[],
  advice: string,
): HealthDimension {
  return {
    name,
    score,
    weight: DIMENSION_WEIGHTS[name],
    evidence: evidence.map(([what, { count, ids }]) => ({ what, count, ids: [...ids] })),
    recommendation: score === null || score < FINE ? advice : null,
  };
}

function withheld(name: DimensionName, permission: Permission): HealthDimension {
  return dimension(name, null, [], `Not measured: this credential lacks ${permission}.`);
}

function some(ids: readonly string[]): Counted {
  return { count: ids.length, ids: ids.slice(0, limits.health_evidence_max_ids) };
}

function flowDimension({ now_ms }: Check, flow: TaskFlow): HealthDimension {
  const { created, finished, open, blocked, overdue, begun, cycle_p85_ms } = flow;
  const old_ms = cycle_p85_ms ?? AGED_DEFAULT_MS;
  const aged = some(begun.filter(({ since }) => now_ms - Date.parse(since) > old_ms).map(({ task_id }) => task_id));
  const score = flowScore({
    created: created.count,
    finished: finished.count,
    open: open.count,
    blocked: blocked.count,
    overdue: overdue.count,
    begun: begun.length,
    aged: aged.count,
  });
  const worst = (
    [
      [blocked.count, `Clear what ${blocked.count} blocked tasks wait for.`],
      [aged.count, `Finish, split or give back ${aged.count} tasks that have been in work for long.`],
      [overdue.count, `Decide on ${overdue.count} tasks past their due time.`],
      [
        created.count - finished.count,
        begun.length === 0
          ? 'More is created than finished, and nothing is in work: claim_next takes the most urgent.'
          : 'More is created than finished: take on less, or let more agents claim.',
      ],
    ] as const
  ).toSorted(([a], [b]) => b - a)[0];
  const advice = score === null ? 'There are no tasks: create_kanban_task makes the first.' : (worst?.[1] ?? '');
  return dimension(
    'task_flow',
    score,
    [
      ['tasks created in the period', created],
      ['tasks finished in the period', finished],
      ['open tasks', open],
      ['blocked tasks', blocked],
      ['tasks past their due time', overdue],
      ['tasks long in work', aged],
    ],
    advice,
  );
}

/** Latest of: a change of a task, something that happened in the project, a memory of it. */
async function lastChange(
  { deps, project, ctx }: Check,
  flow: TaskFlow | undefined,
  memories: boolean,
): Promise<Counted & { readonly at: string }> {
  const act = await deps.store.db
    .selectFrom('project_activity')
    .select(['activity_id', 'at'])
    .where('project_id', '=', project.project_id)
    .orderBy('activity_id', 'desc')
    .executeTakeFirst();
  const [memory] = memories ? await deps.memories.list(project, ctx, { place: placed(project), limit: 1 }) : [];
  const all = [
    { at: project.updated_at, id: project.project_id },
    ...(act ? [{ at: act.at, id: act.activity_id }] : []),
    ...(memory ? [{ at: memory.created_at, id: memory.memory_id }] : []),
    ...(flow && flow.last_change_at !== null ? [{ at: flow.last_change_at, id: project.project_id }] : []),
  ];
  const latest = all.reduce((a, b) => (b.at > a.at ? b : a));
  return { count: 1, ids: [latest.id], at: latest.at };
}

function stalenessDimension({ project, now_ms }: Check, changed: Counted & { readonly at: string }): HealthDimension {
  const rests = isClosed(project.status) || project.status === 'paused';
  const score = rests ? null : stalenessScore(now_ms - Date.parse(changed.at));
  const advice = rests
    ? `Not measured: the project is ${project.status}.`
    : 'Go on with it, or say that it rests: update_project status=paused.';
  return dimension('staleness', score, [[`last change at ${changed.at}`, changed]], advice);
}

async function incidentDimension({ deps, project, ctx, now_ms, since }: Check): Promise<HealthDimension> {
  const period_ms = now_ms - Date.parse(since);
  if (deps.incidents) {
    const { ever, opened, open } = await deps.incidents.of(project.project_id, ctx, since);
    const score = incidentScore({ ever, opened: opened.count, open: open.count, period_ms });
    const advice = score === null ? 'No incident was ever recorded.' : 'Close open incidents with their root cause.';
    return dimension(
      'incidents',
      score,
      [
        ['incidents opened in the period', opened],
        ['incidents open now', open],
      ],
      advice,
    );
  }
  const asked = { categories: ['incidents'], place: placed(project) };
  const [ever, count, listed] = [
    await deps.memories.count(project, ctx, asked),
    await deps.memories.count(project, ctx, { ...asked, since }),
    await deps.memories.list(project, ctx, { ...asked, since, limit: limits.health_evidence_max_ids }),
  ];
  const told = { count, ids: listed.map(({ memory_id }) => memory_id) };
  const score = incidentScore({ ever, opened: count, open: 0, period_ms });
  const advice =
    score === null
      ? 'Not measured: nobody ever stored an incident of it, so none is not the same as no incident.'
      : 'Look for what these incidents have in common, and make tasks of it.';
  return dimension('incidents', score, [['memories of incidents in the period', told]], advice);
}

async function driftDimension({ deps, project, ctx }: Check): Promise<HealthDimension> {
  const state = deps.drift === undefined ? null : await deps.drift.of(project.project_id, ctx);
  if (state === null) return dimension('drift', null, [], 'Not measured: no configuration of this project is watched.');
  const { watched, drifted } = state;
  return dimension(
    'drift',
    driftScore(watched.count, drifted.count),
    [
      ['configurations watched', watched],
      ['configurations that differ', drifted],
    ],
    'Bring what differs back, or take it over as the new state.',
  );
}

async function knowledgeDimension({ deps, project, ctx }: Check, flow: TaskFlow): Promise<HealthDimension> {
  const asked = { categories: ['runbooks'], place: placed(project) };
  const count = await deps.memories.count(project, ctx, asked);
  const listed = await deps.memories.list(project, ctx, { ...asked, limit: limits.health_evidence_max_ids });
  const { finished, resolved } = flow;
  const score = knowledgeScore({ finished: finished.count, resolved: resolved.count, runbooks: count });
  const advice =
    score === null
      ? 'Not measured: no task finished in the period.'
      : count === 0
        ? 'Store a runbook (category runbooks) of what is done again and again, and finish tasks with a resolution.'
        : 'Finish tasks with a resolution that says what came of them.';
  return dimension(
    'knowledge',
    score,
    [
      ['tasks finished in the period', finished],
      ['of them with a resolution', resolved],
      ['runbooks', { count, ids: listed.map(({ memory_id }) => memory_id) }],
    ],
    advice,
  );
}

/**
 * Of backups that this product made by its own clock; what a file that was brought here says of its time proves nothing.
 * Ids of backups are their users' alone and no evidence for others.
 *
 * What changed after the last backup is at risk since that one; without any, since the project began.
 */
async function backupDimension(
  { deps, project, now_ms }: Check,
  changed: { readonly at: string },
): Promise<HealthDimension> {
  const last = await deps.store.db
    .selectFrom('project_backups')
    .select('created_at')
    .where('project_id', '=', project.project_id)
    .where('kind', 'in', ['made', 'before_restore'])
    .orderBy('created_at', 'desc')
    .executeTakeFirst();
  const safe = last !== undefined && last.created_at >= changed.at;
  const at_risk_ms = safe ? 0 : now_ms - Date.parse(last?.created_at ?? project.created_at);
  const score = backupScore(at_risk_ms);
  const due = last ? ' (the next is due a day later)' : ' (the first is due a day after the project began)';
  const grace = !safe && score === 100 ? due : '';
  const what = `${last ? `last backup at ${last.created_at}` : 'backups'}${grace}`;
  const evidence = last ? { count: 1, ids: [] } : { count: 0, ids: [] };
  return dimension('backup', score, [[what, evidence]], 'Make a backup with backup_project.');
}

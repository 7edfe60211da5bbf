// A health check: dimensions, their weighted mean, a row of it, and how that compares to the checks before.
import { toIso } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import { mayCall, mayChangeWork } from '../access/index.ts';
import type { ProjectDeps } from './deps.ts';
import { dimensionsOf } from './health-facts.ts';
import { totalScore } from './health-scores.ts';
import type { ProjectRow } from './record.ts';
import { findNamed } from './repository.ts';
import type { Health, HealthDimension, HealthTrend } from './schema.ts';

const DAY_MS = 86_400_000;

export interface HealthRequest {
  /** Id or exact name. */
  readonly project_id: string;
  /** Length of the period. */
  readonly days: number;
}

/**
 * Errors: those of finding the project. The check is kept for the trend where the caller may change the project and no
 * dimension was withheld: checks of different sight would make a trend of who looked.
 */
export async function checkHealth(
  deps: ProjectDeps,
  { project_id: wanted, days }: HealthRequest,
  ctx: OperationContext,
): Promise<Health> {
  const { store } = deps;
  const project = await findNamed(store.db, wanted, ctx.principal);
  const { project_id, name } = project;
  const now_ms = store.clock.now();
  const at = toIso(now_ms);
  const since = toIso(now_ms - days * DAY_MS);
  const { dimensions, complete } = await dimensionsOf({ deps, project, ctx, now_ms, since });
  const score = totalScore(dimensions);
  const earlier = await earlierChecks(deps, project_id, days);
  const recorded = score !== null && complete && mayRecord(ctx, project);
  if (recorded) await record(deps, project_id, { at, score, days, dimensions }, now_ms);
  return { project_id, name, at, since, score, recorded, dimensions, trend: trendOf(dimensions, earlier) };
}

function mayRecord({ principal }: OperationContext, project: ProjectRow): boolean {
  return mayCall(principal, 'project.write').allowed && mayChangeWork(principal, project).allowed;
}

interface KeptCheck {
  readonly at: string;
  readonly score: number;
  readonly days: number;
  readonly dimensions: readonly HealthDimension[];
}

/** Keeps a check, and of its project only so many. */
async function record(
  { store }: ProjectDeps,
  project_id: string,
  { at, score, ...said }: KeptCheck,
  now_ms: number,
): Promise<void> {
  const check_id = newId('check', now_ms);
  await store.write(async (trx) => {
    await trx
      .insertInto('project_health')
      .values({ check_id, project_id, at, score, dimensions: JSON.stringify(said) })
      .execute();
    const forgotten = await trx
      .selectFrom('project_health')
      .select('check_id')
      .where('project_id', '=', project_id)
      .orderBy('check_id', 'desc')
      .offset(limits.health_checks_kept_max_count)
      .limit(1)
      .executeTakeFirst();
    if (forgotten)
      await trx
        .deleteFrom('project_health')
        .where('project_id', '=', project_id)
        .where('check_id', '<=', forgotten.check_id)
        .execute();
  });
}

/** Newest first, of periods of this length: others counted other rows. */
async function earlierChecks({ store }: ProjectDeps, project_id: string, days: number): Promise<KeptCheck[]> {
  const rows = await store.db
    .selectFrom('project_health')
    .select(['at', 'score', 'dimensions'])
    .where('project_id', '=', project_id)
    .orderBy('check_id', 'desc')
    .limit(limits.health_checks_kept_max_count)
    .execute();
  const checks = rows.map(({ at, score, dimensions }) => ({
    ...{ at, score },
    ...(JSON.parse(dimensions) as Pick<KeptCheck, 'days' | 'dimensions'>),
  }));
  return checks.filter((check) => check.days === days).slice(0, limits.health_trend_max_checks);
}

/** Against the check before this one, where both measured the dimension. */
export function trendOf(now: readonly HealthDimension[], earlier: readonly KeptCheck[]): HealthTrend {
  const [last] = earlier;
  const before = new Map(last?.dimensions.map(({ name, score }) => [name, score]));
  return {
    checks: earlier.map(({ at, score }) => ({ at, score })),
    changes: now.flatMap(({ name, score }) => {
      const was = before.get(name) ?? null;
      return score === null || was === null ? [] : [{ name, before: was, change: score - was }];
    }),
  };
}

// How a project's health is scored: each dimension from counts alone, 0 (bad) to 100 (good), null where there is nothing to
// measure. A score is never made up for want of facts: what cannot be measured does not count into the total either.

const DAY_MS = 86_400_000;

export const DIMENSIONS = ['task_flow', 'staleness', 'incidents', 'drift', 'knowledge', 'backup'] as const;
export type DimensionName = (typeof DIMENSIONS)[number];

/**
 * Weights of the total. Flow is what a project is for; incidents and lost knowledge cost others; the rest are warnings
 * that somebody can answer in a minute.
 */
export const DIMENSION_WEIGHTS: Readonly<Record<DimensionName, number>> = {
  task_flow: 3,
  staleness: 1,
  incidents: 2,
  drift: 1,
  knowledge: 2,
  backup: 1,
};

export interface FlowFacts {
  /** In the period. */
  readonly created: number;
  readonly finished: number;
  /** Now. */
  readonly open: number;
  readonly blocked: number;
  readonly overdue: number;
  readonly begun: number;
  /** Of the begun: older than finished work usually was when it finished. */
  readonly aged: number;
}

/**
 * Mean of the parts that can be measured, each a share from 0 to 1:
 * - throughput against intake: finished / created, at most 1. Below 1 the queue grows (Little's law: so do waiting times).
 * - ageing: share of begun tasks that are not older than 85 of 100 finished ones were. What is older seldom ends by itself.
 * - blocked: share of open tasks that are not blocked.
 * - punctuality: share of open tasks that are not past their due time.
 */
export function flowScore({ created, finished, open, blocked, overdue, begun, aged }: FlowFacts): number | null {
  const parts = [
    ...(created > 0 ? [Math.min(1, finished / created)] : finished > 0 ? [1] : []),
    ...(begun > 0 ? [1 - aged / begun] : []),
    ...(open > 0 ? [1 - blocked / open, 1 - overdue / open] : []),
  ];
  if (parts.length === 0) return null;
  return percent(parts.reduce((sum, part) => sum + part, 0) / parts.length);
}

/** Begun tasks that are older than this count as aged where too few have finished to tell. */
export const AGED_DEFAULT_MS = 14 * DAY_MS;

/** A project without any change halves its score in this time: two weeks are the usual rhythm of planning. */
const STALE_HALF_LIFE_MS = 14 * DAY_MS;

/** Exponential decay since the last change: the first days of silence tell most. */
export function stalenessScore(silent_ms: number): number {
  return percent(2 ** (-Math.max(0, silent_ms) / STALE_HALF_LIFE_MS));
}

export interface IncidentFacts {
  /** Of any time: where none was ever recorded, nobody can tell whether there were none. */
  readonly ever: number;
  readonly opened: number;
  readonly open: number;
  readonly period_ms: number;
}

/** An open incident halves the score; four that opened within 30 days and are over do the same. */
export function incidentScore({ ever, opened, open, period_ms }: IncidentFacts): number | null {
  if (ever === 0 && opened === 0 && open === 0) return null;
  const monthly = (Math.max(0, opened - open) * 30 * DAY_MS) / Math.max(DAY_MS, period_ms);
  return percent(1 / (1 + open + monthly / 4));
}

/** Share of what is watched that is as it should be; null where nothing is watched. */
export function driftScore(watched: number, drifted: number): number | null {
  return watched === 0 ? null : percent(1 - Math.min(1, drifted / watched));
}

export interface KnowledgeFacts {
  readonly finished: number;
  /** Of the finished: those that say what came of them. */
  readonly resolved: number;
  readonly runbooks: number;
}

/**
 * Three quarters: the share of finished tasks that say what came of them, for that is what others learn from. One quarter:
 * whether there is any runbook. Null where nothing has finished: nothing could be learned yet.
 */
export function knowledgeScore({ finished, resolved, runbooks }: KnowledgeFacts): number | null {
  if (finished === 0) return null;
  return percent((0.75 * Math.min(resolved, finished)) / finished + (runbooks > 0 ? 0.25 : 0));
}

/** What changed within a day is lost by nobody's fault; after a month without a backup nobody remembers it. */
const AT_RISK_FREE_MS = DAY_MS;
const AT_RISK_MAX_MS = 30 * DAY_MS;

/** Falls in a straight line from a day to a month of changes without a backup. 0 ms: nothing changed since the last one. */
export function backupScore(at_risk_ms: number): number {
  return percent(1 - (at_risk_ms - AT_RISK_FREE_MS) / (AT_RISK_MAX_MS - AT_RISK_FREE_MS));
}

/** Weighted mean of what was measured; null where nothing was. */
export function totalScore(
  dimensions: readonly { readonly score: number | null; readonly weight: number }[],
): number | null {
  let sum = 0;
  let weights = 0;
  for (const { score, weight } of dimensions) {
    if (score === null) continue;
    sum += score * weight;
    weights += weight;
  }
  return weights === 0 ? null : Math.round(sum / weights);
}

function percent(share: number): number {
  return Math.round(100 * Math.min(1, Math.max(0, share)));
}

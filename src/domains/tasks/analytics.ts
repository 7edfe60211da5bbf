// How work flows: throughput, lead and cycle times, blocked time and ageing, from what the history says of each task.
import type { FlowEvent, TaskFlow } from './analytics-flows.ts';
import { hours, quantile, type Spread, spreadOf } from './analytics-percentiles.ts';
import { isOver, STATUSES, type Status } from './statuses.ts';

const DAY_MS = 86_400_000;

/** From `from_ms` on, before `to_ms`. */
export interface Window {
  readonly from_ms: number;
  readonly to_ms: number;
}

/** What happened in a window. Times are hours. */
export interface Flow {
  readonly created: number;
  readonly finished: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly reopened: number;
  readonly lease_expiries: number;
  readonly finished_per_day: number;
  readonly finished_per_week: number;
  /** Created to done. */
  readonly lead_time_hours: Spread;
  /** First in progress to done. */
  readonly cycle_time_hours: Spread;
  /** Spent in `blocked` between the beginning of work and done, by the tasks finished. */
  readonly blocked_hours: number;
  /** Of the cycle times together; null where there are none. */
  readonly blocked_share: number | null;
  /** Time in progress and in review as a share of the lead times together. */
  readonly flow_efficiency: number | null;
}

interface Finish {
  readonly flow: TaskFlow;
  readonly event: FlowEvent;
}

/** The figures of a window. `only` keeps what one agent did. */
export function flowIn(flows: readonly TaskFlow[], { from_ms, to_ms }: Window, only?: string): Flow {
  const counts = { created: 0, done: 0, failed: 0, cancelled: 0, reopened: 0, lease_expired: 0 };
  const finishes: Finish[] = [];
  for (const flow of flows) {
    let last: FlowEvent | undefined;
    for (const event of flow.events) {
      if (event.at_ms < from_ms || event.at_ms >= to_ms) continue;
      if (only !== undefined && event.agent_id !== only) continue;
      if (event.kind !== 'done') counts[event.kind]++;
      else last = event;
    }
    // Done twice in a window is finished once, at the end.
    if (last) finishes.push({ flow, event: last });
  }
  const days = (to_ms - from_ms) / DAY_MS;
  const per_day = finishes.length / days;
  return {
    created: counts.created,
    finished: finishes.length,
    failed: counts.failed,
    cancelled: counts.cancelled,
    reopened: counts.reopened,
    lease_expiries: counts.lease_expired,
    finished_per_day: rounded(per_day),
    finished_per_week: rounded(per_day * 7),
    ...timesOf(finishes),
  };
}

type Times = Pick<Flow, 'lead_time_hours' | 'cycle_time_hours' | 'blocked_hours' | 'blocked_share' | 'flow_efficiency'>;

function timesOf(finishes: readonly Finish[]): Times {
  const leads: number[] = [];
  const cycles: number[] = [];
  let blocked_ms = 0;
  let lead_ms = 0;
  let cycle_ms = 0;
  let active_ms = 0;
  for (const { flow, event } of finishes) {
    const made_ms = flow.events.find(({ kind }) => kind === 'created')?.at_ms;
    const begun_ms = flow.spans.find(({ status }) => status === 'in_progress')?.from_ms;
    if (made_ms !== undefined) {
      leads.push(event.at_ms - made_ms);
      lead_ms += event.at_ms - made_ms;
      active_ms += within(flow, made_ms, event.at_ms, ['in_progress', 'review']);
    }
    if (begun_ms !== undefined && begun_ms <= event.at_ms) {
      cycles.push(event.at_ms - begun_ms);
      cycle_ms += event.at_ms - begun_ms;
      blocked_ms += within(flow, begun_ms, event.at_ms, ['blocked']);
    }
  }
  return {
    lead_time_hours: spreadOf(leads),
    cycle_time_hours: spreadOf(cycles),
    blocked_hours: hours(blocked_ms),
    blocked_share: cycle_ms > 0 ? rounded(blocked_ms / cycle_ms) : null,
    flow_efficiency: lead_ms > 0 ? rounded(active_ms / lead_ms) : null,
  };
}

/** Time a task spent in these columns between two moments. */
function within(flow: TaskFlow, from_ms: number, to_ms: number, statuses: readonly Status[]): number {
  let sum_ms = 0;
  for (const span of flow.spans) {
    if (!statuses.includes(span.status)) continue;
    const end_ms = Math.min(span.to_ms ?? to_ms, to_ms);
    sum_ms += Math.max(0, end_ms - Math.max(span.from_ms, from_ms));
  }
  return sum_ms;
}

export interface Ageing {
  readonly status: Status;
  readonly count: number;
  /** Since it was made. */
  readonly age_p50_hours: number;
  readonly age_p95_hours: number;
  /** Blocked of that: of the tasks in this column, until now. */
  readonly blocked_hours: number;
}

export interface OpenWork {
  readonly count: number;
  readonly by_status: readonly Ageing[];
  readonly oldest: readonly { task_id: string; status: Status; age_hours: number; in_status_hours: number }[];
}

const OLDEST_MAX_COUNT = 5;

/** Open work at a moment, by column. */
export function openWork(flows: readonly TaskFlow[], now_ms: number): OpenWork {
  const open = flows.flatMap((flow) => {
    const last = flow.spans.at(-1);
    if (flow.deleted || !last || last.to_ms !== undefined || isOver(last.status)) return [];
    const age_ms = now_ms - (flow.spans[0]?.from_ms ?? now_ms);
    const blocked_ms = within(flow, 0, now_ms, ['blocked']);
    return [{ task_id: flow.task_id, status: last.status, age_ms, in_status_ms: now_ms - last.from_ms, blocked_ms }];
  });
  const by_status = STATUSES.flatMap((status): Ageing[] => {
    const tasks = open.filter((task) => task.status === status);
    const ages = tasks.map(({ age_ms }) => age_ms).sort((a, b) => a - b);
    const p50 = quantile(ages, 0.5);
    const p95 = quantile(ages, 0.95);
    if (p50 === undefined || p95 === undefined) return [];
    const blocked_hours = hours(tasks.reduce((sum, { blocked_ms }) => sum + blocked_ms, 0));
    return [{ status, count: tasks.length, age_p50_hours: hours(p50), age_p95_hours: hours(p95), blocked_hours }];
  });
  const oldest = open
    .sort((a, b) => b.age_ms - a.age_ms || (a.task_id < b.task_id ? -1 : 1))
    .slice(0, OLDEST_MAX_COUNT)
    .map(({ task_id, status, age_ms, in_status_ms }) => ({
      ...{ task_id, status },
      age_hours: hours(age_ms),
      in_status_hours: hours(in_status_ms),
    }));
  return { count: open.length, by_status, oldest };
}

export interface Week {
  readonly from_ms: number;
  readonly created: number;
  readonly finished: number;
}

const WEEK_MS = 7 * DAY_MS;

/** Weeks counted back from the end of a window; the first may be shorter. A task counts as finished each time it is done. */
export function weeksOf(flows: readonly TaskFlow[], { from_ms, to_ms }: Window, only?: string): Week[] {
  const count = Math.ceil((to_ms - from_ms) / WEEK_MS);
  const weeks = Array.from({ length: count }, (_, i) => ({
    from_ms: Math.max(from_ms, to_ms - (count - i) * WEEK_MS),
    created: 0,
    finished: 0,
  }));
  for (const { events } of flows) {
    for (const { kind, at_ms, agent_id } of events) {
      if (at_ms < from_ms || at_ms >= to_ms || (only !== undefined && agent_id !== only)) continue;
      const week = weeks[count - Math.ceil((to_ms - at_ms) / WEEK_MS)];
      if (week && kind === 'created') week.created++;
      if (week && kind === 'done') week.finished++;
    }
  }
  return weeks;
}

export interface Share extends Flow {
  readonly name: string;
}

/** The same figures by agent: of those who worked on tasks, the busiest first. */
export function byAgent(flows: readonly TaskFlow[], window: Window, only?: string): Share[] {
  const agentsOf = ({ events }: TaskFlow) =>
    [...new Set(events.flatMap(({ agent_id }) => agent_id ?? []))].filter(
      (name) => only === undefined || name === only,
    );
  return grouped(flows, agentsOf)
    .map(([name, own]) => ({ name, ...flowIn(own, window, name) }))
    .filter(happened)
    .sort(busiest);
}

/** By capability that tasks needed; a task that needs two counts for both. */
export function byCapability(flows: readonly TaskFlow[], window: Window, only?: string): Share[] {
  const groups = grouped(flows, ({ capabilities }) => capabilities);
  return groups
    .map(([name, own]) => ({ name, ...flowIn(own, window, only) }))
    .filter(happened)
    .sort(busiest);
}

function grouped(
  flows: readonly TaskFlow[],
  namesOf: (flow: TaskFlow) => readonly string[],
): (readonly [string, readonly TaskFlow[]])[] {
  const groups = new Map<string, TaskFlow[]>();
  for (const flow of flows) {
    for (const name of namesOf(flow)) {
      const group = groups.get(name);
      if (group) group.push(flow);
      else groups.set(name, [flow]);
    }
  }
  return [...groups];
}

function happened({ created, finished, failed, cancelled, reopened, lease_expiries }: Share): boolean {
  return created + finished + failed + cancelled + reopened + lease_expiries > 0;
}

function busiest(a: Share, b: Share): number {
  return b.finished - a.finished || (a.name < b.name ? -1 : 1);
}

/** Change against the window before as a share of it; null where there was nothing before. */
export function change(now: number | null, before: number | null): number | null {
  return now === null || before === null || before === 0 ? null : rounded((now - before) / before);
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

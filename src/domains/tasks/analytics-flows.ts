// What happened to each task, put together from its history rows: when it was in which column, and who worked on it.
import { isOver, type Status } from './statuses.ts';

/** What analytics read of a history row. */
export interface FlowRow {
  readonly entry_id: string;
  readonly task_id: string;
  readonly project_id: string | null;
  readonly at: string;
  readonly action: string;
  readonly from_status: string | null;
  readonly to_status: string | null;
  readonly agent_id: string;
  readonly subject_agent_id: string | null;
  readonly version: number;
  /** JSON; read of the row that made the task. */
  readonly details: string | null;
}

export interface Span {
  readonly status: Status;
  readonly from_ms: number;
  /** Undefined while it lasts. */
  readonly to_ms: number | undefined;
}

export interface FlowEvent {
  readonly kind: 'created' | 'done' | 'failed' | 'cancelled' | 'reopened' | 'lease_expired';
  readonly at_ms: number;
  /** Whose claim ended, or who worked on it then. */
  readonly agent_id: string | null;
}

/** One task as its history tells it. */
export interface TaskFlow {
  readonly task_id: string;
  readonly project_id: string | null;
  readonly capabilities: readonly string[];
  readonly spans: readonly Span[];
  readonly events: readonly FlowEvent[];
  /** Who has or had it in progress last. */
  readonly worker: string | null;
  readonly deleted: boolean;
}

/** Actions that count without a change of column. */
export const EXPIRED = 'lease_expired';
export const DELETED = 'deleted';

/** Tasks from rows in any order; rows of one task are taken by (version, entry_id). */
export function flowsOf(rows: readonly FlowRow[]): TaskFlow[] {
  const byTask = new Map<string, FlowRow[]>();
  for (const row of rows) {
    const known = byTask.get(row.task_id);
    if (known) known.push(row);
    else byTask.set(row.task_id, [row]);
  }
  return [...byTask.values()].map(flowOf);
}

function byVersion(a: FlowRow, b: FlowRow): number {
  if (a.version !== b.version) return a.version - b.version;
  return a.entry_id < b.entry_id ? -1 : a.entry_id > b.entry_id ? 1 : 0;
}

function flowOf(unordered: FlowRow[]): TaskFlow {
  const rows = unordered.sort(byVersion);
  const spans: Span[] = [];
  const events: FlowEvent[] = [];
  let status: Status | undefined;
  let from_ms = 0;
  let worker: string | null = null;
  let deleted = false;
  let capabilities: readonly string[] = [];
  for (const row of rows) {
    const at_ms = Date.parse(row.at);
    if (row.action === EXPIRED)
      events.push({ kind: 'lease_expired', at_ms, agent_id: row.subject_agent_id ?? row.agent_id });
    if (row.action === DELETED) deleted = true;
    const to = row.to_status as Status | null;
    if (to !== null && to !== status) {
      if (status !== undefined) spans.push({ status, from_ms, to_ms: at_ms });
      if (to === 'in_progress') worker = row.subject_agent_id ?? row.agent_id;
      const kind = eventOf(status, to, row);
      if (kind === 'created') capabilities = capabilitiesIn(row.details);
      if (kind) events.push({ kind, at_ms, agent_id: kind === 'created' ? row.agent_id : (worker ?? row.agent_id) });
      status = to;
      from_ms = at_ms;
    }
    if (deleted && status !== undefined) {
      spans.push({ status, from_ms, to_ms: at_ms });
      status = undefined;
    }
  }
  if (status !== undefined) spans.push({ status, from_ms, to_ms: undefined });
  const last = rows.at(-1);
  return {
    task_id: last?.task_id ?? '',
    project_id: last?.project_id ?? null,
    ...{ capabilities, spans, events, worker, deleted },
  };
}

function eventOf(before: Status | undefined, to: Status, row: FlowRow): FlowEvent['kind'] | undefined {
  // A first row that leaves a column is no beginning: what was before it is not the caller's to see.
  if (before === undefined) return row.from_status === null ? 'created' : over(to);
  return isOver(before) && !isOver(to) ? 'reopened' : over(to);
}

function over(to: Status): 'done' | 'failed' | 'cancelled' | undefined {
  return to === 'done' || to === 'failed' || to === 'cancelled' ? to : undefined;
}

function capabilitiesIn(details: string | null): readonly string[] {
  if (details === null || !details.includes('required_capabilities')) return [];
  const { required_capabilities } = JSON.parse(details) as { required_capabilities?: unknown };
  return Array.isArray(required_capabilities) ? required_capabilities.map(String) : [];
}

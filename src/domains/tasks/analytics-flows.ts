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
const IMPORTED = 'imported';

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
    if (status === undefined && row.details !== null && row.to_status !== null) {
      const told = toldIn(row.details);
      capabilities = told.capabilities;
      if (row.action === IMPORTED) {
        status = lifeElsewhere(row.to_status as Status, at_ms, told, spans, events);
        from_ms = spans.at(-1)?.to_ms ?? told.created_ms ?? at_ms;
        continue;
      }
    }
    if (row.action === EXPIRED)
      events.push({ kind: 'lease_expired', at_ms, agent_id: row.subject_agent_id ?? row.agent_id });
    if (row.action === DELETED) deleted = true;
    const to = row.to_status as Status | null;
    if (to !== null && to !== status) {
      if (status !== undefined) spans.push({ status, from_ms, to_ms: at_ms });
      if (to === 'in_progress') worker = row.subject_agent_id ?? row.agent_id;
      const kind = eventOf(status, to, row);
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

interface Told {
  readonly capabilities: readonly string[];
  readonly created_ms: number | undefined;
  readonly started_ms: number | undefined;
  readonly finished_ms: number | undefined;
}

const NOTHING_TOLD: Told = { capabilities: [], created_ms: undefined, started_ms: undefined, finished_ms: undefined };

function toldIn(details: string): Told {
  if (details === '{}') return NOTHING_TOLD;
  const { required_capabilities, created_at, started_at, finished_at } = JSON.parse(details) as Record<string, unknown>;
  const ms = (text: unknown): number | undefined => (typeof text === 'string' ? Date.parse(text) : undefined);
  const capabilities = Array.isArray(required_capabilities) ? required_capabilities.map(String) : [];
  return { capabilities, created_ms: ms(created_at), started_ms: ms(started_at), finished_ms: ms(finished_at) };
}

/**
 * The life of a task before it was imported, from the moments its source told: it was made then, and done then, by nobody
 * who is known here. Returns the column it is in.
 */
function lifeElsewhere(to: Status, at_ms: number, told: Told, spans: Span[], events: FlowEvent[]): Status {
  const made_ms = Math.min(told.created_ms ?? at_ms, at_ms);
  events.push({ kind: 'created', at_ms: made_ms, agent_id: null });
  const ended = over(to);
  const end_ms = ended ? Math.max(made_ms, told.finished_ms ?? at_ms) : at_ms;
  if (ended) events.push({ kind: ended, at_ms: end_ms, agent_id: null });
  const { started_ms } = told;
  const begun = ended && started_ms !== undefined && started_ms >= made_ms && started_ms <= end_ms;
  if (begun) spans.push({ status: 'todo', from_ms: made_ms, to_ms: started_ms });
  if (ended)
    spans.push({ status: begun ? 'in_progress' : 'todo', from_ms: begun ? started_ms : made_ms, to_ms: end_ms });
  return to;
}

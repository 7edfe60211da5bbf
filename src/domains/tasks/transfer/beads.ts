// Beads' JSON Lines (.beads/issues.jsonl, `bd export`): one issue a line with its labels, dependencies and comments.
// Fields as in its internal/types/types.go, release 1.0, and the tombstones of releases before 0.50.
import type { Priority, Status } from '../statuses.ts';
import type { BoardBuilder } from './item.ts';
import { isRecord, listOf, nameOf, numberOf, sections, textOf, timeOf, type Values } from './values.ts';

const STATUS: ReadonlyMap<string, Status> = new Map(
  Object.entries({
    open: 'todo',
    // A claim does not travel: nobody here holds it.
    in_progress: 'todo',
    hooked: 'todo',
    blocked: 'blocked',
    deferred: 'backlog',
    pinned: 'backlog',
    closed: 'done',
  } as const),
);

const PRIORITY: readonly Priority[] = ['critical', 'high', 'medium', 'low', 'low'];

/** Records that are no work of people or agents. */
const NO_WORK = new Set(['message', 'event', 'gate', 'molecule', 'agent', 'role', 'rig', 'convoy', 'slot']);

/** Types of edges for which the issue has to wait. */
const WAITS = new Set(['blocks', 'waits-for']);

export function isBeads(value: unknown): boolean {
  if (!isRecord(value)) return false;
  if (value._type === 'memory' || value._type === 'issue') return true;
  return (
    textOf(value.id) !== undefined &&
    textOf(value.title) !== undefined &&
    ('issue_type' in value || 'priority' in value)
  );
}

/** Adds the issue of one line. */
export function addBead(builder: BoardBuilder, value: Values, line: number): void {
  const id = textOf(value.id);
  if (value._type === 'memory') {
    builder.skip();
    return;
  }
  if (id === undefined) {
    builder.problem({ line, message: 'has no id' });
    return;
  }
  const external_id = beadId(id);
  const type = textOf(value.issue_type) ?? 'task';
  const status = textOf(value.status) ?? 'open';
  if (NO_WORK.has(type) || value.ephemeral === true || value.is_template === true || status === 'tombstone') {
    builder.skip();
    return;
  }
  const priority = numberOf(value.priority);
  if (priority !== undefined && PRIORITY[priority] === undefined)
    builder.problem({ line, item: external_id, message: `priority ${priority} is not one of 0 to 4; taken as medium` });
  const edges = edgesOf(value, id);
  if (edges.parents.length > 1)
    builder.problem({ line, item: external_id, message: `has ${edges.parents.length} parents; the first one counts` });
  const estimate = numberOf(value.estimated_minutes);
  const resolution = textOf(value.close_reason);
  builder.add(
    {
      external_id,
      title: textOf(value.title) ?? '',
      description: descriptionOf(value, edges.links),
      status: STATUS.get(status) ?? 'todo',
      priority: PRIORITY[priority ?? 2] ?? 'medium',
      parent: edges.parents[0] ?? null,
      depends_on: edges.waits,
      tags: tagsOf(value, type, status),
      estimate_minutes: estimate !== undefined && estimate > 0 ? Math.round(estimate) : null,
      assignee: textOf(value.assignee) ?? null,
      due: timeOf(value.due_at),
      resolution: status === 'closed' ? (resolution ?? null) : null,
      created_at: timeOf(value.created_at),
      started_at: timeOf(value.started_at),
      finished_at: timeOf(value.closed_at),
      comments: commentsOf(value, external_id),
    },
    line,
  );
}

function beadId(id: string): string {
  return `beads:${id.trim()}`;
}

interface Edges {
  readonly parents: string[];
  readonly waits: string[];
  /** What is only told: related, discovered-from and the like. */
  readonly links: string[];
}

function edgesOf(value: Values, id: string): Edges {
  const edges: Edges = { parents: [], waits: [], links: [] };
  for (const edge of listOf(value.dependencies)) {
    if (!isRecord(edge)) continue;
    const on = textOf(edge.depends_on_id);
    const type = textOf(edge.type) ?? 'blocks';
    // A line may carry edges of others; those are told there.
    if (on === undefined || (edge.issue_id !== undefined && edge.issue_id !== id)) continue;
    if (type === 'parent-child') edges.parents.push(beadId(on));
    else if (WAITS.has(type)) edges.waits.push(beadId(on));
    else edges.links.push(`- ${type}: ${on}`);
  }
  return edges;
}

function descriptionOf(value: Values, links: readonly string[]): string {
  const reference = textOf(value.external_ref);
  const all = reference === undefined ? links : [...links, `- external: ${reference}`];
  return sections([
    ['', textOf(value.description)],
    ['Design', textOf(value.design)],
    ['Acceptance criteria', textOf(value.acceptance_criteria)],
    ['Notes', textOf(value.notes)],
    ['Links', all.length > 0 ? all.join('\n') : undefined],
  ]);
}

function tagsOf(value: Values, type: string, status: string): string[] {
  const labels = listOf(value.labels).filter((label) => typeof label === 'string');
  const own = !STATUS.has(status) ? [`status:${status}`] : status === 'pinned' ? ['pinned'] : [];
  return [...labels, ...(type === 'task' ? [] : [`type:${type}`]), ...own];
}

function commentsOf(value: Values, external_id: string) {
  return listOf(value.comments).flatMap((comment, i) => {
    const text = isRecord(comment) ? textOf(comment.text) : undefined;
    if (!isRecord(comment) || text === undefined) return [];
    const comment_id = `${external_id}/${nameOf(comment.id) ?? i}`;
    return [{ comment_id, author: textOf(comment.author) ?? '', at: timeOf(comment.created_at), text }];
  });
}

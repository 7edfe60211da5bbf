// list_kanban_tasks: tasks by filter, in the order of their urgency, of time or of the plan; or who has how much to do.
import { z } from 'zod';
import { toIso } from '../../../kernel/clock.ts';
import {
  cursorField,
  idField,
  limitField,
  nextCursorField,
  sinceField,
  tagsField,
  unlisted,
} from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { resolveSince } from '../../../kernel/moments.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { sweep } from '../claims/sweep.ts';
import type { TaskDeps } from '../deps.ts';
import { asNow } from '../lapsed.ts';
import { filtered } from '../list/filter.ts';
import { ORDERS, pageOf } from '../list/pages.ts';
import { sequencePage } from '../list/sequence.ts';
import { workloadOf } from '../list/workload.ts';
import { toTask } from '../record.ts';
import { priorityField, statusField, taskSchema } from '../schema.ts';
import { stored, taskLine } from '../shown.ts';

const oneOrMore = <T extends z.ZodType>(field: T, what: string) =>
  z
    .union([z.array(field).min(1).max(8), field])
    .transform((value) => (Array.isArray(value) ? value : [value]) as z.output<T>[])
    .describe(what)
    .optional();

const input = z.strictObject({
  status: oneOrMore(statusField, 'Any of these.'),
  project_id: idField('Project.').optional(),
  parent_id: idField('Parts of this story.').optional(),
  assigned_agent_id: idField('Assigned to or held by it.').optional(),
  tags: tagsField('All of these.').optional(),
  priority: oneOrMore(priorityField, 'Any of these.'),
  capability: z.string().trim().toLowerCase().min(1).max(limits.tag_length_max_chars).describe('Needs it.').optional(),
  ready: z.boolean().describe('Can be claimed.').optional(),
  overdue: z.boolean().describe('Past its due time.').optional(),
  query: z.string().trim().min(1).max(limits.name_length_max_chars).describe('Words of the title.').optional(),
  created_since: unlisted(sinceField('7d or a time.').optional()),
  updated_since: unlisted(sinceField('7d or a time.').optional()),
  order: z.enum(ORDERS).default('priority').describe('sequence: stories and tickets as to be done.'),
  view: z.enum(['list', 'workload']).default('list').describe('workload: open tasks by agent.'),
  limit: limitField(),
  cursor: cursorField,
});

const listed = taskSchema.omit({ description: true, resolution: true }).extend({
  story_id: z.string().nullable().describe('Story in the plan; its own id: it is one.').optional(),
  stage: z.number().describe('Place among the stages.').optional(),
  label: z.string().describe('Stage, with a letter where several go in parallel: 1, 2a, 2b.').optional(),
  story_label: z.string().nullable().describe('Label of its story.').optional(),
  critical: z.boolean().describe('On the critical path.').optional(),
  depth: z.number().describe('0 story or alone, 1 its ticket.').optional(),
});

const output = z.object({
  tasks: z.array(listed).describe('Tasks.'),
  workload: z
    .array(
      z.object({
        agent_id: z.string().nullable().describe('Agent; null: nobody yet.'),
        held: z.number().describe('Works on.'),
        assigned: z.number().describe('Assigned, not begun.'),
        overdue: z.number().describe('Past due.'),
        by_status: z.record(z.string(), z.number()).describe('Open tasks by column.'),
      }),
    )
    .nullable()
    .describe('With view=workload.'),
  next_cursor: nextCursorField,
});

type Listed = z.output<typeof listed>;

export const listKanbanTasks = defineOperation<TaskDeps, typeof input, typeof output>({
  name: 'list_kanban_tasks',
  title: 'List tasks',
  description: 'Lists tasks by filters. ready=true is the queue, order=sequence the plan, view=workload who is busy.',
  toolset: 'tasks',
  input,
  output,
  effects: READS,
  permission: 'task.read',
  rest: { method: 'GET', path: '/tasks' },
  cli: {
    group: 'tasks',
    verb: 'list',
    table: { rows: 'tasks', columns: ['task_id', 'label', 'title', 'status', 'priority', 'holder_agent_id'] },
  },
  examples: [
    { title: 'The ready queue', input: { ready: true } },
    { title: 'The plan of everything', input: { order: 'sequence', limit: 100 } },
    { title: 'Who has how much to do', input: { view: 'workload' } },
  ],
  async handle(deps, { order, view, limit, cursor, created_since, updated_since, ...rest }, { principal }) {
    // A claim that is over is over for every reader.
    await sweep(deps);
    const { store } = deps;
    const now_ms = store.clock.now();
    const now = toIso(now_ms);
    const since = (text: string | undefined) => (text === undefined ? undefined : resolveSince(text, now_ms));
    const filter = { ...rest, created_since: since(created_since), updated_since: since(updated_since) };
    if (view === 'workload') {
      const workload = await workloadOf(filtered(store.db, principal, filter, now), now);
      return { tasks: [], workload, next_cursor: null };
    }
    if (order === 'sequence') {
      const page = await sequencePage(store.db, principal, filter, { limit, cursor, now });
      const tasks = page.rows.map(({ row, plan: { task_id: _, ...plan } }) => ({
        ...toTask(asNow(row, now)),
        ...plan,
      }));
      return { tasks, workload: null, next_cursor: page.next_cursor };
    }
    const page = await pageOf(filtered(store.db, principal, filter, now), order, limit, cursor);
    return { tasks: page.rows.map((row) => toTask(asNow(row, now))), workload: null, next_cursor: page.next_cursor };
  },
  text({ tasks, workload, next_cursor }) {
    if (workload) {
      const lines = workload.map(({ agent_id, held, assigned, overdue, by_status }) => {
        const columns = Object.entries(by_status).map(([status, count]) => `${status} ${count}`);
        return `${agent_id ?? '(nobody)'}: holds ${held}, assigned ${assigned}, overdue ${overdue}; ${columns.join(', ')}`;
      });
      return [{ kind: 'text', text: `Agents with open tasks: ${workload.length}.` }, ...stored(lines)];
    }
    const more = next_cursor === null ? '' : ` More with cursor=${next_cursor}`;
    return [{ kind: 'text', text: `Tasks: ${tasks.length}.${more}` }, ...stored(planLines(tasks))];
  },
});

function planLines(tasks: readonly Listed[]): string[] {
  const there = new Set(tasks.map(({ task_id }) => task_id));
  return tasks.map((task) => {
    if (task.label === undefined) return taskLine(task);
    const { label, story_label, story_id, critical, depth = 0 } = task;
    // Below its story the story need not be named.
    const apart = story_label != null && !there.has(story_id ?? '');
    const place = apart ? `${story_label}.${label}` : `${'  '.repeat(depth)}${label}`;
    return `${place}${critical ? '*' : ''} ${taskLine(task)}`;
  });
}

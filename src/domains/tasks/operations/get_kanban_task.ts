// get_kanban_task: a task with all that is needed to start work on it.
import { z } from 'zod';
import { toIso } from '../../../kernel/clock.ts';
import { limitField } from '../../../kernel/fields.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { isHeld, isOwnClaim } from '../claims/lease.ts';
import { sweep } from '../claims/sweep.ts';
import type { TaskDeps } from '../deps.ts';
import { taskNotFound } from '../errors.ts';
import { commentsOf, type HistoryRow, historyOf } from '../history.ts';
import { asNow } from '../lapsed.ts';
import { neighboursOf, storiesAbove } from '../neighbours.ts';
import { toTask } from '../record.ts';
import { findVisible } from '../repository.ts';
import { statusField, taskIdField, taskSchema } from '../schema.ts';
import {
  relatedField,
  relatedLimitField,
  relatedLines,
  relatedTo,
  shortTaskSchema,
  stored,
  taskLine,
} from '../shown.ts';
import { nextOf, type Status } from '../statuses.ts';

const COMMENTS_COUNT = 20;

const input = z.strictObject({
  task_id: taskIdField,
  related_limit: relatedLimitField,
  history_limit: limitField(),
  cursor: z.string().max(500).describe('next_cursor: what happened before.').optional(),
});

const entry = z.object({
  at: z.string().describe('When.'),
  action: z.string().describe('What.'),
  from_status: z.string().nullable().describe('Column before.'),
  to_status: z.string().nullable().describe('Column after.'),
  user_id: z.string().describe('Whose agent.'),
  agent_id: z.string().describe('By.'),
  machine_id: z.string().describe('On.'),
  subject_agent_id: z.string().nullable().describe('Agent it happened to.'),
  comment: z.string().nullable().describe('Words.'),
  details: z.record(z.string(), z.unknown()).describe('Facts.'),
  version: z.number().describe("The task's version after it."),
});

const output = z.object({
  task: taskSchema.describe('The task.'),
  next_statuses: z.array(statusField).describe('Columns it can go to.'),
  stories: z.array(shortTaskSchema).describe('What it is a part of, nearest first.'),
  dependencies: z.array(shortTaskSchema).describe('What it waits for.'),
  dependants: z.array(shortTaskSchema).describe('What waits for it.'),
  children: z.array(shortTaskSchema).describe('Its parts.'),
  hidden: z.number().describe('Further ones, not shown or not yours to see.'),
  claim: z
    .object({
      holder_agent_id: z.string().describe('Works on it.'),
      own: z.boolean().describe('This session made the claim.'),
      fencing_token: z.number().nullable().describe('Of your own claim: writes need it.'),
      lease_expires_at: z.string().nullable().describe('Ends then; null: has no end.'),
    })
    .nullable()
    .describe('Null: nobody works on it.'),
  comments: z
    .array(
      z.object({
        at: z.string().describe('When.'),
        agent_id: z.string().describe('By.'),
        user_id: z.string().describe('Whose agent.'),
        comment: z.string().describe('Words.'),
      }),
    )
    .describe('The newest ones, newest last.'),
  history: z.array(entry).describe('Newest last.'),
  next_cursor: z.string().nullable().describe('Earlier history.'),
  related: relatedField,
});

export const getKanbanTask = defineOperation<TaskDeps, typeof input, typeof output>({
  name: 'get_kanban_task',
  title: 'Get task',
  description: 'A task with dependencies, parts, claim, comments, history and related knowledge: all to start work.',
  toolset: 'tasks',
  input,
  output,
  effects: READS,
  permission: 'task.read',
  rest: { method: 'GET', path: '/tasks/{task_id}' },
  cli: { group: 'tasks', verb: 'get', positional: ['task_id'] },
  examples: [{ title: 'One task', input: { task_id: 'task_123' } }],
  async handle(deps, { task_id, related_limit, history_limit, cursor }, ctx) {
    await sweep(deps);
    const { store } = deps;
    const { db } = store;
    const { principal } = ctx;
    const found = await findVisible(db, task_id, principal);
    if (!found) throw taskNotFound(task_id);
    const now = toIso(store.clock.now());
    const row = asNow(found, now);
    const around = (kind: 'dependencies' | 'dependants' | 'children') =>
      neighboursOf(db, principal, { task_id, kind, now });
    const [dependencies, dependants, children] = [
      await around('dependencies'),
      await around('dependants'),
      await around('children'),
    ];
    const all = [dependencies, dependants, children];
    const history = await historyOf(db, task_id, history_limit, cursor);
    const own = isOwnClaim(row, ctx, now);
    const claim = {
      holder_agent_id: row.holder_agent_id ?? '',
      own,
      fencing_token: own ? row.fencing_token : null,
      lease_expires_at: row.lease_expires_at,
    };
    return {
      task: toTask(row),
      next_statuses: [...nextOf(row.status as Status)],
      stories: await storiesAbove(db, principal, row),
      dependencies: [...dependencies.tasks],
      dependants: [...dependants.tasks],
      children: [...children.tasks],
      hidden: all.reduce((sum, { tasks, count }) => sum + count - tasks.length, 0),
      claim: isHeld(row, now) ? claim : null,
      comments: (await commentsOf(db, task_id, COMMENTS_COUNT)).map(toComment),
      history: history.rows.map(toEntry),
      next_cursor: history.next_cursor,
      related: await relatedTo(deps, row, ctx, related_limit),
    };
  },
  text(out) {
    const { task, claim } = out;
    const part = (title: string, lines: readonly string[]) => (lines.length > 0 ? [`${title}:`, ...lines] : []);
    const held = claim === null ? '' : ` ${claim.own ? 'You hold it' : `${claim.holder_agent_id} holds it`}.`;
    const more = out.hidden > 0 ? ` Connected with ${out.hidden} more.` : '';
    return [
      {
        kind: 'text',
        text: `Task ${task.task_id}, version ${task.version}. Next: ${out.next_statuses.join(', ')}.${held}${more}`,
      },
      ...stored([
        taskLine(task),
        ...(task.description === '' ? [] : [task.description]),
        ...(task.resolution === null ? [] : [`Resolution: ${task.resolution}`]),
        ...part('Part of', out.stories.map(taskLine)),
        ...part('Waits for', out.dependencies.map(taskLine)),
        ...part('Waited for by', out.dependants.map(taskLine)),
        ...part('Parts', out.children.map(taskLine)),
        ...part(
          'Comments',
          out.comments.map(({ at, agent_id, comment }) => `${at} ${agent_id}: ${comment}`),
        ),
        ...part('History', out.history.map(historyLine)),
        ...part('Related', relatedLines(out.related)),
      ]),
    ];
  },
});

function toEntry({ entry_id: _, task_id: _t, project_id: _p, scope: _s, team_id: _m, details, ...row }: HistoryRow) {
  // A token is for its holder alone, who finds it in `claim`.
  const { fencing_token: _f, ...facts } = JSON.parse(details) as Record<string, unknown>;
  return { ...row, details: facts };
}

function toComment({ at, agent_id, user_id, comment }: HistoryRow) {
  return { at, agent_id, user_id, comment: comment ?? '' };
}

function historyLine({ at, action, from_status, to_status, agent_id }: z.output<typeof entry>): string {
  const moved = from_status !== null && to_status !== null ? ` ${from_status} -> ${to_status}` : '';
  return `${at} ${action}${moved} by ${agent_id}`;
}

// What comes with a task that is taken up: what the tasks before it came to, and what was said about it so far.
import { z } from 'zod';
import type { Principal } from '../../../kernel/operation.ts';
import { visibleWork } from '../../access/index.ts';
import type { TaskReader } from '../deps.ts';

const BEFORE_MAX_COUNT = 20;
const NOTES_MAX_COUNT = 5;

export const beforeSchema = z
  .array(
    z.object({
      task_id: z.string().describe('Id.'),
      title: z.string().describe('One line.'),
      status: z.string().describe('Column.'),
      resolution: z.string().nullable().describe('What came of it.'),
    }),
  )
  .describe('Tasks it depended on.');

export const notesSchema = z
  .array(
    z.object({
      at: z.string().describe('When.'),
      action: z.string().describe('What happened.'),
      agent_id: z.string().describe('By whom.'),
      comment: z.string().describe('What was said.'),
    }),
  )
  .describe('What was said about it last, newest first.');

export interface Handover {
  readonly before: z.output<typeof beforeSchema>;
  readonly notes: z.output<typeof notesSchema>;
}

export async function handoverOf(db: TaskReader, task_id: string, principal: Principal): Promise<Handover> {
  const before = await db
    .selectFrom('task_dependencies')
    .innerJoin('tasks', 'tasks.task_id', 'task_dependencies.depends_on_id')
    .select(['tasks.task_id', 'tasks.title', 'tasks.status', 'tasks.resolution'])
    .where('task_dependencies.task_id', '=', task_id)
    .where(visibleWork(principal, 'tasks'))
    .orderBy('tasks.finished_at', 'desc')
    .orderBy('tasks.task_id')
    .limit(BEFORE_MAX_COUNT)
    .execute();
  return { before, notes: await lastNotes(db, task_id, NOTES_MAX_COUNT) };
}

/** Comments on a task the caller has seen, newest first. */
export async function lastNotes(db: TaskReader, task_id: string, limit: number): Promise<Handover['notes']> {
  const rows = await db
    .selectFrom('task_history')
    .select(['at', 'action', 'agent_id', 'comment'])
    .where('task_id', '=', task_id)
    .where('comment', 'is not', null)
    .orderBy('version', 'desc')
    .orderBy('entry_id', 'desc')
    .limit(limit)
    .execute();
  return rows.flatMap(({ comment, ...row }) => (comment === null ? [] : [{ ...row, comment }]));
}

// What answers about tasks have in common: short forms of a task, knowledge that comes with it, and their text.
import { z } from 'zod';
import type { OperationContext, TextPart } from '../../kernel/operation.ts';
import type { RelatedKnowledge } from '../learning/index.ts';
import type { TaskDeps } from './deps.ts';
import type { TaskRow } from './record.ts';
import type { Task } from './schema.ts';
import { priorityField, statusField } from './schema.ts';
import { priorityOf, type Status } from './statuses.ts';

/** Knowledge that comes with a task unless another number is asked for. */
export const RELATED_DEFAULT = 3;
const RELATED_MAX = 20;

export const relatedLimitField = z
  .number()
  .int()
  .min(0)
  .max(RELATED_MAX)
  .default(RELATED_DEFAULT)
  .describe('Related memories at most.');

export const relatedField = z
  .array(
    z.object({
      memory_id: z.string().describe('Id.'),
      category: z.string().describe('Category.'),
      content: z.string().describe('Text, shortened.'),
      score: z.number().describe('0 to 1 in this answer.'),
      agent_id: z.string().describe('Written by.'),
      machine_id: z.string().describe('Written on.'),
      created_at: z.string().describe('When.'),
    }),
  )
  .describe('What is known about such work.');

/** What may help with a task, by its words: fast enough for every call. */
export async function relatedTo(
  { learning }: Pick<TaskDeps, 'learning'>,
  task: Pick<TaskRow, 'title' | 'description' | 'tags' | 'team_id'>,
  ctx: OperationContext,
  limit: number,
): Promise<RelatedKnowledge[]> {
  if (limit === 0) return [];
  const words = [task.title, ...(JSON.parse(task.tags) as string[]), task.description].join(' ');
  return [...(await learning.related(words, ctx, { limit, semantic: false, team_id: task.team_id }))];
}

/** A task as others are told of it. */
export const shortTaskSchema = z.object({
  task_id: z.string().describe('Id.'),
  title: z.string().describe('One line.'),
  status: statusField,
  priority: priorityField,
  assigned_agent_id: z.string().nullable().describe('Whose it is.'),
  holder_agent_id: z.string().nullable().describe('Who works on it now.'),
});
export type ShortTask = z.output<typeof shortTaskSchema>;

export const SHORT_COLUMNS = [
  'task_id',
  'title',
  'status',
  'priority',
  'assigned_agent_id',
  'holder_agent_id',
] as const satisfies readonly (keyof TaskRow)[];

export function toShort(row: Pick<TaskRow, (typeof SHORT_COLUMNS)[number]>): ShortTask {
  const { task_id, title, status, priority, assigned_agent_id, holder_agent_id } = row;
  return {
    ...{ task_id, title, assigned_agent_id, holder_agent_id },
    status: status as Status,
    priority: priorityOf(priority),
  };
}

export function stored(lines: readonly string[]): TextPart[] {
  return lines.length > 0 ? [{ kind: 'stored', text: lines.join('\n') }] : [];
}

type Lined = Pick<Task, 'task_id' | 'title' | 'status' | 'priority'> & Partial<Task>;

/** One task in one line. */
export function taskLine(task: Lined): string {
  const facts: string[] = [task.status, task.priority];
  if (task.ready === true) facts.push('ready');
  if (task.progress) facts.push(`${task.progress} %`);
  if (task.holder_agent_id) facts.push(`held by ${task.holder_agent_id}`);
  else if (task.assigned_agent_id) facts.push(`assigned to ${task.assigned_agent_id}`);
  if (task.open_dependencies) facts.push(`waits for ${task.open_dependencies}`);
  if (task.open_children) facts.push(`${task.open_children} parts open`);
  if (task.due) facts.push(`due ${task.due}`);
  if (task.tags?.length) facts.push(task.tags.join(', '));
  return `${task.task_id} ${task.title} [${facts.join(' · ')}]`;
}

export function relatedLines(related: z.output<typeof relatedField>): string[] {
  return related.map(({ memory_id, category, content }) => `${memory_id} (${category}) ${content}`);
}

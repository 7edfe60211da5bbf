// What there is to remember of a task that came to its end.
import type { OperationContext } from '../../kernel/operation.ts';
import { mayAddMemory, mayCall } from '../access/index.ts';
import type { LearningEvent, LearningTrx } from '../learning/index.ts';
import { lastNotes } from './claims/handover.ts';
import type { TaskDeps, TaskTrx } from './deps.ts';
import type { TaskRow } from './record.ts';

const NOTES_COUNT = 3;
const DESCRIPTION_MAX_CHARS = 1_000;
const IMPORTANCE = { done: 0.6, failed: 0.7 } as const;

/** Why nothing is remembered of a task that the caller ends; undefined: something is. */
export function whyNoMemory({ principal }: OperationContext, row: TaskRow): string | undefined {
  const place = { scope: row.scope as LearningEvent['place']['scope'], team_id: row.team_id };
  for (const decision of [mayCall(principal, 'memory.write'), mayAddMemory(principal, place)])
    if (!decision.allowed) return decision.reason || 'You write no memories there.';
  return undefined;
}

/** Reports that a task is done or failed, in the transaction that says so: `learning.settle()` after the commit. */
export async function reportEnd(
  { learning }: Pick<TaskDeps, 'learning'>,
  trx: TaskTrx,
  { principal }: OperationContext,
  row: TaskRow,
): Promise<void> {
  const outcome = row.status === 'done' ? 'done' : 'failed';
  const { task_id, title, project_id, team_id } = row;
  const scope = row.scope as LearningEvent['place']['scope'];
  const labels = [...(JSON.parse(row.tags) as string[]), ...(JSON.parse(row.required_capabilities) as string[])];
  await learning.report(trx as unknown as LearningTrx, principal, {
    kind: `task.${outcome}`,
    entity: 'task',
    entity_id: task_id,
    place: { scope, team_id },
    project_id,
    title: `${outcome === 'done' ? 'Done' : 'Failed'}: ${title}`,
    content: await contentOf(trx, row),
    category: project_id === null ? 'agent' : 'project',
    tags: [...new Set([outcome === 'done' ? 'learned' : 'failed', 'task', ...labels])],
    importance: IMPORTANCE[outcome],
    facts: { status: outcome, parent_id: row.parent_id, fencing_token: row.fencing_token },
  });
}

/** What came of it; where nobody said, what it was about and what was said on the way. */
async function contentOf(trx: TaskTrx, { task_id, description, resolution, title }: TaskRow): Promise<string> {
  if (resolution !== null) return resolution;
  const notes = await lastNotes(trx, task_id, NOTES_COUNT);
  const said = notes.toReversed().map(({ comment }) => comment);
  return [description.slice(0, DESCRIPTION_MAX_CHARS), ...said].filter((part) => part !== '').join('\n') || title;
}

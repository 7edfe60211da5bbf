// Between keeping the state before a restore and restoring, others may write: what they wrote would be in neither.
import { type SqlBool, sql } from 'kysely';
import { failure } from '../../../kernel/errors.ts';
import { memoriesWithin } from './parts/memories.ts';
import type { AnyReader, ProjectScope } from './parts/part.ts';

/** Throws `conflict` where a record of the project changed after this position of the change record. */
export async function assertUnchanged(db: AnyReader, project: ProjectScope, position: number): Promise<void> {
  const { project_id } = project;
  const ours = sql<SqlBool>`(
    (changes.entity = 'project' and changes.entity_id = ${project_id})
    or (changes.entity = 'task' and changes.entity_id in (
      select tasks.task_id from tasks where tasks.project_id = ${project_id}))
    or (changes.entity = 'memory' and changes.entity_id in (
      select memories.memory_id from memories where ${memoriesWithin(project)})))`;
  const changed = await db
    .selectFrom('changes')
    .select('entity_id')
    .where('seq', '>', position)
    .where(ours)
    .limit(1)
    .executeTakeFirst();
  if (!changed) return;
  throw failure(
    'conflict',
    `Somebody changed ${String(changed.entity_id)} while the state before was being kept; nothing was restored.`,
    'Try again: the next backup has that change.',
    { details: { project_id } },
  );
}

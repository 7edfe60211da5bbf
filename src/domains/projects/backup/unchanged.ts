// Between keeping the state before a restore and restoring, others may write: what they wrote would be in neither.
import { type SqlBool, sql } from 'kysely';
import { failure } from '../../../kernel/errors.ts';
import { memoriesWithin } from './parts/memories.ts';
import type { AnyReader, Key, ProjectScope } from './parts/part.ts';

/** Part of a backup in which a changed entity would be. */
const PART_OF: Readonly<Record<string, string>> = {
  project: 'project',
  task: 'tasks',
  memory: 'memories',
  vault: 'vaults',
  vault_secret: 'vault_secrets',
};

/**
 * `kept`: what the state before has. Throws `conflict` where a record of the project changed, came or went after this
 * position of the change record.
 */
export async function assertUnchanged(
  db: AnyReader,
  project: ProjectScope,
  position: number,
  kept: (part: string, key: Key) => boolean,
): Promise<void> {
  const { project_id } = project;
  // What was deleted meanwhile is no longer found in the project, but is in what was kept.
  const changes = await db
    .selectFrom('changes')
    .select(['entity', 'entity_id'])
    .distinct()
    .where('seq', '>', position)
    .where('entity', 'in', Object.keys(PART_OF))
    .execute();
  const gone = changes.find(({ entity, entity_id }) => kept(PART_OF[String(entity)] ?? '', [String(entity_id)]));
  const changed = gone ?? (await cameMeanwhile(db, project, position));
  if (!changed) return;
  throw failure(
    'conflict',
    `Somebody changed ${String(changed.entity_id)} while the state before was being kept; nothing was restored.`,
    'Try again: the next backup has that change.',
    { details: { project_id } },
  );
}

async function cameMeanwhile(db: AnyReader, project: ProjectScope, position: number) {
  const { project_id } = project;
  const ours = sql<SqlBool>`(
    (changes.entity = 'task' and changes.entity_id in (
      select tasks.task_id from tasks where tasks.project_id = ${project_id}))
    or (changes.entity = 'memory' and changes.entity_id in (
      select memories.memory_id from memories where ${memoriesWithin(project)}))
    or (changes.entity = 'vault' and changes.entity_id in (
      select vaults.vault_id from vaults where vaults.project_id = ${project_id}))
    or (changes.entity = 'vault_secret' and changes.entity_id in (
      select vault_secrets.secret_id from vault_secrets
      inner join vaults on vaults.vault_id = vault_secrets.vault_id where vaults.project_id = ${project_id})))`;
  return db
    .selectFrom('changes')
    .select('entity_id')
    .where('seq', '>', position)
    .where(ours)
    .limit(1)
    .executeTakeFirst();
}

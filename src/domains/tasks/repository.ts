// Rows of tasks: found, held for a change, written with their history and change record.
import type { Insertable, Updateable } from 'kysely';
import { toIso } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { VersionVector } from '../../storage/changes.ts';
import { visibleWork } from '../access/index.ts';
import type { TaskReader, TaskStore, TaskTrx } from './deps.ts';
import { taskNotFound } from './errors.ts';
import { DERIVED, readyWith } from './graph/readiness.ts';
import type { TaskRow } from './record.ts';
import type { TaskHistoryTable, TaskTable } from './tables.ts';

const IS_DERIVED: ReadonlySet<string> = new Set(DERIVED);

/** What is noted of a change besides who, when and which task. */
export type HistoryEntry = Pick<Insertable<TaskHistoryTable>, 'action'> &
  Partial<Pick<Insertable<TaskHistoryTable>, 'from_status' | 'to_status' | 'subject_agent_id' | 'comment'>> & {
    readonly details?: Readonly<Record<string, unknown>>;
  };

/** The task, where the principal may see it. */
export function findVisible(db: TaskReader, task_id: string, principal: Principal): Promise<TaskRow | undefined> {
  return db
    .selectFrom('tasks')
    .selectAll()
    .where('task_id', '=', task_id)
    .where(visibleWork(principal, 'tasks'))
    .executeTakeFirst();
}

/** The task, kept from changing until the transaction ends. Throws `not_found` where the principal may not see it. */
export async function holdVisible(
  store: TaskStore,
  trx: TaskTrx,
  task_id: string,
  principal: Principal,
): Promise<TaskRow> {
  const query = trx
    .selectFrom('tasks')
    .selectAll()
    .where('task_id', '=', task_id)
    .where(visibleWork(principal, 'tasks'));
  const row = await store.dialect.forChange(query).executeTakeFirst();
  if (!row) throw taskNotFound(task_id);
  return row;
}

type Unversioned = Omit<
  Insertable<TaskTable>,
  'origin' | 'origin_sequence' | 'clock' | 'version_vector' | 'version' | 'field_versions'
>;

/** Adds a task with its change record and first line of history. */
export async function insertTask(
  store: TaskStore,
  trx: TaskTrx,
  task: Unversioned,
  actor: Principal,
  entry: HistoryEntry,
): Promise<TaskRow> {
  const change = { entity: 'task', entity_id: task.task_id, kind: 'put', before: {} } as const;
  const row = {
    ...task,
    version: 1,
    field_versions: '{}',
    ...(await store.recordChange(trx, change)),
  } as TaskRow;
  await trx.insertInto('tasks').values(row).execute();
  await addHistory(store, trx, row, actor, entry);
  return row;
}

/**
 * Writes changed columns of a task that this transaction holds: counts its version, notes in `field_versions` which
 * fields changed in it, and adds a line of history. Its own readiness follows from the status it gets; call
 * `afterStatusChange` for what waits for it. Returns the row as it is now.
 */
export async function updateTask(
  store: TaskStore,
  trx: TaskTrx,
  row: TaskRow,
  values: Updateable<TaskTable>,
  actor: Principal,
  entry: HistoryEntry,
): Promise<TaskRow> {
  const before = JSON.parse(row.version_vector) as VersionVector;
  const version = row.version + 1;
  const fields = JSON.parse(row.field_versions) as Record<string, number>;
  for (const field of Object.keys(values)) fields[field] = version;
  const columns = {
    ...values,
    version,
    field_versions: JSON.stringify(fields),
    updated_at: toIso(store.clock.now()),
    ...(await store.recordChange(trx, { entity: 'task', entity_id: row.task_id, kind: 'put', before })),
  };
  const next = { ...row, ...columns } as TaskRow;
  // Only what changes: an index whose columns are not named is left alone.
  const written = Object.entries(columns).filter(([column]) => !IS_DERIVED.has(column));
  const derived = await trx
    .updateTable('tasks')
    .set({ ...Object.fromEntries(written), is_ready: readyWith(next.status) })
    .where('task_id', '=', row.task_id)
    .returning(DERIVED)
    .executeTakeFirstOrThrow();
  const now = { ...next, ...derived };
  await addHistory(store, trx, now, actor, entry);
  return now;
}

export async function addHistory(
  store: TaskStore,
  trx: TaskTrx,
  row: TaskRow,
  actor: Principal,
  { details = {}, ...entry }: HistoryEntry,
): Promise<void> {
  const { task_id, project_id, scope, team_id, version } = row;
  const { user_id, agent_id, machine_id } = actor;
  const now_ms = store.clock.now();
  await trx
    .insertInto('task_history')
    .values({
      entry_id: newId('hist', now_ms),
      at: toIso(now_ms),
      ...{ task_id, project_id, scope, team_id, version, user_id, agent_id, machine_id },
      from_status: null,
      to_status: null,
      subject_agent_id: null,
      comment: null,
      ...entry,
      details: JSON.stringify(details),
    })
    .execute();
}

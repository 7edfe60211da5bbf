// Tasks of the project. A claim is of an agent and a session that live here and now: a task that is worked on is in a
// backup as one that is to be taken again.
import { sql } from 'kysely';
import { z } from 'zod';
import { failure } from '../../../../kernel/errors.ts';
import { newId } from '../../../../kernel/ids.ts';
import { limits } from '../../../../kernel/limits.ts';
import type { VersionVector } from '../../../../storage/changes.ts';
import { mayChangeWork, mayManageWork, visibleWork, type WorkFacts } from '../../../access/index.ts';
import { holdGraph, rebuildReadiness, STATUSES } from '../../../tasks/index.ts';
import type { JsonRecord } from '../canonical.ts';
import { type Columns, chunksOf, recordOf } from './columns.ts';
import { between, text } from './fields.ts';
import { reachableTasks } from './other-tasks.ts';
import type { AnyReader, AnyTrx, Found, Key, ProjectScope, RestoreContext, Row } from './part.ts';
import { originOf, placedRecord, refuseWork } from './rights.ts';
import { anyStore, tablePart } from './table-part.ts';
import { CHUNK_COUNT, keysWithin } from './table-rows.ts';

const columns: Columns = {
  task_id: 'line',
  title: 'line',
  description: 'text',
  status: 'text',
  priority: 'integer',
  progress: 'integer',
  project_id: 'line',
  parent_id: 'line?',
  tags: 'tags',
  required_capabilities: 'tags',
  due_at: 'moment?',
  estimate_minutes: 'integer?',
  assigned_agent_id: 'line?',
  delegated_by: 'line?',
  resolution: 'text?',
  external_id: 'text?',
  scope: 'scope',
  user_id: 'line',
  team_id: 'line?',
  agent_id: 'line',
  machine_id: 'line',
  created_at: 'moment',
  updated_at: 'moment',
  started_at: 'moment?',
  finished_at: 'moment?',
  version: 'version',
};

/** Follow from other rows, or are of the claim. */
const FRESH = {
  open_dependencies: 0,
  open_children: 0,
  blocked_ancestors: 0,
  is_ready: 0,
  holder_agent_id: null,
  holder_session: null,
  lease_expires_at: null,
};

const within = ({ project_id, principal }: ProjectScope) =>
  sql<boolean>`(tasks.project_id = ${project_id} and ${visibleWork(principal, 'tasks')})` as never;

export const tasksPart = tablePart({
  name: 'tasks',
  table: 'tasks',
  key: ['task_id'],
  entity: 'task',
  time: 'updated_at',
  ignored: ['version', 'updated_at'],
  columns,
  narrower: {
    description: text(limits.task_text_length_max_chars),
    resolution: text(limits.task_text_length_max_chars).nullable(),
    // A claim is made by claiming.
    status: z.enum(STATUSES).exclude(['in_progress']),
    priority: between(0, 3),
    progress: between(0, 100),
  },
  texts: { title: 'text', description: 'text', resolution: 'text', tags: 'words', required_capabilities: 'words' },
  within,
  needs: (record) => [{ part: 'project', key: [String(record.project_id)] }],
  record: (row) => {
    const record = recordOf(columns, row);
    return record.status === 'in_progress' ? { ...record, status: 'todo' } : record;
  },
  placed: placedRecord,
  refuse: refuseWork,
  judge: judgeStories,
  fresh: (_, { deps }) => ({ ...FRESH, fencing_token: firstToken(deps.store.clock.now()), field_versions: '{}' }),
  renewed(row, record, { project }) {
    const version = Math.max(Number(row.version), Number(record.version)) + 1;
    // Whoever edits a field on top of an earlier version has to learn that all of them may have changed.
    const field_versions = JSON.stringify(Object.fromEntries(Object.keys(columns).map((field) => [field, version])));
    // A claim ends here: whoever held it comes too late from now on. Counted on the row as it is at that moment.
    return {
      ...originOf(row),
      ...FRESH,
      fencing_token: sql`fencing_token + 1`,
      version,
      field_versions,
      updated_at: project.now,
    };
  },
  written: async (trx, found, ctx, how) => {
    ctx.changed_tasks.push(...found.map(({ record }) => String(record.task_id)));
    if (how === 'replace') await addHistory(trx, found, ctx, 'restored');
    else await raiseTokens(trx, found);
  },
  removable: (db, project) => keysWithin({ table: 'tasks', key: ['task_id'], within }, db, project),
  refuseRemoval,
  remove: removeTasks,
  async begin(trx, ctx) {
    const store = anyStore(ctx);
    await holdGraph(store, trx as never);
    const { project_id } = ctx.project;
    const query = trx.selectFrom('tasks').select('task_id').where('project_id', '=', project_id).orderBy('task_id');
    await store.dialect.forChange(query).execute();
  },
  async finish(trx, ctx) {
    const circle = await rebuildReadiness(anyStore(ctx), trx as never);
    if (circle.length === 0) return;
    throw failure(
      'conflict',
      `With the backup's dependencies tasks would wait for each other for ever: ${circle.slice(0, 10).join(', ')}.`,
      'Take away one of the dependencies that were added since, or restore with restore_mode=overwrite.',
      { details: { task_ids: [...circle.slice(0, 50)] } },
    );
  },
});

/**
 * A task is a part only of a story that comes with it or that the caller may change here; one of another's would not be
 * over before this one is. `safe` says so, the other modes let it stand for itself.
 */
async function judgeStories(db: AnyReader, found: readonly Found[], ctx: RestoreContext): Promise<readonly Found[]> {
  const news = found.filter(({ record, row }) => record.parent_id !== null && record.parent_id !== row?.parent_id);
  const stories = news.map(({ record }) => String(record.parent_id));
  const reachable = await reachableTasks(db, stories, ctx);
  return found.map((one) => {
    const { record, finding } = one;
    if (!news.includes(one) || reachable.has(String(record.parent_id))) return one;
    const reason = 'its story is not here, or not yours to change; restore_mode=merge lets it stand for itself';
    if (ctx.mode === 'safe') return { ...one, finding: { kind: 'conflict', reason } };
    return { ...one, record: { ...record, parent_id: null }, finding };
  });
}

/**
 * Where the tokens of a task that comes back begin. Tokens are never given twice for one id: whoever still has one of
 * before, here or on the hub of the backup, would be taken for the holder of today. A task counts from 0 and one up with
 * each claim; one that was restored counts from the millisecond in which it was. Claims are further apart than that, so
 * the millisecond of a later restore is beyond all that were given meanwhile, wherever the task has been.
 */
function firstToken(now_ms: number): number {
  return Math.floor(now_ms);
}

/** Clocks differ and are set back: what this store itself knows to have been given counts besides. */
async function raiseTokens(trx: AnyTrx, found: readonly Found[]): Promise<void> {
  const ids = found.map(({ record }) => String(record.task_id));
  const rows = await trx
    .selectFrom('task_history')
    .select(['task_id', 'details'])
    .where('task_id', 'in', ids)
    .where('details', 'like', '%"fencing_token"%')
    .execute();
  const given = new Map<string, number>();
  for (const { task_id, details } of rows) {
    const { fencing_token } = JSON.parse(String(details)) as { fencing_token?: unknown };
    if (typeof fencing_token !== 'number') continue;
    given.set(String(task_id), Math.max(given.get(String(task_id)) ?? 0, fencing_token));
  }
  for (const [task_id, token] of given)
    await trx
      .updateTable('tasks')
      .set({ fencing_token: token + 1 })
      .where('task_id', '=', task_id)
      .where('fencing_token', '<=', token)
      .execute();
}

async function* rowsIn(db: AnyReader, keys: readonly Key[]): AsyncGenerator<Row[]> {
  for (const some of chunksOf(keys, CHUNK_COUNT)) {
    const ids = some.map(([id]) => String(id));
    yield await db.selectFrom('tasks').selectAll().where('task_id', 'in', ids).execute();
  }
}

async function refuseRemoval(db: AnyReader, keys: readonly Key[], ctx: RestoreContext): Promise<readonly Key[]> {
  const { principal, manages_project } = ctx;
  const refused: Key[] = [];
  for await (const rows of rowsIn(db, keys))
    for (const row of rows) {
      const facts = row as unknown as WorkFacts;
      const may = manages_project ? mayChangeWork(principal, facts) : mayManageWork(principal, facts);
      if (!may.allowed) refused.push([String(row.task_id)]);
    }
  return refused;
}

async function removeTasks(trx: AnyTrx, keys: readonly Key[], ctx: RestoreContext): Promise<void> {
  for await (const rows of rowsIn(trx, keys)) {
    const ids = rows.map((row) => String(row.task_id));
    if (ids.length === 0) continue;
    for (const row of rows) {
      const before = JSON.parse(String(row.version_vector)) as VersionVector;
      const change = { entity: 'task', entity_id: String(row.task_id), kind: 'delete', before } as const;
      await anyStore(ctx).recordChange(trx as never, change);
    }
    const gone = rows.map((row): Found => ({ row, record: recordOf(columns, row), finding: { kind: 'same' } }));
    await addHistory(trx, gone, ctx, 'deleted');
    // Parts of a story that goes stand for themselves, as when it is deleted with `detach`.
    await trx.updateTable('tasks').set({ parent_id: null }).where('parent_id', 'in', ids).execute();
    await trx.deleteFrom('task_dependencies').where('task_id', 'in', ids).execute();
    await trx.deleteFrom('task_dependencies').where('depends_on_id', 'in', ids).execute();
    await trx.deleteFrom('tasks').where('task_id', 'in', ids).execute();
    ctx.changed_tasks.push(...ids);
  }
}

/** A line of history: what was restored over a task, or took it away, is a part of what happened to it. */
async function addHistory(
  trx: AnyTrx,
  found: readonly Found[],
  { deps, principal, project }: RestoreContext,
  action: 'restored' | 'deleted',
): Promise<void> {
  const { user_id, agent_id, machine_id } = principal;
  const lines = found.map(
    ({ row = {}, record }): Row => ({
      entry_id: newId('hist', deps.store.clock.now()),
      task_id: record.task_id,
      project_id: record.project_id,
      at: project.now,
      action,
      from_status: row.status ?? null,
      to_status: action === 'deleted' ? null : (record as JsonRecord).status,
      scope: record.scope,
      team_id: record.team_id,
      ...{ user_id, agent_id, machine_id },
      subject_agent_id: null,
      comment: null,
      details: '{}',
      version: Math.max(Number(row.version ?? 0), Number(record.version)) + 1,
    }),
  );
  for (const some of chunksOf(lines, CHUNK_COUNT)) await trx.insertInto('task_history').values(some).execute();
}

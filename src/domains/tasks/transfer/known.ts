// Tasks that an import finds here: by the id of the source, or by their own where they were exported from this hub.
import type { Principal } from '../../../kernel/operation.ts';
import { visibleWork, type WorkPlace } from '../../access/index.ts';
import type { TaskReader } from '../deps.ts';
import { chunks } from '../graph/readiness.ts';
import type { TaskRow } from '../record.ts';
import type { SourceState } from './source-state.ts';

/** Of tasks of ours: with it in front a task's id is an external id. */
export const OWN = 'haivemind:';

/**
 * Tasks by external id: the caller's own, and those of others in the team or among what is shared where the import goes
 * there. Where several have one external id, the oldest counts.
 */
export async function knownTasks(
  db: TaskReader,
  principal: Principal,
  place: Partial<WorkPlace>,
  external_ids: readonly string[],
): Promise<Map<string, TaskRow>> {
  const known = new Map<string, TaskRow>();
  for (const ids of chunks(external_ids)) {
    const query = db.selectFrom('tasks').selectAll().where(visibleWork(principal, 'tasks')).orderBy('task_id', 'desc');
    const { user_id } = principal;
    const imported = query.where('external_id', 'in', ids).where((eb) => {
      const own = eb('user_id', '=', user_id);
      if (place.scope === 'shared') return eb.or([own, eb('scope', '=', 'shared')]);
      return place.team_id ? eb.or([own, eb('team_id', '=', place.team_id)]) : own;
    });
    for (const row of await imported.execute()) if (row.external_id !== null) known.set(row.external_id, row);
    const own = ids.flatMap((id) => (id.startsWith(OWN) ? id.slice(OWN.length) : []));
    if (own.length === 0) continue;
    for (const row of await query.where('task_id', 'in', own).execute()) known.set(`${OWN}${row.task_id}`, row);
  }
  return known;
}

/** What the source said of these tasks when they were last imported. */
export async function statesOf(db: TaskReader, task_ids: readonly string[]): Promise<Map<string, SourceState>> {
  const states = new Map<string, SourceState>();
  for (const ids of chunks(task_ids)) {
    const rows = await db
      .selectFrom('task_history')
      .select(['task_id', 'details'])
      .where('task_id', 'in', ids)
      .where('action', 'in', ['source', 'imported'])
      .orderBy('version')
      .orderBy('entry_id')
      .execute();
    for (const { task_id, details } of rows) {
      const { source } = JSON.parse(details) as { source?: SourceState };
      if (source) states.set(task_id, source);
    }
  }
  return states;
}

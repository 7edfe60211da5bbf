// The activity log of a team: what its members did, newest first, for as long as it is kept.
import { toIso } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { Database, Trx } from '../../storage/database.ts';
import type { TeamTables } from './tables.ts';

export interface TeamActivity {
  readonly team_id: string;
  /** `<thing>.<happened>`, for example `memory.stored`. */
  readonly action: string;
  readonly actor: Pick<Principal, 'user_id' | 'agent_id' | 'machine_id'>;
  /** The user it happened to. */
  readonly target_user_id?: string | undefined;
  /** Further facts: ids and counts. Never a text somebody wrote, never a secret. */
  readonly details?: Facts | undefined;
}

/** Adds a row in the transaction of the act itself. Other domains log here what they do in a team. */
export async function logTeamActivity(trx: Trx<TeamTables>, at_ms: number, activity: TeamActivity): Promise<void> {
  const { team_id, action, actor, target_user_id = null, details = {} } = activity;
  const { user_id, agent_id, machine_id } = actor;
  await trx
    .insertInto('team_activity')
    .values({
      activity_id: newId('act', at_ms),
      team_id,
      at: toIso(at_ms),
      action,
      user_id,
      agent_id,
      machine_id,
      target_user_id,
      details: JSON.stringify(details),
    })
    .execute();
}

type Facts = Readonly<Record<string, string | number | boolean | null>>;

export interface ActivityPage {
  readonly since_ms: number;
  /** The last row of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
}

export async function listActivity(store: Pick<Database<TeamTables>, 'db'>, team_id: string, page: ActivityPage) {
  let query = store.db
    .selectFrom('team_activity')
    .select(['activity_id', 'at', 'action', 'user_id', 'agent_id', 'machine_id', 'target_user_id', 'details'])
    .where('team_id', '=', team_id)
    .where('activity_id', '>=', firstActivityAt(page.since_ms));
  if (page.before !== undefined) query = query.where('activity_id', '<', page.before);
  const rows = await query.orderBy('activity_id', 'desc').limit(page.limit).execute();
  return rows.map((row) => ({ ...row, details: JSON.parse(row.details) as Facts }));
}

/** Ids begin with their time, and the index goes by id: all of this moment or later sort at or after this. */
function firstActivityAt(at_ms: number): string {
  const id = newId('act', at_ms);
  return id.slice(0, -16);
}

/** Forgets activity that is no longer shown, and invitations that ended as long ago. Returns how many rows. */
export async function pruneTeams(store: Database<TeamTables>): Promise<number> {
  return store.write(async (trx) => {
    const before = toIso(store.clock.now() - limits.team_activity_retention_ms);
    const activity = await trx.deleteFrom('team_activity').where('at', '<', before).executeTakeFirst();
    const ended = await trx.deleteFrom('team_invitations').where('expires_at', '<', before).executeTakeFirst();
    return Number(activity.numDeletedRows + ended.numDeletedRows);
  });
}

// The log as people read it: rows newest first, with the names that were not erased.
import type { Database } from '../../storage/database.ts';
import type { AuditTables } from './tables.ts';
import type { AuditEntry, AuditFilter, AuditRow } from './types.ts';

type Reader = Database<AuditTables>['db'];
type Details = Readonly<Record<string, string | number | boolean | null>>;

export async function listRows(db: Reader, filter: AuditFilter): Promise<readonly AuditRow[]> {
  const rows = await select(db, filter);
  const parsed = rows.map((row) => ({ ...row, details: parseDetails(row.details) }));
  const names = await namesOf(
    db,
    parsed.flatMap(({ details }) => (typeof details.affected === 'string' ? [details.affected] : [])),
  );
  return parsed.map(({ user_id, agent_id, machine_id, details, ...row }) => {
    const { reason, affected, ...rest } = details;
    return {
      ...row,
      target_type: row.target_type as AuditEntry['target_type'],
      actor: user_id === null || agent_id === null || machine_id === null ? null : { user_id, agent_id, machine_id },
      reason: typeof reason === 'string' ? reason : null,
      affected_user_id: (typeof affected === 'string' ? names.get(affected) : undefined) ?? null,
      details: rest,
    };
  });
}

/** Left joins: a row whose subject or details somebody removed is still shown. */
function select(db: Reader, filter: AuditFilter) {
  let query = db
    .selectFrom('audit_log')
    .leftJoin('audit_subjects as actor', 'actor.subject_id', 'audit_log.subject_id')
    .leftJoin('audit_details', 'audit_details.seq', 'audit_log.seq')
    .select(['audit_log.seq', 'audit_log.at', 'audit_log.action', 'audit_log.target_type', 'audit_log.target_id'])
    .select(['audit_log.result', 'actor.user_id', 'actor.agent_id', 'actor.machine_id', 'audit_details.details']);
  if (filter.target_type !== undefined) query = query.where('audit_log.target_type', '=', filter.target_type);
  if (filter.target_id !== undefined) query = query.where('audit_log.target_id', '=', filter.target_id);
  if (filter.user_id !== undefined) query = query.where('actor.user_id', '=', filter.user_id);
  if (filter.since !== undefined) query = query.where('audit_log.at', '>=', filter.since);
  if (filter.before_seq !== undefined) query = query.where('audit_log.seq', '<', filter.before_seq);
  return query.orderBy('audit_log.seq', 'desc').limit(filter.limit).execute();
}

async function namesOf(db: Reader, ids: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
  if (ids.length === 0) return new Map();
  const found = await db
    .selectFrom('audit_subjects')
    .select(['subject_id', 'user_id'])
    .where('subject_id', 'in', [...new Set(ids)])
    .execute();
  return new Map(found.map(({ subject_id, user_id }) => [subject_id, user_id]));
}

/** Details that somebody made unreadable must not hide the rows beside them: verification tells of them. */
export function parseDetails(text: string | null): Details {
  if (text === null) return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Details) : {};
  } catch {
    return {};
  }
}

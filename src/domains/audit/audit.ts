// The audit log: rows are added one after the other, in the transaction of what they report, and read newest first.
import { toIso } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { Database } from '../../storage/database.ts';
import { digestOf, hashOf, newSalt } from './chain.ts';
import type { AuditTables } from './tables.ts';
import type { Audit, AuditEntry, AuditFilter, AuditRow, AuditTrx } from './types.ts';

/** Stands in a subject where nobody is known: a request without credentials, a schedule of the hub itself. */
const NOBODY = '-';

export function createAudit(store: Database<AuditTables>): Audit {
  async function append(trx: AuditTrx, actor: Principal, entry: AuditEntry): Promise<number> {
    const at = toIso(store.clock.now());
    const subject_id = await subjectOf(trx, actor, at);
    const affected = entry.affected_user_id;
    const details = JSON.stringify({
      ...entry.details,
      ...(entry.reason === undefined ? {} : { reason: entry.reason }),
      ...(affected === undefined ? {} : { affected: await subjectOf(trx, { user_id: affected }, at) }),
    });
    const salt = newSalt();
    // The head's row is held until the commit: whoever is next continues from this row, on whatever hub.
    const head = await trx
      .updateTable('audit_head')
      .set((eb) => ({ seq: eb('seq', '+', 1) }))
      .where('only_row', '=', 1)
      .returning(['seq', 'hash'])
      .executeTakeFirstOrThrow();
    const { action, target_type, target_id, result } = entry;
    const details_digest = digestOf(salt, details);
    const row = { at, subject_id, action, target_type, target_id, result, details_digest };
    const linked = { seq: head.seq, ...row, previous_hash: head.hash };
    const hash = hashOf(linked);
    await trx
      .insertInto('audit_log')
      .values({ ...linked, hash })
      .execute();
    await trx.insertInto('audit_details').values({ seq: head.seq, salt, details }).execute();
    await trx.updateTable('audit_head').set({ hash }).where('only_row', '=', 1).execute();
    return head.seq;
  }
  return {
    append,
    record: (actor, entry) => store.write((trx) => append(trx, actor, entry)),
    list: (filter) => list(store, filter),
  };
}

type Who = Pick<Principal, 'user_id'> & Partial<Pick<Principal, 'agent_id' | 'machine_id'>>;

/** The opaque id this user, agent and machine have in the log. */
async function subjectOf(trx: AuditTrx, who: Who, now: string): Promise<string> {
  const { user_id, agent_id = NOBODY, machine_id = NOBODY } = who;
  const find = () =>
    trx
      .selectFrom('audit_subjects')
      .select('subject_id')
      .where('user_id', '=', user_id)
      .where('agent_id', '=', agent_id)
      .where('machine_id', '=', machine_id)
      .executeTakeFirst();
  const known = await find();
  if (known) return known.subject_id;
  const subject_id = newId('sub', Date.parse(now));
  const made = await trx
    .insertInto('audit_subjects')
    .values({ subject_id, user_id, agent_id, machine_id, created_at: now })
    .onConflict((conflict) => conflict.columns(['user_id', 'agent_id', 'machine_id']).doNothing())
    .executeTakeFirst();
  // Another hub was as fast: its row is there now.
  if (made.numInsertedOrUpdatedRows === 0n) return (await find())?.subject_id ?? subject_id;
  return subject_id;
}

async function list(store: Database<AuditTables>, filter: AuditFilter): Promise<readonly AuditRow[]> {
  let query = store.db
    .selectFrom('audit_log')
    .innerJoin('audit_subjects as actor', 'actor.subject_id', 'audit_log.subject_id')
    .leftJoin('audit_details', 'audit_details.seq', 'audit_log.seq')
    .select([
      'audit_log.seq',
      'audit_log.at',
      'audit_log.action',
      'audit_log.target_type',
      'audit_log.target_id',
      'audit_log.result',
      'actor.user_id',
      'actor.agent_id',
      'actor.machine_id',
      'audit_details.details',
    ]);
  if (filter.target_type !== undefined) query = query.where('audit_log.target_type', '=', filter.target_type);
  if (filter.target_id !== undefined) query = query.where('audit_log.target_id', '=', filter.target_id);
  if (filter.user_id !== undefined) query = query.where('actor.user_id', '=', filter.user_id);
  if (filter.since !== undefined) query = query.where('audit_log.at', '>=', filter.since);
  if (filter.before_seq !== undefined) query = query.where('audit_log.seq', '<', filter.before_seq);
  const rows = await query.orderBy('audit_log.seq', 'desc').limit(filter.limit).execute();
  const affected = await namesOf(store, rows);
  return rows.map(({ user_id, agent_id, machine_id, details, ...row }) => {
    const { reason, affected: subject, ...rest } = parseDetails(details);
    return {
      ...row,
      target_type: row.target_type as AuditEntry['target_type'],
      actor: user_id === null || agent_id === null || machine_id === null ? null : { user_id, agent_id, machine_id },
      reason: typeof reason === 'string' ? reason : null,
      affected_user_id: (typeof subject === 'string' ? affected.get(subject) : undefined) ?? null,
      details: rest,
    };
  });
}

async function namesOf(
  store: Database<AuditTables>,
  rows: readonly { readonly details: string | null }[],
): Promise<ReadonlyMap<string, string | null>> {
  const ids = rows.flatMap(({ details }) => {
    const { affected } = parseDetails(details);
    return typeof affected === 'string' ? [affected] : [];
  });
  if (ids.length === 0) return new Map();
  const found = await store.db
    .selectFrom('audit_subjects')
    .select(['subject_id', 'user_id'])
    .where('subject_id', 'in', [...new Set(ids)])
    .execute();
  return new Map(found.map(({ subject_id, user_id }) => [subject_id, user_id]));
}

function parseDetails(details: string | null): Readonly<Record<string, string | number | boolean | null>> {
  return details === null ? {} : (JSON.parse(details) as Record<string, string | number | boolean | null>);
}

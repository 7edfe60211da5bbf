// Adds rows to the log, each in the transaction of what it reports. The row of audit_head is locked first and until the
// commit: rows of all hubs follow one another without gap or fork, and whatever else is read here is then up to date.
import { sql } from 'kysely';
import { toIso } from '../../kernel/clock.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { Database } from '../../storage/database.ts';
import { digestOf, hashOf, newSalt, type SubjectNames, subjectIdOf } from './chain.ts';
import type { AuditTables } from './tables.ts';
import type { AuditEntry, AuditTrx } from './types.ts';

/** Stands in a subject where nobody is known: a request without credentials, a schedule of the hub itself. */
export const NOBODY = '-';

type Store = Pick<Database<AuditTables>, 'clock' | 'dialect'>;

/** Four statements; two more for a user, agent and machine seen for the first time. Returns the row's number. */
export async function appendRow(store: Store, trx: AuditTrx, actor: Principal, entry: AuditEntry): Promise<number> {
  const names = namesOf(actor);
  const head = await lockHead(store, trx, names);
  const subject_id = head.subject_id ?? (await subjectOf(trx, names));
  const seq = head.seq + 1;
  const salt = newSalt();
  const details = await detailsOf(trx, entry);
  const { action, target_type, target_id, result } = entry;
  const row = {
    seq,
    at: toIso(store.clock.now()),
    subject_id,
    action,
    target_type,
    target_id,
    result,
    details_digest: digestOf(salt, details),
    previous_hash: head.hash,
  };
  const hash = hashOf(row);
  await trx
    .insertInto('audit_log')
    .values({ ...row, hash })
    .execute();
  await trx.insertInto('audit_details').values({ seq, salt, details }).execute();
  const moved = await trx.updateTable('audit_head').set({ seq, hash }).where('only_row', '=', 1).executeTakeFirst();
  // The head can be locked away from nobody but a missing row: without it the next row would not follow this one.
  if (moved.numUpdatedRows !== 1n) throw new Error('The head of the audit log is missing.');
  return seq;
}

/** Holds the end of the log until this transaction ends; with the subject of these names where it is known already. */
export async function lockHead(store: Store, trx: AuditTrx, { user_id, agent_id, machine_id }: SubjectNames) {
  const query = trx
    .selectFrom('audit_head')
    .select(['seq', 'hash'])
    .select(
      sql<string | null>`(select s.subject_id from audit_subjects as s where s.user_id = ${user_id}
        and s.agent_id = ${agent_id} and s.machine_id = ${machine_id})`.as('subject_id'),
    )
    .where('only_row', '=', 1);
  return await store.dialect.forChange(query).executeTakeFirstOrThrow();
}

/** An erased user who comes back is somebody new: the names of the earlier subject are gone. */
export function namesOf(who: Partial<SubjectNames>): SubjectNames {
  const { user_id = NOBODY, agent_id = NOBODY, machine_id = NOBODY } = who;
  return { user_id, agent_id, machine_id };
}

/** The opaque id these names have in the log. The head has to be held: nobody else adds subjects meanwhile. */
export async function subjectOf(trx: AuditTrx, names: SubjectNames): Promise<string> {
  const known = await trx
    .selectFrom('audit_subjects')
    .select('subject_id')
    .where('user_id', '=', names.user_id)
    .where('agent_id', '=', names.agent_id)
    .where('machine_id', '=', names.machine_id)
    .executeTakeFirst();
  if (known) return known.subject_id;
  const salt = newSalt();
  const subject_id = subjectIdOf(salt, names);
  await trx
    .insertInto('audit_subjects')
    .values({ subject_id, salt, ...names })
    .execute();
  return subject_id;
}

async function detailsOf(trx: AuditTrx, { details, reason, affected_user_id }: AuditEntry): Promise<string> {
  const affected =
    affected_user_id === undefined ? undefined : await subjectOf(trx, namesOf({ user_id: affected_user_id }));
  // JSON leaves out what is undefined.
  return JSON.stringify({ ...details, reason, affected });
}

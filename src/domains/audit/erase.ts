// Takes a user out of the log and writes down which rows lost what, so that verification tells it from tampering.
import { setImmediate } from 'node:timers/promises';
import type { Principal } from '../../kernel/operation.ts';
import type { Database } from '../../storage/database.ts';
import { appendRow, lockHead, namesOf, subjectOf } from './append.ts';
import { parseDetails } from './list.ts';
import { push, type Range, toText } from './ranges.ts';
import type { AuditTables } from './tables.ts';
import type { AuditErasure, AuditTrx } from './types.ts';

export const ERASE_ACTION = 'privacy.erase';

const PAGE_ROWS = 2_000;
/** A name this long is looked for inside words as well; a shorter one would be found in half the dictionary. */
const INSIDE_WORDS_MIN_CHARS = 6;

/** Erases the salts too: without them nobody can tell by guessing what was there. */
export async function eraseSubject(
  store: Database<AuditTables>,
  trx: AuditTrx,
  user_id: string,
  actor?: Principal,
): Promise<AuditErasure> {
  const found = createFinder(trx, user_id);
  // Most is read before the head is held, so that other hubs wait for the rest alone.
  await found.readOn();
  const names = namesOf(actor ?? {});
  await lockHead(store, trx, names);
  // Who erases oneself: the row of it is made by a subject that is erased with the others.
  await subjectOf(trx, names);
  const subjects = await subjectsOf(trx, user_id);
  const rows = await found.readOn();
  const by = actor ?? { user_id: names.user_id, agent_id: names.agent_id, machine_id: names.machine_id };
  const seq = await appendRow(store, trx, by, {
    action: ERASE_ACTION,
    target_type: 'user',
    target_id: null,
    result: 'ok',
    details: { erased_rows: toText(rows), erased_subjects: subjects.join(',') },
  });
  for (const [from, to] of rows)
    await trx
      .updateTable('audit_details')
      .set({ salt: null, details: null })
      .where('seq', '>=', from)
      .where('seq', '<=', to)
      .execute();
  await trx
    .updateTable('audit_subjects')
    .set({ salt: null, user_id: null, agent_id: null, machine_id: null })
    .where('user_id', '=', user_id)
    .execute();
  const details = rows.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  return { seq, subjects: subjects.length, details };
}

async function subjectsOf(trx: AuditTrx, user_id: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('audit_subjects')
    .select('subject_id')
    .where('user_id', '=', user_id)
    .orderBy('subject_id')
    .execute();
  return rows.map(({ subject_id }) => subject_id);
}

/** Finds the rows whose details have to go; each call goes on where the last one ended. */
function createFinder(trx: AuditTrx, user_id: string) {
  const found: Range[] = [];
  const mentions = mentionOf(user_id);
  let after = 0;
  return {
    async readOn(): Promise<readonly Range[]> {
      for (;;) {
        const page = await readPage(trx, after);
        const last = page.at(-1);
        if (!last) return found;
        for (const row of page) {
          if (row.details === null || row.action === ERASE_ACTION) continue;
          const { affected: _, ...said } = parseDetails(row.details);
          const own = row.user_id === user_id && 'reason' in said;
          if (own || Object.values(said).some(mentions)) push(found, row.seq);
        }
        after = last.seq;
        // Other work of this process goes on between pages.
        await setImmediate();
      }
    },
  };
}

/** Whether a value names the user, in whatever case. Who calls himself `e` must not empty the log by leaving. */
function mentionOf(user_id: string): (value: unknown) => boolean {
  const name = user_id.toLowerCase();
  const whole = name.length < INSIDE_WORDS_MIN_CHARS;
  const word = new RegExp(`(?<![\\p{L}\\p{N}])${name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}(?![\\p{L}\\p{N}])`, 'u');
  return (value) => {
    const text = String(value).toLowerCase();
    return whole ? word.test(text) : text.includes(name);
  };
}

function readPage(trx: AuditTrx, after: number) {
  return trx
    .selectFrom('audit_log')
    .innerJoin('audit_details', 'audit_details.seq', 'audit_log.seq')
    .leftJoin('audit_subjects', 'audit_subjects.subject_id', 'audit_log.subject_id')
    .select(['audit_log.seq', 'audit_log.action', 'audit_details.details', 'audit_subjects.user_id'])
    .where('audit_log.seq', '>', after)
    .orderBy('audit_log.seq')
    .limit(PAGE_ROWS)
    .execute();
}

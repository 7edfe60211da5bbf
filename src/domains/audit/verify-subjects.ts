// Verification of the names beside the log: each subject's id is a digest of its names.
import { setImmediate } from 'node:timers/promises';
import type { Database } from '../../storage/database.ts';
import { subjectIdOf } from './chain.ts';
import type { AuditTables } from './tables.ts';
import type { VerifyProblem } from './types.ts';

const PAGE_ROWS = 1_000;

/** Puts subjects without names into `erased`: whether that was an erasure, the log tells. */
export async function verifySubjects(
  db: Database<AuditTables>['db'],
  erased: Set<string>,
  signal: AbortSignal | undefined,
): Promise<VerifyProblem[]> {
  const problems: VerifyProblem[] = [];
  for (let after = ''; ; ) {
    signal?.throwIfAborted();
    const page = await db
      .selectFrom('audit_subjects')
      .selectAll()
      .where('subject_id', '>', after)
      .orderBy('subject_id')
      .limit(PAGE_ROWS)
      .execute();
    const last = page.at(-1);
    if (!last) return problems;
    for (const { subject_id, salt, user_id, agent_id, machine_id } of page) {
      const named = user_id !== null && agent_id !== null && machine_id !== null && salt !== null;
      if (!named && (user_id ?? agent_id ?? machine_id ?? salt) === null) erased.add(subject_id);
      else if (!named || subjectIdOf(salt, { user_id, agent_id, machine_id }) !== subject_id)
        problems.push({ problem: `The names of ${subject_id} were changed.` });
    }
    after = last.subject_id;
    await setImmediate();
  }
}

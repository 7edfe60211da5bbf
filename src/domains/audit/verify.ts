// Verification of the whole log: numbers without a gap, every link and hash, every digest, every name, and that whatever was
// erased is listed by a later row. Pages by number, each a statement of its own: rows may be added meanwhile.
import { setImmediate } from 'node:timers/promises';
import type { Database } from '../../storage/database.ts';
import { CHAIN_START, digestOf, hashOf } from './chain.ts';
import { ERASE_ACTION } from './erase.ts';
import { parseDetails } from './list.ts';
import { parse, push, type Range, toText, without } from './ranges.ts';
import type { AuditTables } from './tables.ts';
import type { VerifyOptions, VerifyProblem, VerifyReport } from './types.ts';
import { verifySubjects } from './verify-subjects.ts';

/** Some milliseconds of work, between which others have their turn. */
const PAGE_ROWS = 200;
const PROBLEMS_MAX_COUNT = 20;

type Store = Pick<Database<AuditTables>, 'db' | 'store_id'>;
type PageRow = Awaited<ReturnType<typeof readPage>>[number];

/**
 * Memory: a page, and the ranges and subjects that were erased. Work: two SHA-256 a row. Rejects with the signal's reason.
 * Somebody who recomputes every hash to the end, or cuts rows off there and mends the head, is found by an anchor alone.
 */
export async function verifyChain(store: Store, how: VerifyOptions = {}): Promise<VerifyReport> {
  const walk = createWalk(how.anchor);
  for (const problem of await verifySubjects(store.db, walk.erasedSubjects, how.signal)) walk.report(problem);
  const total = (await readHead(store.db))?.seq ?? 0;
  let head: Head | undefined;
  do {
    for (
      let page = await readPage(store.db, walk.lastSeq());
      page.length > 0;
      page = await readPage(store.db, walk.lastSeq())
    ) {
      how.signal?.throwIfAborted();
      const known = await affectedIn(store.db, page);
      for (const row of page) walk.take(row, known);
      how.onProgress?.({ done: walk.rows(), total: Math.max(walk.rows(), total) });
      await setImmediate();
    }
    // Rows may be added between the last page and this: then they are there to be read as well.
    head = await readHead(store.db);
  } while (head && head.seq > walk.lastSeq() && (await readPage(store.db, walk.lastSeq())).length > 0);
  walk.atEnd(head);
  for (const problem of await strayRows(store.db, walk.lastSeq())) walk.report(problem);
  if (how.anchor && how.anchor.store_id !== store.store_id)
    walk.report({ problem: 'The anchor is one of another store.' });
  return walk.result();
}

interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** What one pass over the rows has to remember. */
function createWalk(anchor: VerifyOptions['anchor']) {
  const problems: VerifyProblem[] = [];
  const erasedSubjects = new Set<string>();
  let unlisted: Range[] = [];
  let count = 0;
  let problems_total = 0;
  let first_bad_seq: number | null = null;
  let last: Head = { seq: 0, hash: CHAIN_START };
  const report = (problem: VerifyProblem) => {
    problems_total++;
    if (problem.seq !== undefined && (first_bad_seq === null || problem.seq < first_bad_seq))
      first_bad_seq = problem.seq;
    if (problems.length < PROBLEMS_MAX_COUNT) problems.push(problem);
  };
  return {
    report,
    /** Subjects without names; an erasure takes those it lists out again. */
    erasedSubjects,
    rows: () => count,
    lastSeq: () => last.seq,
    take(row: PageRow, known: ReadonlySet<string>) {
      const { seq } = row;
      const expected = last.seq + 1;
      if (seq !== expected)
        report({ seq: expected, problem: `Row ${expected} is missing: ${seq} follows ${last.seq}.` });
      for (const problem of problemsOf(row, last.hash, known)) report({ seq, problem });
      if (row.details === null || row.salt === null) {
        push(unlisted, seq);
      } else if (row.action === ERASE_ACTION && row.result === 'ok') {
        const { erased_rows, erased_subjects } = parseDetails(row.details);
        unlisted = without(unlisted, parse(String(erased_rows ?? '')));
        for (const subject_id of String(erased_subjects ?? '').split(',')) erasedSubjects.delete(subject_id);
      }
      if (anchor?.seq === seq && anchor.hash !== row.hash)
        report({ seq, problem: `Row ${seq} is not the one the anchor was taken of.` });
      // The row's own word is taken for its hash: one change is then one finding, not one in each row after it.
      last = { seq, hash: row.hash };
      count++;
    },
    atEnd(head: Head | undefined) {
      if (!head) report({ problem: 'The head of the log is missing, or there is more than one.' });
      else if (head.seq !== last.seq || head.hash !== last.hash)
        report({
          seq: Math.min(head.seq, last.seq) + (head.seq === last.seq ? 0 : 1),
          problem: `The head of the log says row ${head.seq}; the last row is ${last.seq}: rows were removed or added.`,
        });
      if (anchor && anchor.seq > last.seq)
        report({
          seq: last.seq + 1,
          problem: `The anchor was taken of row ${anchor.seq}; the last row is ${last.seq}: newest rows were removed.`,
        });
    },
    result(): VerifyReport {
      for (const [from, to] of unlisted)
        report({ seq: from, problem: `Details of ${toText([[from, to]])} are gone and no erasure lists them.` });
      for (const subject_id of erasedSubjects)
        report({ problem: `The names of ${subject_id} are gone and no erasure lists them.` });
      const { seq: last_seq, hash: last_hash } = last;
      return { ok: problems_total === 0, rows: count, last_seq, last_hash, first_bad_seq, problems, problems_total };
    },
  };
}

function problemsOf(row: PageRow, previous_hash: string, known: ReadonlySet<string>): string[] {
  const { salt, details, known_subject, has_details, ...columns } = row;
  const found: string[] = [];
  if (row.previous_hash !== previous_hash) found.push('It does not continue the row before it.');
  if (row.hash !== hashOf(columns)) found.push('Its hash does not fit its columns.');
  if (known_subject === null) found.push('Its subject is missing.');
  if (has_details === null) found.push('Its details are missing.');
  else if ((salt === null) !== (details === null)) found.push('One of salt and details is missing.');
  if (salt !== null && details !== null && digestOf(salt, details) !== row.details_digest)
    found.push('Its details were changed.');
  const affected = affectedOf(row);
  if (affected !== undefined && !known.has(affected)) found.push('The subject it concerns is missing.');
  return found;
}

function affectedOf({ details }: Pick<PageRow, 'details'>): string | undefined {
  // Few rows have one: most are spared the parsing.
  if (!details?.includes('"affected"')) return undefined;
  const { affected } = parseDetails(details);
  return typeof affected === 'string' ? affected : undefined;
}

async function affectedIn(db: Store['db'], page: readonly PageRow[]): Promise<ReadonlySet<string>> {
  const ids = new Set(page.flatMap((row) => affectedOf(row) ?? []));
  if (ids.size === 0) return ids;
  const rows = await db
    .selectFrom('audit_subjects')
    .select('subject_id')
    .where('subject_id', 'in', [...ids])
    .execute();
  return new Set(rows.map(({ subject_id }) => subject_id));
}

function readPage(db: Store['db'], after: number) {
  return db
    .selectFrom('audit_log')
    .leftJoin('audit_details', 'audit_details.seq', 'audit_log.seq')
    .leftJoin('audit_subjects', 'audit_subjects.subject_id', 'audit_log.subject_id')
    .select(['audit_log.seq', 'audit_log.at', 'audit_log.subject_id', 'audit_log.action', 'audit_log.target_type'])
    .select(['audit_log.target_id', 'audit_log.result', 'audit_log.details_digest', 'audit_log.previous_hash'])
    .select(['audit_log.hash', 'audit_details.salt', 'audit_details.details'])
    .select(['audit_details.seq as has_details', 'audit_subjects.subject_id as known_subject'])
    .where('audit_log.seq', '>', after)
    .orderBy('audit_log.seq')
    .limit(PAGE_ROWS)
    .execute();
}

/** Undefined where there is not exactly one. */
async function readHead(db: Store['db']): Promise<Head | undefined> {
  const [head, second] = await db.selectFrom('audit_head').select(['seq', 'hash']).limit(2).execute();
  return second ? undefined : head;
}

/** Rows outside the numbers that were walked: no append makes them. */
async function strayRows(db: Store['db'], last_seq: number): Promise<VerifyProblem[]> {
  const [log, details] = await Promise.all([
    db.selectFrom('audit_log').select('seq').where('seq', '<', 1).limit(1).execute(),
    db
      .selectFrom('audit_details')
      .select('seq')
      .where((eb) =>
        eb.or([
          eb('seq', '<', 1),
          eb.and([
            eb('seq', '>', last_seq),
            eb.not(
              eb.exists(
                eb.selectFrom('audit_log').select('audit_log.seq').whereRef('audit_log.seq', '=', 'audit_details.seq'),
              ),
            ),
          ]),
        ]),
      )
      .limit(1)
      .execute(),
  ]);
  return [
    ...log.map(({ seq }) => ({ seq, problem: 'Rows begin with number 1.' })),
    ...details.map(({ seq }) => ({ seq, problem: 'There are details without a row.' })),
  ];
}

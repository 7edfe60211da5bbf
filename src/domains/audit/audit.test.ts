// The audit log: rows in a chain, found damage of every kind, erasure that verification accepts, and hubs side by side.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, describe, expect, test } from 'vitest';
import { openTemporaryDatabase } from '../../../test/support/temporary-database.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { Database } from '../../storage/database.ts';
import { CHAIN_START, digestOf, hashOf } from './chain.ts';
import { type Audit, type AuditTables, createAudit } from './index.ts';
import { parse, push, type Range, toText, without } from './ranges.ts';

const bob: Principal = { user_id: 'bobby-tables', agent_id: 'claude', machine_id: 'm1' };
const eve: Principal = { user_id: 'eve', agent_id: 'codex', machine_id: 'm2' };

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

interface Log {
  readonly store: Database<AuditTables>;
  readonly audit: Audit;
  [Symbol.asyncDispose](): Promise<void>;
}

async function openLog(data_dir?: string, machine_id = 'm1'): Promise<Log> {
  const directory = data_dir ?? mkdtempSync(join(tmpdir(), 'haivemind-audit-'));
  if (data_dir === undefined) directories.push(directory);
  const opened = await openTemporaryDatabase({ data_dir: directory, machine_id });
  const store = opened.withTables<AuditTables>();
  return { store, audit: createAudit(store), [Symbol.asyncDispose]: () => opened.close() };
}

/** Rows of every shape: with and without reason, target, details and another user. */
async function fill(audit: Audit, count: number): Promise<void> {
  for (let i = 1; i <= count; i++)
    await audit.record(i % 2 ? bob : eve, {
      action: `vault.act${i % 3}`,
      target_type: 'vault',
      target_id: i % 4 ? `vlt_${i}` : null,
      result: i % 5 ? 'ok' : 'refused',
      ...(i % 3 === 0 ? { reason: `because ${i}` } : {}),
      ...(i % 6 === 0 ? { affected_user_id: 'zoe' } : {}),
      details: { version: i },
    });
}

/** Whatever the store lets one do: tampering goes around the audit domain. */
const tamper = (store: Database<AuditTables>, statement: ReturnType<typeof sql>) =>
  store.write((trx) => statement.execute(trx));

test('a log without damage verifies, empty or not, and against each of its anchors', async () => {
  await using log = await openLog();
  expect(await log.audit.verify()).toMatchObject({ ok: true, rows: 0, last_hash: CHAIN_START });
  const anchors = [await log.audit.anchor()];
  for (let i = 0; i < 12; i++) {
    await fill(log.audit, 1 + i);
    anchors.push(await log.audit.anchor());
  }
  for (const anchor of anchors) {
    const report = await log.audit.verify({ anchor });
    expect(report).toMatchObject({ ok: true, rows: 78, last_seq: 78, problems: [], first_bad_seq: null });
  }
});

test('a page boundary changes nothing, and progress and cancelling work between pages', async () => {
  await using log = await openLog();
  await log.store.write(async (trx) => {
    for (let i = 0; i < 1_203; i++)
      await log.audit.append(trx, bob, { action: 'a.b', target_type: 'hub', target_id: null, result: 'ok' });
  });
  const seen: number[] = [];
  expect(await log.audit.verify({ onProgress: ({ done }) => seen.push(done) })).toMatchObject({
    ok: true,
    rows: 1_203,
  });
  expect(seen).toEqual([200, 400, 600, 800, 1_000, 1_200, 1_203]);
  const stop = new AbortController();
  const asked = log.audit.verify({ signal: stop.signal, onProgress: () => stop.abort() });
  await expect(asked).rejects.toThrow('aborted');
});

const ROWS = 12;
const seqs = fc.integer({ min: 1, max: ROWS });

/** One act of somebody who can write the database but does not recompute the chain. */
const damages: Readonly<Record<string, (seq: number, text: string) => ReturnType<typeof sql>[]>> = {
  'a time': (seq) => [sql`update audit_log set at = '2001-01-01T00:00:00.000Z' where seq = ${seq}`],
  'an action': (seq, text) => [sql`update audit_log set action = ${text} where seq = ${seq}`],
  'a target type': (seq, text) => [sql`update audit_log set target_type = ${text} where seq = ${seq}`],
  'a target': (seq, text) => [sql`update audit_log set target_id = ${text} where seq = ${seq}`],
  'a result': (seq) => [sql`update audit_log set result = 'failed' where seq = ${seq}`],
  'a digest': (seq, text) => [sql`update audit_log set details_digest = ${text} where seq = ${seq}`],
  'a link': (seq, text) => [sql`update audit_log set previous_hash = ${text} where seq = ${seq}`],
  'a hash': (seq, text) => [sql`update audit_log set hash = ${text} where seq = ${seq}`],
  'a number': (seq) => [sql`update audit_log set seq = ${seq + 1_000} where seq = ${seq}`],
  'a number, to before the first': (seq) => [sql`update audit_log set seq = ${-seq} where seq = ${seq}`],
  'whose row it is': (seq) => [
    sql`update audit_log set subject_id = (select min(subject_id) from audit_subjects where subject_id <>
      (select subject_id from audit_log where seq = ${seq})) where seq = ${seq}`,
  ],
  'details replaced': (seq, text) => [
    sql`update audit_details set details = ${JSON.stringify({ text })} where seq = ${seq}`,
  ],
  'a salt': (seq, text) => [sql`update audit_details set salt = ${text} where seq = ${seq}`],
  'details nulled': (seq) => [sql`update audit_details set details = null, salt = null where seq = ${seq}`],
  'half of the details nulled': (seq) => [sql`update audit_details set salt = null where seq = ${seq}`],
  'details removed': (seq) => [sql`delete from audit_details where seq = ${seq}`],
  'details of another row': (seq) => [
    sql`update audit_details set seq = -1 where seq = ${seq}`,
    sql`update audit_details set seq = ${seq} where seq = ${(seq % ROWS) + 1}`,
    sql`update audit_details set seq = ${(seq % ROWS) + 1} where seq = -1`,
  ],
  'details added': (seq) => [sql`insert into audit_details (seq, salt, details) values (${seq + 500}, 'x', '{}')`],
  'a row removed': (seq) => [sql`delete from audit_log where seq = ${seq}`],
  'two rows exchanged': (seq) => [
    sql`update audit_log set seq = -1 where seq = ${seq}`,
    sql`update audit_log set seq = ${seq} where seq = ${(seq % ROWS) + 1}`,
    sql`update audit_log set seq = ${(seq % ROWS) + 1} where seq = -1`,
  ],
  'a row inserted at the end': () => [
    sql`insert into audit_log select ${ROWS + 1}, at, subject_id, action, target_type, target_id, result, details_digest,
      previous_hash, hash from audit_log where seq = ${ROWS}`,
  ],
  'newest rows removed': (seq) => [sql`delete from audit_log where seq >= ${seq}`],
  'the head moved': (seq) => [sql`update audit_head set seq = ${seq - 1}`],
  'the hash of the head': (_seq, text) => [sql`update audit_head set hash = ${text}`],
  'the head removed': () => [sql`delete from audit_head`],
  'a second head': (_seq, text) => [sql`insert into audit_head (only_row, seq, hash) values (2, ${ROWS}, ${text})`],
  'the name of a subject': (_seq, text) => [sql`update audit_subjects set user_id = ${text} where user_id = 'eve'`],
  'the agent of a subject': (_seq, text) => [sql`update audit_subjects set agent_id = ${text} where user_id = 'eve'`],
  'the machine of a subject': (_seq, text) => [
    sql`update audit_subjects set machine_id = ${text} where user_id = 'eve'`,
  ],
  'the salt of a subject': (_seq, text) => [sql`update audit_subjects set salt = ${text} where user_id = 'eve'`],
  'names nulled': () => [
    sql`update audit_subjects set user_id = null, agent_id = null, machine_id = null, salt = null where user_id = 'eve'`,
  ],
  'one name nulled': () => [sql`update audit_subjects set agent_id = null where user_id = 'eve'`],
  'a subject removed': () => [sql`delete from audit_subjects where user_id = 'eve'`],
  'the subject of an affected user removed': () => [sql`delete from audit_subjects where user_id = 'zoe'`],
};

describe('damage without an anchor', () => {
  test.each(Object.entries(damages))('%s is found', async (_name, damage) => {
    await using log = await openLog();
    await fill(log.audit, ROWS);
    const anchor = await log.audit.anchor();
    // Not a value that is there already: such a change would be none.
    const texts = fc.uuid();
    await fc.assert(
      fc.asyncProperty(seqs, texts, async (seq, text) => {
        const undo = new Error('undone');
        let report: Awaited<ReturnType<Audit['verify']>> | undefined;
        await log.store
          .write(async (trx) => {
            for (const statement of damage(seq, text)) await statement.execute(trx);
            // Verified in the transaction of the damage, which is then undone: the log is whole for the next one.
            const seen = { ...log.store, db: trx } as unknown as Database<AuditTables>;
            report = await createAudit(seen).verify();
            throw undo;
          })
          .catch((error: unknown) => {
            if (error !== undo) throw error;
          });
        expect(report).toMatchObject({ ok: false });
        expect(report?.problems_total).toBeGreaterThan(0);
      }),
      { numRuns: 8 },
    );
    expect(await log.audit.verify({ anchor })).toMatchObject({ ok: true, rows: ROWS });
  });

  test('it is told at which row it begins', async () => {
    await using log = await openLog();
    await fill(log.audit, ROWS);
    await tamper(log.store, sql`delete from audit_log where seq = 7`);
    expect((await log.audit.verify()).first_bad_seq).toBe(7);
    await tamper(log.store, sql`update audit_log set action = 'x.y' where seq = 4`);
    const report = await log.audit.verify();
    expect(report.first_bad_seq).toBe(4);
    expect(report.problems[0]).toEqual({ seq: 4, problem: 'Its hash does not fit its columns.' });
  });
});

describe('an anchor', () => {
  /** Recomputes the chain up to `seq` and mends the head: what somebody does who knows how the log is made. */
  async function cutAfter(store: Database<AuditTables>, seq: number): Promise<void> {
    await store.write(async (trx) => {
      await trx.deleteFrom('audit_log').where('seq', '>', seq).execute();
      await trx.deleteFrom('audit_details').where('seq', '>', seq).execute();
      const last = await trx.selectFrom('audit_log').select('hash').where('seq', '=', seq).executeTakeFirst();
      await trx
        .updateTable('audit_head')
        .set({ seq, hash: last?.hash ?? CHAIN_START })
        .execute();
    });
  }

  test('shows that newest rows were removed, however well the head was mended', async () => {
    await using log = await openLog();
    await fill(log.audit, ROWS);
    const anchor = await log.audit.anchor();
    for (let seq = ROWS - 1; seq >= 0; seq--) {
      await cutAfter(log.store, seq);
      expect(await log.audit.verify()).toMatchObject({ ok: true, rows: seq });
      expect(await log.audit.verify({ anchor })).toMatchObject({ ok: false, first_bad_seq: seq + 1 });
    }
    // New rows in the place of those that were removed do not help.
    await fill(log.audit, ROWS + 3);
    expect(await log.audit.verify()).toMatchObject({ ok: true });
    expect(await log.audit.verify({ anchor })).toMatchObject({ ok: false, first_bad_seq: ROWS });
  });

  test('shows that the chain was recomputed', async () => {
    await using log = await openLog();
    await fill(log.audit, ROWS);
    const anchor = await log.audit.anchor();
    await log.store.write(async (trx) => {
      let previous_hash = CHAIN_START;
      for (const { hash: _, ...row } of await trx.selectFrom('audit_log').selectAll().orderBy('seq').execute()) {
        const details = JSON.stringify({ version: 99 });
        const changed = { ...row, previous_hash, ...(row.seq === 3 ? { details_digest: digestOf('s', details) } : {}) };
        if (row.seq === 3)
          await trx.updateTable('audit_details').set({ salt: 's', details }).where('seq', '=', 3).execute();
        previous_hash = hashOf(changed);
        await trx
          .updateTable('audit_log')
          .set({ ...changed, hash: previous_hash })
          .where('seq', '=', row.seq)
          .execute();
      }
      await trx.updateTable('audit_head').set({ hash: previous_hash }).execute();
    });
    expect(await log.audit.verify()).toMatchObject({ ok: true });
    expect(await log.audit.verify({ anchor })).toMatchObject({ ok: false, first_bad_seq: ROWS });
  });

  test('of another store is told apart', async () => {
    await using log = await openLog();
    await fill(log.audit, 2);
    const anchor = { ...(await log.audit.anchor()), store_id: 'another' };
    expect(await log.audit.verify({ anchor })).toMatchObject({
      ok: false,
      problems: [{ problem: 'The anchor is one of another store.' }],
    });
  });
});

describe('erasure', () => {
  test('takes the name out, is on record, and the log verifies before and after against the same anchor', async () => {
    await using log = await openLog();
    await fill(log.audit, 9);
    await log.audit.record(eve, {
      action: 'team.remove',
      target_type: 'team',
      target_id: 'team_1',
      result: 'ok',
      reason: 'Bobby-Tables has left',
      affected_user_id: bob.user_id,
    });
    await log.audit.record(eve, {
      action: 'team.note',
      target_type: 'team',
      target_id: 'team_1',
      result: 'ok',
      details: { label: 'key of BOBBY-TABLES', version: 2 },
    });
    const anchor = await log.audit.anchor();
    const erasure = await log.store.write((trx) => log.audit.eraseSubject(trx, bob.user_id, eve));
    // Reasons of Bob's own rows (3 and 9) and both rows that name him; two subjects: as actor and as the one concerned.
    expect(erasure).toEqual({ seq: 12, subjects: 2, details: 4 });
    expect(await log.audit.verify({ anchor })).toMatchObject({ ok: true, rows: 12 });
    const tables = ['audit_log', 'audit_details', 'audit_subjects', 'audit_head'] as const;
    for (const table of tables) {
      const rows = JSON.stringify(await log.store.db.selectFrom(table).selectAll().execute());
      expect(rows.toLowerCase()).not.toContain(bob.user_id);
    }
    const listed = await log.audit.list({ limit: 100 });
    expect(listed).toHaveLength(12);
    expect(listed[0]).toMatchObject({ action: 'privacy.erase', actor: eve, details: { erased_rows: '3,9-11' } });
    expect(listed.find(({ seq }) => seq === 1)).toMatchObject({ actor: null, details: { version: 1 } });
    // What others wrote about others stays.
    expect(listed.find(({ seq }) => seq === 6)).toMatchObject({ reason: 'because 6', affected_user_id: 'zoe' });
  });

  test('of oneself leaves no trace of who asked', async () => {
    await using log = await openLog();
    await fill(log.audit, 3);
    await log.store.write((trx) => log.audit.eraseSubject(trx, bob.user_id, bob));
    expect((await log.audit.list({ limit: 1 }))[0]).toMatchObject({ action: 'privacy.erase', actor: null });
    expect(await log.audit.verify()).toMatchObject({ ok: true, rows: 4 });
    // Somebody of the same name later is somebody new.
    await log.audit.record(bob, { action: 'a.b', target_type: 'hub', target_id: null, result: 'ok' });
    const [newest, ...older] = await log.audit.list({ limit: 10 });
    expect(newest).toMatchObject({ actor: bob });
    expect(older.filter(({ actor }) => actor?.user_id === bob.user_id)).toEqual([]);
    expect(await log.audit.verify()).toMatchObject({ ok: true, rows: 5 });
  });

  test('takes no short name for a part of other words', async () => {
    await using log = await openLog();
    await fill(log.audit, 9);
    const e: Principal = { ...eve, user_id: 'e' };
    await log.audit.record(e, { action: 'a.b', target_type: 'hub', target_id: null, result: 'ok' });
    const { details } = await log.store.write((trx) => log.audit.eraseSubject(trx, 'e', e));
    expect(details).toBe(0);
  });

  test('excuses nothing but what it lists', async () => {
    await using log = await openLog();
    await fill(log.audit, 9);
    await log.store.write((trx) => log.audit.eraseSubject(trx, bob.user_id));
    await tamper(log.store, sql`update audit_details set salt = null, details = null where seq = 4`);
    expect(await log.audit.verify()).toMatchObject({ ok: false, first_bad_seq: 4 });
    await tamper(
      log.store,
      sql`update audit_subjects set user_id = null, agent_id = null, machine_id = null, salt = null where user_id = 'eve'`,
    );
    expect(await log.audit.verify()).toMatchObject({ ok: false, problems_total: 2 });
  });

  test('does not excuse what is erased afterwards, nor the list itself', async () => {
    await using log = await openLog();
    await fill(log.audit, 9);
    await log.store.write((trx) => log.audit.eraseSubject(trx, bob.user_id));
    await fill(log.audit, 2);
    await tamper(log.store, sql`update audit_details set salt = null, details = null where seq = 10`);
    const report = await log.audit.verify();
    expect(report).toMatchObject({ ok: false, first_bad_seq: 3 });
    expect(report.problems.map(({ problem }) => problem)).toContain(
      'Details of 9-10 are gone and no erasure lists them.',
    );
  });
});

test('a row that cannot be written undoes what it reports', async () => {
  await using log = await openLog();
  await fill(log.audit, 2);
  await tamper(log.store, sql`alter table audit_details rename to audit_details_away`);
  const act = log.store.write(async (trx) => {
    await sql`create table act (did integer)`.execute(trx);
    await log.audit.append(trx, bob, { action: 'a.b', target_type: 'hub', target_id: null, result: 'ok' });
  });
  await expect(act).rejects.toThrow();
  await tamper(log.store, sql`alter table audit_details_away rename to audit_details`);
  // It would fail if the table had been made.
  await tamper(log.store, sql`create table act (did integer)`);
  expect(await log.audit.verify()).toMatchObject({ ok: true, rows: 2 });
});

test('a lost head stops the log instead of forking it', async () => {
  await using log = await openLog();
  await fill(log.audit, 2);
  await tamper(log.store, sql`delete from audit_head`);
  await expect(fill(log.audit, 1)).rejects.toThrow();
});

test('two hubs that append at once make one chain', async () => {
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-audit-'));
  directories.push(data_dir);
  await using one = await openLog(data_dir, 'm1');
  await using two = await openLog(data_dir, 'm2');
  const each = 120;
  // Also actors nobody has seen before, at once on both: they make subjects.
  const actor = (i: number): Principal => ({ user_id: `user${i % 7}`, agent_id: 'a', machine_id: 'm' });
  await Promise.all(
    [one, two].flatMap(({ audit }) =>
      Array.from({ length: each }, (_, i) =>
        audit.record(actor(i), { action: 'a.b', target_type: 'hub', target_id: null, result: 'ok' }),
      ),
    ),
  );
  expect(await one.audit.verify()).toMatchObject({ ok: true, rows: 2 * each });
  expect(await two.store.db.selectFrom('audit_subjects').selectAll().execute()).toHaveLength(7);
});

test('hubs that append before they change the same row end all the same', async () => {
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-audit-'));
  directories.push(data_dir);
  await using one = await openLog(data_dir, 'm1');
  await using two = await openLog(data_dir, 'm2');
  await tamper(one.store, sql`create table counted (id integer primary key, n integer)`);
  await tamper(one.store, sql`insert into counted values (1, 0)`);
  const entry = { action: 'a.b', target_type: 'hub', target_id: null, result: 'ok' } as const;
  const count = sql`update counted set n = n + 1 where id = 1`;
  const each = 20;
  // The wrong order on one hub, the right one on the other: a deadlock, which is undone and run again.
  await Promise.all(
    Array.from({ length: each }, () => [
      one.store.write(async (trx) => {
        await one.audit.append(trx, bob, entry);
        await count.execute(trx);
      }),
      two.store.write(async (trx) => {
        await count.execute(trx);
        await two.audit.append(trx, eve, entry);
      }),
    ]).flat(),
  );
  const { rows } = await sql<{ n: number }>`select n from counted`.execute(one.store.db);
  expect(rows).toEqual([{ n: 2 * each }]);
  expect(await one.audit.verify()).toMatchObject({ ok: true, rows: 2 * each });
});

test('the list pages on and filters', async () => {
  await using log = await openLog();
  await fill(log.audit, 9);
  const first = await log.audit.list({ limit: 4 });
  expect(first.map(({ seq }) => seq)).toEqual([9, 8, 7, 6]);
  expect((await log.audit.list({ limit: 4, before_seq: 6 })).map(({ seq }) => seq)).toEqual([5, 4, 3, 2]);
  expect((await log.audit.list({ limit: 9, user_id: 'eve' })).map(({ seq }) => seq)).toEqual([8, 6, 4, 2]);
  expect(await log.audit.list({ limit: 9, target_type: 'vault', target_id: 'vlt_7' })).toMatchObject([
    { seq: 7, actor: bob, details: { version: 7 }, reason: null },
  ]);
  // A row whose subject somebody removed is not hidden by that.
  await tamper(log.store, sql`delete from audit_subjects where user_id = 'eve'`);
  await tamper(log.store, sql`update audit_details set details = 'no json' where seq = 1`);
  expect(await log.audit.list({ limit: 20 })).toHaveLength(9);
});

test('ranges hold what was put in, without what was taken out', () => {
  const sets = fc.uniqueArray(fc.nat(60), { maxLength: 40 }).map((numbers) => numbers.toSorted((a, b) => a - b));
  const rangesOf = (numbers: readonly number[]) => {
    const ranges: Range[] = [];
    for (const value of numbers) push(ranges, value);
    return ranges;
  };
  const numbersOf = (ranges: readonly Range[]) =>
    ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
  fc.assert(
    fc.property(sets, sets, (all, taken) => {
      expect(parse(toText(rangesOf(all)))).toEqual(rangesOf(all));
      const left = without(rangesOf(all), rangesOf(taken));
      expect(numbersOf(left)).toEqual(all.filter((value) => !taken.includes(value)));
    }),
  );
  expect(parse('9-3,x,,2')).toEqual([[2, 2]]);
});

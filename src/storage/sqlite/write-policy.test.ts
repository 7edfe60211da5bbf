// The write queue under a policy whose savepoints are set only after a failure, as engines behind a network need it:
// SQLite does the work, so that every way a group can go is met here without a server.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure } from '../../kernel/errors.ts';
import { type Database, databaseOn, type Trx } from '../database.ts';
import { StaleRead, type WritePolicy } from '../engine.ts';
import { openSqliteEngine, type SqliteEngine } from './engine.ts';

interface Tables {
  notes: { note_id: string; body: string };
}

let data_dir: string;
let engine: SqliteEngine;
/** Transactions begun since the store was last made by `withPolicy`. */
let transactions: number;
beforeEach(async () => {
  data_dir = mkdtempSync(join(tmpdir(), 'haivemind-policy-'));
  engine = await openSqliteEngine({ data_dir, synchronous: 'NORMAL' });
  engine.raw.exec('create table notes (note_id text primary key, body text not null)');
});
afterEach(async () => {
  await engine.close();
  rmSync(data_dir, { recursive: true, force: true });
});

/** A store whose writes know of races and set savepoints after a failure, unless told otherwise. */
function withPolicy(policy: Partial<WritePolicy> = {}): Database<Tables> {
  const { writing } = engine;
  transactions = 0;
  const begin = policy.transact ?? writing.transact;
  const changed: WritePolicy = {
    ...writing,
    lostRace: (error) => error instanceof StaleRead,
    savepoints: 'after_failure',
    readable: (error) =>
      error instanceof StaleRead
        ? failure('unavailable', 'Raced.', 'Again.', { cause: error })
        : writing.readable(error),
    ...policy,
    transact: (work) => {
      transactions++;
      return begin(work);
    },
  };
  return databaseOn({ ...engine, writing: changed }, { machine_id: 'test-machine' }).withTables<Tables>();
}

/** A write that counts its runs; `then` may fail after the row was inserted. */
function job(store: Database<Tables>, note_id: string, then: (run: number, trx: Trx<Tables>) => void = () => {}) {
  const made = { runs: 0, outcome: Promise.resolve('') };
  made.outcome = store.write(async (trx) => {
    const run = ++made.runs;
    await trx
      .insertInto('notes')
      .values({ note_id, body: `run ${run}` })
      .execute();
    then(run, trx);
    return `${note_id} ${run}`;
  });
  made.outcome.catch(() => {});
  return made;
}

const fail = (message: string) => () => {
  throw new Error(message);
};
const race = (count: number) => (run: number) => {
  if (run <= count) throw new StaleRead();
};
const rows = () => engine.raw.prepare('select note_id, body from notes order by note_id').all();

describe('without a failure', () => {
  test('a group is one transaction without savepoints, and each work runs once', async () => {
    const store = withPolicy();
    const seen: string[] = [];
    const prepare = engine.raw.prepare.bind(engine.raw);
    engine.raw.prepare = (statement) => {
      seen.push(statement);
      return prepare(statement);
    };
    const jobs = ['a', 'b', 'c'].map((id) => job(store, id));
    expect(await Promise.all(jobs.map((one) => one.outcome))).toEqual(['a 1', 'b 1', 'c 1']);
    expect(transactions).toBe(1);
    expect(seen.some((statement) => statement.startsWith('insert'))).toBe(true);
    expect(seen.filter((statement) => statement.includes('savepoint'))).toEqual([]);
  });
});

describe('a group that was in the way of another', () => {
  class Deadlock extends Error {}

  /** Runs work again while it meets a deadlock, as an engine with several writers does. */
  const again: WritePolicy['transact'] = async (work) => {
    for (;;) {
      try {
        return await engine.writing.transact(work);
      } catch (error) {
        if (!(error instanceof Deadlock)) throw error;
      }
    }
  };
  const blocked = (count: number) => (run: number) => {
    if (run <= count) throw new Deadlock();
  };

  test('lets go of all of it and goes on in smaller ones: each write once, in order', async () => {
    const store = withPolicy({ transact: again, deadlocked: (error) => error instanceof Deadlock });
    const ids = Array.from({ length: 9 }, (_, i) => `n${i}`);
    const jobs = ids.map((id) => job(store, id, id === 'n1' ? blocked(2) : undefined));
    const outcomes = await Promise.all(jobs.map((one) => one.outcome));
    // The first run of all nine ended at the second job, the next of two again, and one alone came through.
    expect(outcomes.slice(0, 3)).toEqual(['n0 3', 'n1 3', 'n2 1']);
    expect(jobs.slice(3).map((one) => one.runs)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(rows().map((row) => row.note_id)).toEqual(ids);
  });

  test('that runs with savepoints too gives up all of it', async () => {
    const store = withPolicy({ transact: again, deadlocked: (error) => error instanceof Deadlock });
    const jobs = [job(store, 'bad', fail('no')), job(store, 'a'), job(store, 'b', blocked(1))];
    const outcomes = await Promise.allSettled(jobs.map((one) => one.outcome));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(rows().map((row) => row.note_id)).toEqual(['a', 'b']);
  });
});

describe('one failing job', () => {
  test('of a group is undone alone; its neighbours run again and are kept once', async () => {
    const store = withPolicy();
    const jobs = [job(store, 'a'), job(store, 'bad', fail('no')), job(store, 'b'), job(store, 'c')];
    const outcomes = await Promise.allSettled(jobs.map((one) => one.outcome));
    expect(outcomes).toMatchObject([
      // What a caller gets is what the run returned that was kept.
      { status: 'fulfilled', value: 'a 2' },
      { status: 'rejected', reason: { message: 'no' } },
      { status: 'fulfilled', value: 'b 1' },
      { status: 'fulfilled', value: 'c 1' },
    ]);
    expect(jobs.map((one) => one.runs)).toEqual([2, 2, 1, 1]);
    expect(transactions).toBe(2);
    expect(rows()).toEqual([
      { note_id: 'a', body: 'run 2' },
      { note_id: 'b', body: 'run 1' },
      { note_id: 'c', body: 'run 1' },
    ]);
  });

  test('that the engine refuses is undone alone too', async () => {
    const store = withPolicy();
    const jobs = ['a', 'b', 'a', 'c'].map((id) => job(store, id));
    const outcomes = await Promise.allSettled(jobs.map((one) => one.outcome));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(rows().map((row) => row.note_id)).toEqual(['a', 'b', 'c']);
  });

  test('that is alone is rejected after one run in one transaction', async () => {
    const store = withPolicy();
    const alone = job(store, 'bad', fail('no'));
    await expect(alone.outcome).rejects.toThrow('no');
    expect([alone.runs, transactions]).toEqual([1, 1]);
    expect(rows()).toEqual([]);
  });

  test('does not make the groups after it careful', async () => {
    const store = withPolicy();
    await Promise.allSettled([job(store, 'a'), job(store, 'bad', fail('no'))].map((one) => one.outcome));
    const before = transactions;
    const jobs = ['b', 'c'].map((id) => job(store, id));
    await Promise.all(jobs.map((one) => one.outcome));
    expect(transactions - before).toBe(1);
    expect(jobs.map((one) => one.runs)).toEqual([1, 1]);
  });
});

describe('a job that lost a race', () => {
  test('is run again, alone or in a group, and leaves nothing of its first run', async () => {
    const store = withPolicy();
    const alone = job(store, 'alone', race(1));
    expect(await alone.outcome).toBe('alone 2');
    const jobs = [job(store, 'a'), job(store, 'raced', race(2)), job(store, 'b')];
    expect(await Promise.all(jobs.map((one) => one.outcome))).toEqual(['a 2', 'raced 3', 'b 1']);
    expect(rows()).toEqual([
      { note_id: 'a', body: 'run 2' },
      { note_id: 'alone', body: 'run 2' },
      { note_id: 'b', body: 'run 1' },
      { note_id: 'raced', body: 'run 3' },
    ]);
  });

  test('every time is given up in words, after a number of runs that ends, and its neighbours are kept', async () => {
    const store = withPolicy();
    const jobs = [job(store, 'hopeless', race(Number.POSITIVE_INFINITY)), job(store, 'a')];
    const [hopeless, neighbour] = await Promise.allSettled(jobs.map((one) => one.outcome));
    expect(hopeless).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
    expect(neighbour).toMatchObject({ status: 'fulfilled' });
    expect(jobs[0]!.runs).toBeGreaterThan(2);
    expect(jobs[0]!.runs).toBeLessThan(20);
    expect(rows().map((row) => row.note_id)).toEqual(['a']);
  });

  test('against another store reads what that one wrote', async () => {
    const store = withPolicy();
    const second = await openSqliteEngine({ data_dir, synchronous: 'NORMAL' });
    const other = databaseOn(second, { machine_id: 'test-machine' }).withTables<Tables>();
    await job(store, 'shared').outcome;
    // The first run works on what was read before the transaction; the other store has changed it since.
    let known = await store.db.selectFrom('notes').selectAll().executeTakeFirstOrThrow();
    await other.write((trx) => trx.updateTable('notes').set({ body: 'theirs' }).execute());
    let runs = 0;
    const append = store.write(async (trx) => {
      if (++runs > 1) known = await trx.selectFrom('notes').selectAll().executeTakeFirstOrThrow();
      const { numUpdatedRows } = await trx
        .updateTable('notes')
        .set({ body: `${known.body} and ours` })
        .where('body', '=', known.body)
        .executeTakeFirst();
      if (numUpdatedRows !== 1n) throw new StaleRead();
    });
    await append;
    expect(runs).toBe(2);
    expect(rows()).toEqual([{ note_id: 'shared', body: 'theirs and ours' }]);
    await other.close();
  });
});

describe('a transaction', () => {
  test('that the engine gives up and runs again answers with what was kept', async () => {
    const lost = new Error('the link broke');
    const store = withPolicy({
      transact: async (work) => {
        // As after a lost connection: everything of the first time is undone.
        await engine.writing
          .transact(async (trx) => {
            await work(trx);
            throw lost;
          })
          .catch((error: unknown) => expect(error).toBe(lost));
        return engine.writing.transact(work);
      },
    });
    const jobs = [job(store, 'a'), job(store, 'b')];
    // Every transaction is given up once, and after the first the group is smaller.
    expect(await Promise.all(jobs.map((one) => one.outcome))).toEqual(['a 2', 'b 3']);
    expect(rows()).toEqual([
      { note_id: 'a', body: 'run 2' },
      { note_id: 'b', body: 'run 3' },
    ]);
  });

  test.each(['before the work', 'at the commit'])(
    'that fails %s rejects its group, and the next goes on',
    async (when) => {
      let broken = true;
      const store = withPolicy({
        transact: async (work) => {
          if (broken && when === 'before the work') throw new Error('no server');
          return engine.writing.transact(async (trx) => {
            const result = await work(trx);
            if (broken) throw new Error('no server');
            return result;
          });
        },
      });
      const jobs = [job(store, 'a'), job(store, 'b')];
      const outcomes = await Promise.allSettled(jobs.map((one) => one.outcome));
      expect(outcomes).toMatchObject([{ reason: { message: 'no server' } }, { reason: { message: 'no server' } }]);
      expect(rows()).toEqual([]);
      expect(transactions).toBe(1);
      broken = false;
      await job(store, 'c').outcome;
      expect(rows().map((row) => row.note_id)).toEqual(['c']);
    },
  );
});

const step = fc.record({
  note_id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  /** How often it loses a race before it gets through, and whether it fails in the end. */
  races: fc.nat(2),
  fails: fc.boolean(),
});

describe('whatever mixture of jobs arrives', () => {
  test.each(['always', 'after_failure'] as const)(
    'with savepoints %s each ends as if it were alone',
    async (savepoints) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          engine.raw.exec('delete from notes');
          const store = withPolicy({ savepoints });
          const jobs = steps.map(({ note_id, races, fails }) =>
            job(store, note_id, (run) => {
              race(races)(run);
              if (fails) throw new Error('fails');
            }),
          );
          const outcomes = await Promise.allSettled(jobs.map((one) => one.outcome));
          const kept = new Set<string>();
          const expected = steps.map(({ note_id, fails }) => {
            if (fails || kept.has(note_id)) return 'rejected';
            kept.add(note_id);
            return 'fulfilled';
          });
          expect(outcomes.map((outcome) => outcome.status)).toEqual(expected);
          const answers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
          // Each answer is the one of the run that was kept.
          expect(rows().map(({ note_id, body }) => `${note_id} ${String(body).slice('run '.length)}`)).toEqual(
            answers.sort(),
          );
        }),
        { numRuns: 60 },
      );
    },
  );
});

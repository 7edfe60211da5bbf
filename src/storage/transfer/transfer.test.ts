// Whole stores from SQLite to PostgreSQL and back: every row the same, whatever the store holds and wherever it stops.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { freshDatabase, type PostgresServer, startPostgres } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { type App, openApp, refusalOf } from '../../../test/support/open-app.ts';
import { postgresRows } from '../../../test/support/test-store.ts';
import {
  type Contents,
  contentsOfDatabase,
  contentsOfDirectory,
  move,
  withStoreOn,
} from '../../../test/support/transfer.ts';

/** Each round of a property opens several stores. */
const TIMEOUT_MS = 180_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'haivemind-transfer-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter((value) => /\w/.test(value));
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('store' as const),
      text,
      tags: fc.array(text, { maxLength: 3 }),
      importance: fc.double({ min: 0, max: 1, noNaN: true }),
      metadata: fc.dictionary(
        fc.stringMatching(/^[a-z]{1,5}$/),
        fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), text, fc.boolean()),
        { maxKeys: 3 },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('update' as const), which: fc.nat(), text }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recover' as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('vector' as const),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
      tokens: fc.option(fc.uint8Array({ maxLength: 300 })),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Does each step; what the rules of the product refuse is left out. */
async function play(app: App, steps: readonly Step[], ids: string[]): Promise<void> {
  for (const one of steps) {
    const memory_id = 'which' in one ? ids[one.which % ids.length] : undefined;
    try {
      if (one.do === 'store') {
        const { text: content, tags, importance, metadata } = one;
        ids.push(await app.store(content, { tags, importance, metadata }));
      } else if (one.do === 'vector') addVector(app.data_dir, one.bytes, one.tokens);
      else if (memory_id !== undefined) await change(app, one, memory_id);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'HaivemindError') throw error;
    }
  }
}

async function change(app: App, one: Step, memory_id: string): Promise<void> {
  if (one.do === 'update') await app.call('update_memory', { memory_id, content: one.text });
  if (one.do === 'delete') await app.call('delete_memory', { memory_id });
  if (one.do === 'recover') await app.call('recover_deleted_memory', { memory_id });
}

/** As a model would have made it. */
function addVector(data_dir: string, bytes: Uint8Array, tokens: Uint8Array | null): void {
  const raw = new DatabaseSync(join(data_dir, 'haivemind.db'), { timeout: 5_000 });
  raw
    .prepare(
      'insert into memory_vectors (row_id, chunk, model_id, start_char, end_char, vector, tokens) values (1, 0, ?, 0, 1, ?, ?)',
    )
    .run('model', bytes, tokens);
  raw.prepare('insert or replace into vector_state (model_id, state, row_count) values (?, ?, 1)').run('model', bytes);
  raw.close();
}

describeEngine('postgres', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test('any store moved to PostgreSQL and back is the same row by row', { timeout: TIMEOUT_MS }, async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const [a, b] = [join(folder, `a${++round}`), join(folder, `b${round}`)];
        {
          await using app = await openApp({ data_dir: a });
          await play(app, steps, []);
        }
        await using database = await freshDatabase(server.url);
        const there = await move(`sqlite:${a}`, database.url);
        const back = await move(database.url, `sqlite:${b}`);
        const before = contentsOfDirectory(a);
        expect(await contentsOfDatabase(database.url)).toEqual(before);
        expect(contentsOfDirectory(b)).toEqual(before);
        expect(counters(b)).toEqual(counters(a));
        expect(there).toMatchObject({ type: 'done', resumed: false, tables: back.tables });
      }),
      { numRuns: 5 },
    );
  });

  test('a run that is interrupted anywhere, while the source goes on changing, ends the same', {
    timeout: TIMEOUT_MS,
  }, async () => {
    let round = 0;
    // Together fewer batches than there are tables: what is done already is not done again by the next run.
    const some = (max: number, length: number) => fc.array(fc.nat({ max }), { minLength: length, maxLength: length });
    const stops = fc.oneof(some(10, 1), some(4, 2), some(2, 3));
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 25 }),
        fc.array(step, { maxLength: 10 }),
        stops,
        fc.boolean(),
        async (first, second, stop, changed) => {
          const [a, b] = [join(folder, `a${++round}`), join(folder, `b${round}`)];
          await using database = await freshDatabase(server.url);
          const ids: string[] = [];
          const playHere = async (steps: readonly Step[]) => {
            await using app = await openApp({ data_dir: a });
            await play(app, steps, ids);
          };
          await playHere(first);
          for (const events of stop) {
            await interrupted(`sqlite:${a}`, database.url, events);
            expect(
              await postgresRows(database.url, "select tablename from pg_tables where schemaname = 'public'", []),
            ).toEqual([]);
            if (changed) await playHere(second);
          }
          await move(`sqlite:${a}`, database.url);
          for (const events of stop) {
            await interrupted(database.url, `sqlite:${b}`, events);
            if (changed)
              await withStoreOn(database.url, folder, (call) =>
                call('store_memory', { content: `Meanwhile ${events} ${Math.random()}` }),
              );
          }
          const before = await contentsOfDatabase(database.url);
          if (!changed) expect(before).toEqual(contentsOfDirectory(a));
          await move(database.url, `sqlite:${b}`);
          expect(contentsOfDirectory(b)).toEqual(before);
        },
      ),
      { numRuns: 5 },
    );
  });

  test('searches find the same, and life goes on with new ids', async () => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    await using database = await freshDatabase(server.url);
    const question = { query: 'which pump fails in the cold', limit: 10 };
    const subjects = ['pump', 'valve', 'switch', 'turbine'];
    const asked = async (call: App['call']) =>
      (await call('search_memories', question)).results.map(({ memory_id }: { memory_id: string }) => memory_id);
    let expected: string[];
    {
      await using app = await openApp({ data_dir: a, embedding: 'local' });
      for (const [index, subject] of subjects.entries())
        for (const place of ['hall 3', 'the cold store', 'rack 7'])
          await app.store(`The ${subject} in ${place} failed ${index + 1} times`, { tags: [subject] });
      await app.runtime.settle(() => {}, new AbortController().signal);
      expected = await asked(app.call);
    }
    expect(contentsOfDirectory(a).memory_vectors?.length).toBeGreaterThan(0);
    const last = spendIds(a);
    await move(`sqlite:${a}`, database.url);
    await withStoreOn(
      database.url,
      folder,
      async (call) => expect(await asked(call as App['call'])).toEqual(expected),
      'local',
    );
    await move(database.url, `sqlite:${b}`);
    await withStoreOn(database.url, folder, (call) => call('store_memory', { content: 'New on PostgreSQL' }));
    expect(Math.max(...ids(await contentsOfDatabase(database.url)))).toBe(last + 1);
    await using app = await openApp({ data_dir: b, embedding: 'local' });
    expect(await asked(app.call)).toEqual(expected);
    await app.store('New in the file');
    expect(Math.max(...ids(contentsOfDirectory(b)))).toBe(last + 1);
  });

  test.each(['postgres', 'sqlite'] as const)('a tampered row in %s is found and named', async (kind) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    await using database = await freshDatabase(server.url);
    {
      await using app = await openApp({ data_dir: a });
      for (let index = 0; index < 10; index++) await app.store(`Memory ${index}`);
    }
    const [from, to] = kind === 'postgres' ? [`sqlite:${a}`, database.url] : [database.url, `sqlite:${b}`];
    if (kind === 'sqlite') await move(`sqlite:${a}`, database.url);
    await interrupted(from, to, 'memory_versions');
    if (kind === 'postgres')
      await postgresRows(
        database.url,
        "update haivemind_incoming.memories set content = content || '!' where row_id = 4",
        [],
      );
    else tamper(join(b, 'haivemind.db.unfinished'));
    const refused = await refusalOf(move(from, to));
    expect(refused).toMatchObject({ code: 'storage_corrupt', details: { table: 'memories', key: [4] } });
    expect(refused.message).toContain('memories');
    expect(await refusalOf(move(from, to))).toMatchObject({ code: 'storage_corrupt' });
    expect(await move(from, to, { restart: true })).toMatchObject({ memories: 10 });
    expect(kind === 'postgres' ? await contentsOfDatabase(database.url) : contentsOfDirectory(b)).toEqual(
      contentsOfDirectory(a),
    );
  });
});

function tamper(file: string): void {
  const raw = new DatabaseSync(file);
  raw.exec("update memories set content = content || '!' where row_id = 4");
  raw.close();
}

/** As if the newest memories had been destroyed: their ids are not given again. Returns the last one. */
function spendIds(data_dir: string): number {
  const raw = new DatabaseSync(join(data_dir, 'haivemind.db'));
  raw.exec("update sqlite_sequence set seq = seq + 5 where name = 'memories'");
  const { seq } = raw.prepare("select seq from sqlite_sequence where name = 'memories'").get() as { seq: number };
  raw.close();
  return seq;
}

function ids(contents: Contents): number[] {
  return (contents.memories ?? []).map(({ row_id }) => Number(row_id));
}

/** Where ids go on, which the rows alone do not say once the highest is gone. */
function counters(data_dir: string): unknown {
  const raw = new DatabaseSync(join(data_dir, 'haivemind.db'), { readOnly: true });
  try {
    return raw.prepare('select name, seq from sqlite_sequence where seq > 0 order by name').all();
  } finally {
    raw.close();
  }
}

/** Stops after so many batches, of which each table has one at least, or at the first of a table. */
async function interrupted(from: string, to: string, when: number | string): Promise<void> {
  const stop = new AbortController();
  let batches = 0;
  const running = move(from, to, {
    signal: stop.signal,
    onEvent: (event) => {
      batches++;
      if (event.phase === 'copy' && (batches > Number(when) || event.table === when)) stop.abort();
    },
  });
  expect(await refusalOf(running)).toMatchObject({ code: 'cancelled' });
}

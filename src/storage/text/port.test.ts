// What any full-text index has to do, on SQLite and on PostgreSQL.
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../../../scripts/engines/index.ts';
import { nodeSqliteDialect } from '../sqlite/dialect.ts';
import { createFts5Index, textIndexDdl } from './fts5.ts';
import type { TextIndex, TextTransaction } from './port.ts';
import { createPostgresTextIndex, textTablesDdl } from './postgres/index.ts';

type Engine = {
  /** An empty index. */
  open(): Promise<TextIndex>;
  write<T>(work: (trx: TextTransaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

const startSqlite = async (): Promise<Engine> => {
  const raw = new DatabaseSync(':memory:');
  const db = new Kysely<unknown>({ dialect: nodeSqliteDialect(raw, ':memory:') });
  for (const statement of textIndexDdl) raw.exec(statement);
  return {
    async open() {
      raw.exec('drop table memory_fts_words; drop table memory_fts');
      for (const statement of textIndexDdl) raw.exec(statement);
      return createFts5Index(raw);
    },
    write: (work) => db.transaction().execute(work),
    close: () => db.destroy(),
  };
};

const startOnPostgres = async (): Promise<Engine> => {
  const server: PostgresServer = await startPostgres();
  const pool = new pg.Pool({ connectionString: server.url, max: 4 });
  // A connection may outlive the pool by a moment, and then learns that the server stops.
  pool.on('error', () => undefined);
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  for (const statement of textTablesDdl) await sql.raw(statement).execute(db);
  return {
    async open() {
      await sql`truncate memory_texts`.execute(db);
      return createPostgresTextIndex({ db });
    },
    write: (work) => db.transaction().execute(work),
    async close() {
      await db.destroy();
      await server.stop();
    },
  };
};

describe.each([
  ['SQLite', startSqlite],
  ['PostgreSQL', startOnPostgres],
] as const)('full text on %s', (_name, start) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await start();
  });
  afterAll(() => engine.close());

  const open = async (texts: readonly string[] = []) => {
    const index = await engine.open();
    await engine.write(async (trx) => {
      for (const [i, body] of texts.entries()) await index.put(trx, i + 1, { body });
    });
    const find = async (question: string, allowed?: ReadonlySet<number>) =>
      (await index.search(question, { limit: 10, allowed })).map((hit) => hit.row_id);
    const put = (row: number, body: string, extra?: string) =>
      engine.write((trx) => index.put(trx, row, extra === undefined ? { body } : { body, extra }));
    const remove = (row: number) => engine.write((trx) => index.remove(trx, row));
    return { index, find, put, remove };
  };

  it('ranks the text that says it best first and scores it higher', async () => {
    const { index } = await open(['redis failover, redis sentinel', 'a note on redis', 'nothing here']);
    const hits = await index.search('redis sentinel', { limit: 10 });
    expect(hits.map((hit) => hit.row_id)).toEqual([1, 2]);
    expect(hits[0]!.score).toBeGreaterThan(hits[1]!.score);
  });

  it.each([
    ['kube-proxy', 'restart the kube-proxy daemonset'],
    ['10.0.3.7', 'the bastion is 10.0.3.7 since May'],
    ['11000', 'mongo said E11000 duplicate key'],
    ['nginx.conf', 'edit /etc/nginx/nginx.conf by hand'],
    ['wal size', 'set max_wal_size = 4GB'],
    ['crash looping pod', 'alert KubePodCrashLooping fired'],
    ['deploying', 'it deploys at noon'],
    ['cafe Zürich', 'lunch at the Café in ZURICH'],
    ['σοφός', 'ο ΣΟΦΌΣ'],
    ['が', 'これ が です'],
  ])('finds %s in "%s"', async (question, text) => {
    const { find } = await open(['other words entirely', text, 'something else again']);
    expect(await find(question)).toEqual([2]);
  });

  it('puts the whole name before the same parts elsewhere', async () => {
    const { find } = await open(['route 10.0.7.3 and 3.10.0.7', 'host 10.0.3.7 is down', 'use 7 of 10 and 0 or 3']);
    expect((await find('10.0.3.7'))[0]).toBe(2);
  });

  it('puts words side by side before the same words apart', async () => {
    const { find } = await open(['lease of the leader here', 'here the leader lease of', 'other']);
    expect(await find('leader lease')).toEqual([2, 1]);
  });

  it.each([
    ['kuberntes rollout', 'kubernetes upgrade plan'],
    ['postgrsql', 'postgresql vacuum settings'],
    ['deploymnt', 'the deployment window'],
    ['nginxx', 'nginx reload'],
  ])('survives the typo in "%s"', async (question, text) => {
    const { find } = await open(['unrelated', text]);
    expect(await find(question)).toContain(2);
  });

  it('corrects towards words stored after the word list was read', async () => {
    const { index, find, put } = await open(['first text about apples']);
    await index.warm();
    expect(await find('grafna')).toEqual([]);
    await put(2, 'grafana dashboards');
    expect(await find('grafna')).toEqual([2]);
  });

  it('replaces, counts and forgets records', async () => {
    const { index, find, put, remove } = await open(['alpha']);
    await put(1, 'beta');
    expect([await find('alpha'), await find('beta'), await index.count()]).toEqual([[], [1], 1]);
    await remove(1);
    await remove(99);
    expect([await find('beta'), await index.count()]).toEqual([[], 0]);
  });

  it('leaves nothing of a transaction that failed', async () => {
    const { index, find } = await open(['alpha']);
    const failing = engine.write(async (trx) => {
      await index.put(trx, 1, { body: 'beta' });
      await index.put(trx, 2, { body: 'gamma' });
      throw new Error('changed its mind');
    });
    await expect(failing).rejects.toThrow('changed its mind');
    expect([await find('alpha'), await find('beta'), await find('gamma'), await index.count()]).toEqual([
      [1],
      [],
      [],
      1,
    ]);
  });

  it('counts what describes a record for less than its text', async () => {
    const { find, put } = await open();
    await put(1, 'plain words', 'kafka');
    await put(2, 'kafka words');
    expect(await find('kafka')).toEqual([2, 1]);
  });

  it('finds only what is allowed, and the best of it', async () => {
    const texts = Array.from({ length: 600 }, (_, i) =>
      i % 50 === 7 ? `backup note ${i}` : `backup backup backup ${i}`,
    );
    const { index, find } = await open(texts);
    const allowed = new Set(texts.flatMap((_, i) => (i % 50 === 7 ? [i + 1] : [])));
    const hits = await index.search('backup note', { limit: 10, allowed });
    expect(hits).toHaveLength(10);
    expect(hits.every((hit) => allowed.has(hit.row_id))).toBe(true);
    expect(await find('backup', new Set())).toEqual([]);
  });

  it('ignores a word that nearly every allowed record has, unless it is the only one', async () => {
    const texts = Array.from({ length: 200 }, (_, i) => (i < 100 ? `Ann: word${i}` : `Bob: word${i}`));
    texts[150] = 'Ann: met the dentist';
    const { find } = await open(texts);
    const allowed = new Set(Array.from({ length: 100 }, (_, i) => i + 1).concat(151));
    expect(await find('Ann dentist', allowed)).toEqual([151]);
    expect(await find('Ann', allowed)).toHaveLength(10);
    expect(await find('Ann dentist', new Set(Array.from({ length: 100 }, (_, i) => i + 1)))).toHaveLength(10);
  });

  it('takes whatever a person types as words, never as syntax', async () => {
    const { index } = await open(['alpha beta', 'NEAR the AND gate', 'body column']);
    const typed = fc.constantFrom(
      ...['"', '*', "'", "a' | 'b", 'a <-> b', ':*', '!a', '\\', 'NEAR(a b)', '\ud800', '\u0000', '('],
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), fc.string(), typed), async (text) => {
        expect(Array.isArray(await index.search(text, { limit: 5 }))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('indexes whatever a person stores', async () => {
    const { find, put } = await open();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        await put(1, `needle ${text}`, text);
        expect(await find('needle')).toEqual([1]);
      }),
      { numRuns: 200 },
    );
    await put(1, `needle ${'a'.repeat(5_000)} ${'ж'.repeat(9_000)} ${'w '.repeat(20_000)} tail`);
    expect([await find('tail'), await find('needle'), await find('a'.repeat(5_000))]).toEqual([[1], [1], [1]]);
  });

  it('knows how rare words and names are', async () => {
    const { index } = await open(['the kube-proxy', 'the kube', 'the rest', 'the end']);
    const rarity = await index.rarity(['the', 'kube', 'kube proxy', 'unheard', '"']);
    const of = (word: string) => rarity.get(word) ?? Number.NaN;
    expect(of('the')).toBeLessThan(of('kube'));
    expect(of('kube')).toBeLessThan(of('kube proxy'));
    expect(of('kube proxy')).toBeLessThan(of('unheard'));
    expect(of('the')).toBeGreaterThan(0);
    expect(rarity.has('"')).toBe(false);
  });

  it('finds nothing for questions without words, and nothing in an empty index', async () => {
    const { index, find, remove } = await open(['alpha']);
    for (const question of ['', '   ', '"*"', '()[]{}', '\u0000', '🙂']) expect(await find(question)).toEqual([]);
    await remove(1);
    expect([await find('alpha'), await index.count()]).toEqual([[], 0]);
  });
});

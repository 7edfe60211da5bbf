// What holds for the index on PostgreSQL alone: its arithmetic, its plans, and that what it remembers stays true.
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { Kysely, PostgresDialect, type RawBuilder, sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readSet } from '../../../../bench/retrieval/sets.ts';
import { type PostgresServer, startPostgres } from '../../../../scripts/engines/index.ts';
import { wordsOf } from '../names.ts';
import type { IndexedText } from '../port.ts';
import { frequencySql, idf, saturated } from './bm25.ts';
import { createPostgresTextIndex, textTablesDdl } from './index.ts';
import { lexemeOf } from './lexemes.ts';
import { candidatesSql, countSql } from './statements.ts';

let server: PostgresServer;
let db: Kysely<unknown>;
beforeAll(async () => {
  server = await startPostgres();
  const pool = new pg.Pool({ connectionString: server.url, max: 4 });
  // A connection may outlive the pool by a moment, and then learns that the server stops.
  pool.on('error', () => undefined);
  db = new Kysely({ dialect: new PostgresDialect({ pool }) });
  for (const statement of textTablesDdl) await sql.raw(statement).execute(db);
});
afterAll(async () => {
  await db.destroy();
  await server.stop();
});
beforeEach(() => sql`truncate memory_texts`.execute(db));

const write = async (texts: readonly IndexedText[], index = createPostgresTextIndex({ db })) => {
  await db.transaction().execute(async (trx) => {
    for (const [i, text] of texts.entries()) await index.put(trx, i + 1, text);
  });
  return index;
};

describe('frequency of a lexeme', () => {
  it('is the number of its positions, up to all that a tsvector holds', async () => {
    const counts = [1, 2, 3, 4, 5, 10, 50, 100, 200, 254, 255];
    await write(counts.map((count) => ({ body: `${'ka '.repeat(count)}kb`, extra: 'kb ka' })));
    const { rows } = await sql<{ frequency: number; phrase: number }>`
      select ${frequencySql(sql`'ka'::tsquery`)} as frequency, ${frequencySql(sql`'ka <-> kb'::tsquery`)} as phrase
      from memory_texts m order by row_id`.execute(db);
    counts.forEach((count, i) => {
      expect(rows[i]!.frequency).toBeCloseTo(Math.min(count, 255) + (count < 255 ? 0.6 : 0), 4);
      expect(rows[i]!.phrase).toBeCloseTo(1, 4);
    });
  });
});

// Words that are their own stems, hold no hidden parts and are no stop words.
const WORDS = ['ka', 'kb', 'kd', 'ke', 'kf', 'kg', 'kh', 'kk'];
const words = (max: number) => fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: max });

/** BM25 over plain arrays: what every answer is compared with. */
const referenceScores = (texts: readonly { body: string[]; extra: string[] }[], asked: readonly string[]) => {
  const lengthOf = (text: { body: string[]; extra: string[] }) => text.body.length + text.extra.length;
  const totals = {
    records: texts.length,
    mean_length: texts.reduce((all, text) => all + lengthOf(text), 0) / texts.length,
  };
  const occurrences = (list: string[], phrase: readonly string[]) =>
    list.filter((_, at) => phrase.every((word, i) => list[at + i] === word)).length;
  const bm25 = (phrase: readonly string[]) => {
    const frequencies = texts.map(({ body, extra }) => occurrences(body, phrase) + 0.6 * occurrences(extra, phrase));
    const rarity = idf(frequencies.filter((frequency) => frequency > 0).length, totals);
    return frequencies.map((frequency, i) =>
      frequency === 0 ? 0 : rarity * saturated(frequency, lengthOf(texts[i]!), totals),
    );
  };
  const unique = [...new Set(asked)];
  const single = unique.map((word) => bm25([word]));
  const found = unique.filter((_, i) => single[i]!.some((score) => score > 0));
  const pairs = found.slice(1).map((word, i) => bm25([found[i]!, word]));
  const sum = (lists: number[][], row: number) => lists.reduce((all, list) => all + list[row]!, 0);
  return texts.map((_, row) => sum(single, row) + 0.4 * sum(pairs, row));
};

describe('ranking', () => {
  it('is BM25, as worked out from the texts themselves', async () => {
    const corpus = fc.array(fc.record({ body: words(12), extra: fc.oneof(fc.constant<string[]>([]), words(4)) }), {
      minLength: 1,
      maxLength: 25,
    });
    await fc.assert(
      fc.asyncProperty(corpus, words(5), async (texts, asked) => {
        await sql`truncate memory_texts`.execute(db);
        const index = await write(texts.map(({ body, extra }) => ({ body: body.join(' '), extra: extra.join(' ') })));
        const hits = await index.search(asked.join(' '), { limit: 100 });
        const expected = referenceScores(texts, asked);
        const matching = texts.flatMap(({ body, extra }, i) =>
          [...body, ...extra].some((word) => asked.includes(word)) ? [i + 1] : [],
        );
        expect(hits.map((hit) => hit.row_id).sort((a, b) => a - b)).toEqual(matching);
        for (const { row_id, score } of hits) expect(score).toBeCloseTo(expected[row_id - 1]!, 4);
        for (let i = 1; i < hits.length; i++) expect(hits[i]!.score).toBeLessThanOrEqual(hits[i - 1]!.score);
      }),
      { numRuns: 60 },
    );
  });

  it('knows words by the stems that FTS5 knows them by', () => {
    const samples = ['notes', 'conversation'].map((name) =>
      readSet(new URL(`../../../../test/samples/retrieval/${name}`, import.meta.url).pathname),
    );
    const texts = samples.flatMap(({ memories, queries }) => [
      ...memories.map((memory) => memory.content),
      ...queries.map((query) => query.text),
    ]);
    const all = [...new Set([...wordsOf(texts.join('\n')), 'Ångström', 'naïve', 'ÉCOLE', 'йод', 'Σοφός'])];
    const fts = new DatabaseSync(':memory:');
    fts.exec(`create virtual table t using fts5(body, tokenize='porter unicode61 remove_diacritics 2');
      create virtual table v using fts5vocab(t, 'instance')`);
    const insert = fts.prepare('insert into t(rowid, body) values (?, ?)');
    for (const [i, word] of all.entries()) insert.run(i, word);
    const stems = fts.prepare('select doc, term from v order by doc').all();
    expect(all.length).toBeGreaterThan(300);
    expect(stems.map(({ doc, term }) => [all[Number(doc)], term])).toEqual(all.map((word) => [word, lexemeOf(word)]));
    fts.close();
  });
});

const LARGE = 30_000;
/** Many records at once, made on the server: `gamma` in all but a fifth, `beta` in a sixth, `rare` in each 97th. */
const fillLarge = (): Promise<unknown> =>
  sql`insert into memory_texts select i, (
      case when i % 5 = 0 then '''alpha'':1A ' else '''gamma'':1A ' end
      || case when i % 6 = 0 then '''beta'':2A ' else '''delta'':2A ' end || '''w' || i || ''':3A '
      || case when i % 97 = 0 then '''rare'':4A ' else '' end)::tsvector, 4, 0
    from generate_series(1, ${LARGE}) i`.execute(db);

describe('a large store', () => {
  it('is searched exactly where a word is rare, and answers where all are common', async () => {
    await fillLarge();
    const index = createPostgresTextIndex({ db });
    const [first] = await index.search('alpha beta rare', { limit: 3 });
    expect(first!.row_id % (5 * 6 * 97)).toBe(0);
    const common = await index.search('gamma', { limit: 3 });
    expect(common).toHaveLength(3);
    expect(common.every((hit) => hit.row_id % 5 !== 0)).toBe(true);
    const rarity = await index.rarity(['w77', 'rare', 'beta']);
    expect(rarity.get('w77')).toBeGreaterThan(rarity.get('rare')!);
    expect(rarity.get('rare')).toBeGreaterThan(rarity.get('beta')!);
  });

  it('is filtered in the same way whether few or many records are allowed', async () => {
    await fillLarge();
    const index = createPostgresTextIndex({ db });
    for (const [from, every] of [
      [100, 1],
      [0, 3],
      [19_000, 7],
    ] as const) {
      const rows = Array.from({ length: LARGE - from }, (_, i) => from + i + 1).filter(
        (row) => row % every === 1 % every,
      );
      const allowed = new Set(rows);
      const wanted = rows.find((row) => row > 20_000 && row % 5 === 0)!;
      const hits = await index.search(`w77 w${wanted} alpha`, { limit: 5, allowed });
      expect(hits[0]!.row_id).toBe(wanted);
      expect(hits).toHaveLength(5);
      expect(hits.every((hit) => allowed.has(hit.row_id))).toBe(true);
      expect(await index.search('alpha beta', { limit: 5, allowed })).toHaveLength(5);
    }
  });

  it('corrects typos from a list read in windows, and follows what others add', async () => {
    await fillLarge();
    const index = createPostgresTextIndex({ db });
    await index.warm();
    expect(await index.search('gamme alpha', { limit: 1 })).toHaveLength(1);
    const other = createPostgresTextIndex({ db });
    await db.transaction().execute((trx) => other.put(trx, LARGE + 1, { body: 'kubernetes' }));
    expect((await index.search('kubernets', { limit: 5 })).map((hit) => hit.row_id)).toEqual([LARGE + 1]);
  });
});

describe('plans', () => {
  const planOf = async (statement: RawBuilder<unknown>): Promise<string> => {
    const { rows } = await sql<{ 'QUERY PLAN': string }>`explain ${statement}`.execute(db);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  };
  const request = { choosing: [{ query: "'gamma'", weight: 1 }], scoring: [], limit: 10, phrases: [] };
  const totals = { records: LARGE, mean_length: 4 };

  it.each(['never analysed', 'analysed'])('read the index of words, however common a word is (%s)', async (state) => {
    await fillLarge();
    if (state === 'analysed') await sql`analyze memory_texts`.execute(db);
    const search = await planOf(candidatesSql({ ...request, source: { kind: 'index', allowed: undefined } }, totals));
    expect(search).toContain('Bitmap Index Scan on memory_texts_words');
    expect(await planOf(countSql(["'gamma'"], 10_000))).toContain('Bitmap Index Scan on memory_texts_words');
    expect(search).not.toContain('Seq Scan');
    const rows = await planOf(candidatesSql({ ...request, source: { kind: 'rows', rows: [1, 2, 3] } }, totals));
    expect(rows).toContain('Index Scan using memory_texts_pkey');
    expect(rows).not.toContain('Seq Scan');
  });
});

// Full text over SQLite: names and words are found, typos survived, filters exact, and what a person types is never syntax.
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { Kysely } from 'kysely';
import { describe, expect, it } from 'vitest';
import { nodeSqliteDialect } from '../sqlite/dialect.ts';
import { createFts5Index, textIndexDdl } from './fts5.ts';
import type { IndexedText } from './port.ts';

const open = async (texts: readonly string[] = []) => {
  const db = new DatabaseSync(':memory:');
  for (const statement of textIndexDdl) db.exec(statement);
  const index = createFts5Index(db);
  const trx = new Kysely<unknown>({ dialect: nodeSqliteDialect(db, ':memory:') });
  const put = (rowId: number, text: IndexedText) => index.put(trx, rowId, text);
  db.exec('begin');
  for (const [i, body] of texts.entries()) await put(i + 1, { body });
  db.exec('commit');
  const find = async (question: string) => (await index.search(question, { limit: 10 })).map((hit) => hit.row_id);
  return { db, index, find, put, remove: (rowId: number) => index.remove(trx, rowId) };
};

describe('fts5 index', () => {
  it('ranks the text that says it best first and scores it higher', async () => {
    const { index } = await open(['redis failover, redis sentinel', 'a note on redis', 'nothing here']);
    const hits = await index.search('redis sentinel', { limit: 10 });
    expect(hits.map((hit) => hit.row_id)).toEqual([1, 2]);
    expect(hits[0]!.score).toBeGreaterThan(hits[1]!.score);
  });

  it.each([
    ['kube-proxy', 'restart the kube-proxy daemonset'],
    ['10.0.3.7', 'the bastion is 10.0.3.7 since May'],
    ['E11000', 'mongo said E11000 duplicate key'],
    ['11000', 'mongo said E11000 duplicate key'],
    ['/etc/nginx/nginx.conf', 'edit /etc/nginx/nginx.conf by hand'],
    ['nginx.conf', 'edit /etc/nginx/nginx.conf by hand'],
    ['--no-cache', 'docker build --no-cache .'],
    ['max_wal_size', 'set max_wal_size = 4GB'],
    ['wal size', 'set max_wal_size = 4GB'],
    ['camelCaseThing', 'the camelCaseThing broke'],
    ['camel thing', 'the camelCaseThing broke'],
    ['foo.bar.baz()', 'call foo.bar.baz() twice'],
    ['bar', 'call foo.bar.baz() twice'],
    ['KubePodCrashLooping', 'alert KubePodCrashLooping fired'],
    ['crash looping pod', 'alert KubePodCrashLooping fired'],
  ])('finds the name %s in "%s"', async (question, text) => {
    const { find } = await open(['other words entirely', text, 'something else again']);
    expect(await find(question)).toEqual([2]);
  });

  it('puts the whole name before the same parts elsewhere', async () => {
    const { find } = await open(['route 10.0.7.3 and 3.10.0.7', 'host 10.0.3.7 is down', 'use 7 of 10 and 0 or 3']);
    expect((await find('10.0.3.7'))[0]).toBe(2);
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
    const { put, find } = await open(['first text about apples']);
    expect(await find('grafna')).toEqual([]);
    await put(2, { body: 'grafana dashboards' });
    expect(await find('grafna')).toEqual([2]);
  });

  it('replaces and forgets records', async () => {
    const { index, put, remove, find } = await open(['alpha']);
    await put(1, { body: 'beta' });
    expect(await find('alpha')).toEqual([]);
    expect(await find('beta')).toEqual([1]);
    expect(await index.count()).toBe(1);
    await remove(1);
    await remove(99);
    expect(await find('beta')).toEqual([]);
    expect(await index.count()).toBe(0);
  });

  it('counts what describes a record for less than its text', async () => {
    const { put, find } = await open();
    await put(1, { body: 'plain words', extra: 'kafka' });
    await put(2, { body: 'kafka words' });
    expect(await find('kafka')).toEqual([2, 1]);
  });

  it('keeps the true best of a filter, however rare the allowed records', async () => {
    const texts = Array.from({ length: 3000 }, (_, i) =>
      i % 100 === 7 ? `backup note ${i}` : `backup backup backup ${i}`,
    );
    const { index } = await open(texts);
    const allowed = new Set(texts.flatMap((_, i) => (i % 100 === 7 ? [i + 1] : [])));
    const hits = await index.search('backup note', { limit: 10, allowed });
    expect(hits).toHaveLength(10);
    expect(hits.every((hit) => allowed.has(hit.row_id))).toBe(true);
    expect(await index.search('backup', { limit: 10, allowed: new Set() })).toEqual([]);
  });

  it('filters in the same way when the allowed set is large', async () => {
    const texts = Array.from({ length: 25_000 }, (_, i) => `disk ${i % 5 === 0 ? 'full' : 'fine'} w${i}`);
    const { index } = await open(texts);
    const allowed = new Set(texts.map((_, i) => i + 1).slice(100));
    const hits = await index.search('w77 w20000 full', { limit: 5, allowed });
    expect(hits[0]!.row_id).toBe(20_001);
    expect(hits).toHaveLength(5);
    expect(hits.every((hit) => allowed.has(hit.row_id))).toBe(true);
  });

  it('ignores a word that nearly every allowed record has', async () => {
    const texts = Array.from({ length: 200 }, (_, i) => (i < 100 ? `Ann: word${i}` : `Bob: word${i}`));
    texts[150] = 'Ann: met the dentist';
    const { index } = await open(texts);
    const allowed = new Set(Array.from({ length: 100 }, (_, i) => i + 1).concat(151));
    const hits = await index.search('Ann dentist', { limit: 10, allowed });
    expect(hits.map((hit) => hit.row_id)).toEqual([151]);
    expect(await index.search('Ann', { limit: 10, allowed })).toHaveLength(10);
  });

  it('takes whatever a person types as words, never as syntax', async () => {
    const { index } = await open(['alpha beta', 'NEAR the AND gate', 'body column']);
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string(),
          fc.constantFrom(
            '"',
            '*',
            'NEAR(a b)',
            'body:x',
            '-a',
            'AND',
            'a AND',
            '(',
            '\ud800',
            '\u0000',
            'a"b',
            '{body}: x',
            '^a',
            '+',
          ),
        ),
        async (text) => {
          expect(Array.isArray(await index.search(text, { limit: 5 }))).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('indexes whatever a person stores', async () => {
    const { index, db, put } = await open();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        await put(1, { body: `needle ${text}`, extra: text });
        expect(await index.search('needle', { limit: 1 })).toHaveLength(1);
      }),
      { numRuns: 300 },
    );
    expect(db.prepare(`insert into memory_fts(memory_fts) values ('integrity-check')`).run().changes).toBeDefined();
  });

  it('stays exact where common words are many, and answers where all are common', async () => {
    const { index } = await open(
      Array.from({ length: 30_000 }, (_, at) => {
        const i = at + 1;
        return `${i % 5 === 0 ? 'alpha' : 'gamma'} ${i % 6 === 0 ? 'beta' : 'delta'} w${i} ${i % 97 === 0 ? 'rare' : ''}`;
      }),
    );
    const [first] = await index.search('alpha beta rare', { limit: 3 });
    expect(first!.row_id % (5 * 6 * 97)).toBe(0);
    const common = await index.search('gamma', { limit: 3 });
    expect(common).toHaveLength(3);
    expect(common.every((hit) => hit.row_id % 5 !== 0)).toBe(true);
  });
});

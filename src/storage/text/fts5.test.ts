import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFts5Index, textIndexDdl } from './fts5.ts';

const open = (texts: readonly string[] = []) => {
  const db = new DatabaseSync(':memory:');
  for (const statement of textIndexDdl) db.exec(statement);
  const index = createFts5Index(db);
  for (const [i, body] of texts.entries()) index.put(i + 1, { body });
  return { db, index, find: (question: string) => index.search(question, { limit: 10 }).map((hit) => hit.row_id) };
};

describe('fts5 index', () => {
  it('ranks the text that says it best first and scores it higher', () => {
    const { index } = open(['redis failover, redis sentinel', 'a note on redis', 'nothing here']);
    const hits = index.search('redis sentinel', { limit: 10 });
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
  ])('finds the name %s in "%s"', (question, text) => {
    const { find } = open(['other words entirely', text, 'something else again']);
    expect(find(question)).toEqual([2]);
  });

  it('puts the whole name before the same parts elsewhere', () => {
    const { find } = open(['route 10.0.7.3 and 3.10.0.7', 'host 10.0.3.7 is down', 'use 7 of 10 and 0 or 3']);
    expect(find('10.0.3.7')[0]).toBe(2);
  });

  it.each([
    ['kuberntes rollout', 'kubernetes upgrade plan'],
    ['postgrsql', 'postgresql vacuum settings'],
    ['deploymnt', 'the deployment window'],
    ['nginxx', 'nginx reload'],
  ])('survives the typo in "%s"', (question, text) => {
    const { find } = open(['unrelated', text]);
    expect(find(question)).toContain(2);
  });

  it('corrects towards words stored after the word list was read', () => {
    const { index, find } = open(['first text about apples']);
    expect(find('grafna')).toEqual([]);
    index.put(2, { body: 'grafana dashboards' });
    expect(find('grafna')).toEqual([2]);
  });

  it('replaces and forgets records', () => {
    const { index, find } = open(['alpha']);
    index.put(1, { body: 'beta' });
    expect(find('alpha')).toEqual([]);
    expect(find('beta')).toEqual([1]);
    index.remove(1);
    index.remove(99);
    expect(find('beta')).toEqual([]);
  });

  it('counts what describes a record for less than its text', () => {
    const { index } = open();
    index.put(1, { body: 'plain words', extra: 'kafka' });
    index.put(2, { body: 'kafka words' });
    expect(index.search('kafka', { limit: 5 }).map((hit) => hit.row_id)).toEqual([2, 1]);
  });

  it('keeps the true best of a filter, however rare the allowed records', () => {
    const texts = Array.from({ length: 3000 }, (_, i) =>
      i % 100 === 7 ? `backup note ${i}` : `backup backup backup ${i}`,
    );
    const { index } = open(texts);
    const allowed = new Set(texts.flatMap((_, i) => (i % 100 === 7 ? [i + 1] : [])));
    const hits = index.search('backup note', { limit: 10, allowed });
    expect(hits).toHaveLength(10);
    expect(hits.every((hit) => allowed.has(hit.row_id))).toBe(true);
    expect(index.search('backup', { limit: 10, allowed: new Set() })).toEqual([]);
  });

  it('filters in the same way when the allowed set is large', () => {
    const texts = Array.from({ length: 25_000 }, (_, i) => `disk ${i % 5 === 0 ? 'full' : 'fine'} w${i}`);
    const { db, index } = open();
    db.exec('begin');
    for (const [i, body] of texts.entries()) index.put(i + 1, { body });
    db.exec('commit');
    const allowed = new Set(texts.map((_, i) => i + 1).slice(100));
    const hits = index.search('w77 w20000 full', { limit: 5, allowed });
    expect(hits[0]!.row_id).toBe(20_001);
    expect(hits).toHaveLength(5);
    expect(hits.every((hit) => allowed.has(hit.row_id))).toBe(true);
  });

  it('ignores a word that nearly every allowed record has', () => {
    const texts = Array.from({ length: 200 }, (_, i) => (i < 100 ? `Ann: word${i}` : `Bob: word${i}`));
    texts[150] = 'Ann: met the dentist';
    const { index } = open(texts);
    const allowed = new Set(Array.from({ length: 100 }, (_, i) => i + 1).concat(151));
    expect(index.search('Ann dentist', { limit: 10, allowed }).map((hit) => hit.row_id)).toEqual([151]);
    expect(index.search('Ann', { limit: 10, allowed }).length).toBe(10);
  });

  it('takes whatever a person types as words, never as syntax', () => {
    const { index } = open(['alpha beta', 'NEAR the AND gate', 'body column']);
    fc.assert(
      fc.property(
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
        (text) => {
          expect(Array.isArray(index.search(text, { limit: 5 }))).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('indexes whatever a person stores', () => {
    const { index, db } = open();
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        index.put(1, { body: `needle ${text}`, extra: text });
        expect(index.search('needle', { limit: 1 })).toHaveLength(1);
      }),
      { numRuns: 300 },
    );
    expect(db.prepare(`insert into memory_fts(memory_fts) values ('integrity-check')`).run().changes).toBeDefined();
  });

  it('stays exact where common words are many, and answers where all are common', () => {
    const { db, index } = open();
    db.exec('begin');
    for (let i = 1; i <= 30_000; i++)
      index.put(i, {
        body: `${i % 5 === 0 ? 'alpha' : 'gamma'} ${i % 6 === 0 ? 'beta' : 'delta'} w${i} ${i % 97 === 0 ? 'rare' : ''}`,
      });
    db.exec('commit');
    const [first] = index.search('alpha beta rare', { limit: 3 });
    expect(first!.row_id % (5 * 6 * 97)).toBe(0);
    const common = index.search('gamma', { limit: 3 });
    expect(common).toHaveLength(3);
    expect(common.every((hit) => hit.row_id % 5 !== 0)).toBe(true);
  });

  it('knows how rare words and names are', () => {
    const { index } = open(['the kube-proxy', 'the kube', 'the rest', 'the end']);
    const rarity = index.rarity(['the', 'kube', 'kube proxy', 'unheard', '"']);
    const of = (word: string) => rarity.get(word) ?? Number.NaN;
    expect(of('the')).toBeLessThan(of('kube'));
    expect(of('kube')).toBeLessThan(of('kube proxy'));
    expect(of('kube proxy')).toBeLessThan(of('unheard'));
    expect(of('the')).toBeGreaterThan(0);
    expect(rarity.has('"')).toBe(false);
  });

  it('finds nothing for questions without words', () => {
    const { find } = open(['alpha']);
    for (const question of ['', '   ', '"*"', '()[]{}', '\u0000', '🙂']) expect(find(question)).toEqual([]);
  });
});

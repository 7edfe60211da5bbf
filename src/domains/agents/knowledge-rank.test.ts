// One list of what an agent knows, from memories and tasks.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Known, rankKnown, shareOfWords } from './knowledge-rank.ts';

const BASE = { text: '', machine_id: 'm', at: '2026-01-01T00:00:00.000Z' } as const;
const memory = (id: string, score: number, task_id?: string): Known => ({
  ...BASE,
  kind: 'memory',
  id,
  score,
  task_id,
});
const task = (id: string, score: number): Known => ({ ...BASE, kind: 'task', id, score });

test('words count by their stems, and only those that say something', () => {
  expect(shareOfWords('heap optimization', 'Optimized the heap')).toBe(1);
  expect(shareOfWords('heap optimization', 'The disk is full')).toBe(0);
  expect(shareOfWords('is it on', 'it is on')).toBe(0);
});

test('the memory of a task stands behind the task, which gets its score', () => {
  const order = rankKnown([memory('m1', 0.9, 't1'), memory('m2', 0.5), task('t1', 0.2), task('t2', 0)], 10);
  expect(order.map(({ id, score }) => [id, score])).toEqual([
    ['t1', 0.9],
    ['m2', 0.5],
  ]);
  // Where the caller does not see the task, what was learned from it is still there.
  expect(rankKnown([memory('m1', 0.9, 't1')], 10).map(({ id }) => id)).toEqual(['m1']);
});

test('best first, each once, no more than asked for', () => {
  const score = fc.double({ min: 0, max: 1, noNaN: true });
  const some = fc.uniqueArray(fc.record({ id: fc.nat({ max: 50 }), score, task: fc.boolean() }), {
    selector: ({ id }) => id,
  });
  fc.assert(
    fc.property(some, fc.integer({ min: 1, max: 20 }), (made, limit) => {
      const all = made.map(({ id, score: value, task: isTask }) =>
        isTask ? task(`t${id}`, value) : memory(`m${id}`, value),
      );
      const order = rankKnown(all, limit);
      expect(order.length).toBe(Math.min(limit, all.filter((known) => known.score > 0).length));
      expect(new Set(order.map(({ id }) => id)).size).toBe(order.length);
      const scores = order.map((known) => known.score);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    }),
  );
});

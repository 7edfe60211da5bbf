import { describe, expect, it } from 'vitest';
import { mean, measure, percentile } from './metrics.ts';

describe('measures', () => {
  it('agree with figures worked out by hand', () => {
    const grades = new Map([
      [1, 2],
      [2, 1],
    ]);
    const measures = measure([9, 1, 8, 7, 6, 2], grades);
    const ideal = 2 + 1 / Math.log2(3);
    expect(measures.ndcg_10).toBeCloseTo((2 / Math.log2(3) + 1 / Math.log2(7)) / ideal, 9);
    expect(measures).toMatchObject({ recall_5: 0.5, recall_10: 1, hit_5: 1, hit_10: 1, mrr: 0.5 });
  });
  it('give nothing for an empty answer, and means over questions', () => {
    const none = measure([], new Map([[1, 1]]));
    expect(Object.values(none)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(mean([none, measure([1], new Map([[1, 1]]))]).ndcg_10).toBe(0.5);
    expect(percentile([3, 1, 2], 0.5)).toBe(2);
  });
});

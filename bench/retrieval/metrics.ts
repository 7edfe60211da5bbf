// The measures of a ranking, each a mean over the questions of a set.

export type Measures = {
  readonly ndcg_10: number;
  readonly recall_5: number;
  readonly recall_10: number;
  /** Share of questions with any right answer in the first five. */
  readonly hit_5: number;
  readonly hit_10: number;
  readonly mrr: number;
};

export const DEPTH = 10;

const discounted = (gains: readonly number[]): number =>
  gains.slice(0, DEPTH).reduce((sum, gain, index) => sum + gain / Math.log2(index + 2), 0);

/** Measures of one answer: ranked rows against the grades of the right ones (linear gain, MRR of any right one). */
export const measure = (ranked: readonly number[], grades: ReadonlyMap<number, number>): Measures => {
  const right = (depth: number): number => ranked.slice(0, depth).filter((row) => grades.has(row)).length;
  const ideal = discounted([...grades.values()].sort((a, b) => b - a));
  const first = ranked.slice(0, DEPTH).findIndex((row) => grades.has(row));
  return {
    ndcg_10: discounted(ranked.map((row) => grades.get(row) ?? 0)) / ideal,
    recall_5: right(5) / grades.size,
    recall_10: right(10) / grades.size,
    hit_5: right(5) > 0 ? 1 : 0,
    hit_10: right(10) > 0 ? 1 : 0,
    mrr: first >= 0 ? 1 / (first + 1) : 0,
  };
};

export const mean = (all: readonly Measures[]): Measures => {
  const of = (key: keyof Measures): number => all.reduce((sum, each) => sum + each[key], 0) / (all.length || 1);
  return {
    ndcg_10: of('ndcg_10'),
    recall_5: of('recall_5'),
    recall_10: of('recall_10'),
    hit_5: of('hit_5'),
    hit_10: of('hit_10'),
    mrr: of('mrr'),
  };
};

/** The value below which `share` of the numbers lie. */
export const percentile = (numbers: readonly number[], share: number): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
};

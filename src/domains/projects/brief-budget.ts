// How a brief is cut to its budget: sections share it by weight, what one does not need goes to the others.

/** A section before it is cut: items in the order in which they are worth reading. */
export interface FullSection<Item> {
  readonly name: string;
  /** Share of the budget against that of other sections; above 0. */
  readonly weight: number;
  /** What stands in the place of items, or beside them. */
  readonly note: string | null;
  readonly items: readonly Item[];
  /** How many there are in all; items may be only the first of them. */
  readonly total: number;
}

export interface CutSection<Item> {
  readonly name: string;
  readonly note: string | null;
  /** The first of the section's items. */
  readonly items: readonly Item[];
  /** Those that are not shown, of all there are. */
  readonly left_out: number;
}

export interface CutBrief<Item> {
  readonly sections: readonly CutSection<Item>[];
  /** What it costs, by the same measure as the budget. */
  readonly cost: number;
}

/**
 * Cuts sections to a budget. Each section costs its heading and note in any case; the rest is shared by weight, and a
 * section that needs less than its share leaves the rest of it to the others, by weight again (max-min fairness with
 * weights, by progressive filling: Bertsekas and Gallager, Data Networks, section 6.5.2). Items are taken from the front
 * and never in part; what the last item of each section does not fill goes to sections in their order. The cost exceeds
 * the budget only where headings alone do.
 */
export function cutBrief<Item>(
  sections: readonly FullSection<Item>[],
  budget: number,
  costOf: { readonly heading: (section: FullSection<Item>) => number; readonly item: (item: Item) => number },
): CutBrief<Item> {
  const headings = sections.reduce((sum, section) => sum + costOf.heading(section), 0);
  const costs = sections.map(({ items }) => items.map(costOf.item));
  const shares = shared(
    sections.map(({ weight }) => weight),
    costs.map((items) => items.reduce((sum, cost) => sum + cost, 0)),
    Math.max(0, budget - headings),
  );
  const shown = costs.map((items, at) => fitting(items, 0, shares[at] ?? 0));
  let left = budget - headings - costs.reduce((sum, items, at) => sum + total(items.slice(0, shown[at])), 0);
  for (const [at, items] of costs.entries()) {
    const from = shown[at] ?? 0;
    const to = fitting(items, from, left);
    left -= total(items.slice(from, to));
    shown[at] = to;
  }
  return {
    sections: sections.map(({ name, note, items, total: all }, at) => {
      const count = shown[at] ?? 0;
      return { name, note, items: items.slice(0, count), left_out: Math.max(all, items.length) - count };
    }),
    cost: headings + costs.reduce((sum, items, at) => sum + total(items.slice(0, shown[at])), 0),
  };
}

/** What each gets of `budget` where none gets more than it needs. */
export function shared(weights: readonly number[], needs: readonly number[], budget: number): number[] {
  const shares = needs.map(() => 0);
  const open = new Set(needs.keys());
  let left = budget;
  while (open.size > 0) {
    const weight = [...open].reduce((sum, at) => sum + (weights[at] ?? 0), 0);
    const fair = (at: number) => (left * (weights[at] ?? 0)) / weight;
    const content = [...open].filter((at) => (needs[at] ?? 0) <= fair(at));
    if (content.length === 0) {
      for (const at of open) shares[at] = fair(at);
      break;
    }
    for (const at of content) {
      shares[at] = needs[at] ?? 0;
      open.delete(at);
    }
    left = Math.max(0, budget - total(shares));
  }
  return shares;
}

/** Index after the last item from `from` on that fits one after the other. */
function fitting(costs: readonly number[], from: number, budget: number): number {
  let used = 0;
  for (let at = from; at < costs.length; at++) {
    used += costs[at] ?? 0;
    if (used > budget) return at;
  }
  return Math.max(from, costs.length);
}

function total(costs: readonly number[]): number {
  return costs.reduce((sum, cost) => sum + cost, 0);
}

// Cutting a brief: it fits, keeps what comes first, counts what it leaves out, and wastes nothing.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutBrief, type FullSection, shared } from './brief-budget.ts';

const HEADING = 3;
/** An item is its own cost. */
const costOf = { heading: () => HEADING, item: (cost: number) => cost };

const section = fc
  .record({
    name: fc.string({ maxLength: 5 }),
    weight: fc.integer({ min: 1, max: 9 }),
    note: fc.option(fc.string({ maxLength: 5 })),
    items: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 12 }),
    unread: fc.nat(20),
  })
  .map(({ unread, ...rest }): FullSection<number> => ({ ...rest, total: rest.items.length + unread }));
const sections = fc.array(section, { maxLength: 9 });
const budget = fc.integer({ min: 0, max: 800 });

const sum = (costs: readonly number[]) => costs.reduce((all, cost) => all + cost, 0);

test('fits the budget wherever the headings do, and says what it costs', () => {
  fc.assert(
    fc.property(sections, budget, (full, most) => {
      const cut = cutBrief(full, most, costOf);
      const headings = HEADING * full.length;
      expect(cut.cost).toBe(headings + sum(cut.sections.flatMap(({ items }) => items)));
      expect(cut.cost).toBeLessThanOrEqual(Math.max(most, headings));
    }),
  );
});

test('shows the first items of each section and counts the rest', () => {
  fc.assert(
    fc.property(sections, budget, (full, most) => {
      const cut = cutBrief(full, most, costOf);
      expect(cut.sections.map(({ name, note }) => ({ name, note }))).toEqual(
        full.map(({ name, note }) => ({ name, note })),
      );
      for (const [at, { items, left_out }] of cut.sections.entries()) {
        expect(items).toEqual(full[at]!.items.slice(0, items.length));
        expect(items.length + left_out).toBe(full[at]!.total);
      }
    }),
  );
});

test('leaves nothing out that would have fitted', () => {
  fc.assert(
    fc.property(sections, budget, (full, most) => {
      const cut = cutBrief(full, most, costOf);
      for (const [at, { items }] of cut.sections.entries()) {
        const next = full[at]!.items[items.length];
        if (next !== undefined) expect(cut.cost + next).toBeGreaterThan(most);
      }
    }),
  );
});

test('shares are fair: who wants more than its share gets no less than anybody for its weight', () => {
  const claims = fc.array(fc.record({ weight: fc.integer({ min: 1, max: 9 }), need: fc.nat(500) }), { minLength: 1 });
  fc.assert(
    fc.property(claims, fc.nat(2_000), (all, most) => {
      const shares = shared(
        all.map(({ weight }) => weight),
        all.map(({ need }) => need),
        most,
      );
      const given = sum(shares);
      expect(given).toBeLessThanOrEqual(most + 1e-6);
      expect(given).toBeCloseTo(Math.min(most, sum(all.map(({ need }) => need))), 6);
      for (const [at, { need, weight }] of all.entries()) {
        expect(shares[at]).toBeLessThanOrEqual(need + 1e-9);
        if (shares[at]! < need - 1e-6)
          for (const [other, { weight: theirs }] of all.entries())
            expect(shares[at]! / weight).toBeGreaterThanOrEqual(shares[other]! / theirs - 1e-6);
      }
    }),
  );
});

test('a section with little to say leaves its share to the others', () => {
  const full = [
    { name: 'few', weight: 5, note: null, items: [10], total: 1 },
    { name: 'many', weight: 1, note: null, items: Array.from({ length: 20 }, () => 10), total: 40 },
  ];
  const cut = cutBrief(full, 106, costOf);
  expect(cut.sections.map(({ items, left_out }) => [items.length, left_out])).toEqual([
    [1, 0],
    [9, 31],
  ]);
});

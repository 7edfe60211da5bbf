// The order of a file and the edges that are left out, against a reference that tries every edge by walking everything.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arrange } from './arrange.ts';
import { createBuilder, type Item } from './item.ts';

interface Given {
  readonly parent: number | null;
  readonly waits: readonly number[];
  readonly over: boolean;
}

const given = fc.array(
  fc.record({
    parent: fc.option(fc.nat(11), { freq: 2 }),
    waits: fc.uniqueArray(fc.nat(11), { maxLength: 4 }),
    over: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

function boardOf(all: readonly Given[]) {
  const builder = createBuilder();
  for (const [i, { parent, waits, over }] of all.entries())
    builder.add({
      ...{ external_id: `t:${i}`, title: `T${i}`, status: over ? 'done' : 'todo' },
      parent: parent === null ? null : `t:${parent}`,
      depends_on: waits.map((n) => `t:${n}`),
    });
  return builder.board();
}

/** Whether some task could never be finished: done in rounds, each finishing whatever waits for nothing unfinished. */
function isStuck(items: readonly Item[]): boolean {
  const known = new Map(items.map((item) => [item.external_id, item]));
  const begun = new Set<string>();
  const ended = new Set<string>();
  for (let progress = true; progress; ) {
    progress = false;
    for (const { external_id: id, parent, depends_on } of items) {
      const gate = parent === null || !known.has(parent) || begun.has(parent);
      if (!begun.has(id) && gate && depends_on.every((on) => !known.has(on) || ended.has(on))) {
        begun.add(id);
        progress = true;
      }
      const parts = items.filter((item) => item.parent === id);
      if (begun.has(id) && !ended.has(id) && parts.every((one) => ended.has(one.external_id))) {
        ended.add(id);
        progress = true;
      }
    }
  }
  return ended.size < items.length;
}

test('what is left can be done to the end, and each edge that was left out would have made that impossible', () => {
  fc.assert(
    fc.property(given, (all) => {
      const board = boardOf(all);
      const { items, problems } = arrange(board);
      const kept = items.map(({ item }) => item);
      expect(kept).toHaveLength(all.length);
      expect(isStuck(kept)).toBe(false);
      let left = 0;
      for (const { item: before } of board.items) {
        const after = kept.find(({ external_id }) => external_id === before.external_id);
        for (const on of before.depends_on) {
          if (after?.depends_on.includes(on)) continue;
          left++;
          const back = kept.map((item) => (item === after ? { ...item, depends_on: [...item.depends_on, on] } : item));
          expect(isStuck(back)).toBe(true);
        }
        if (after?.parent !== before.parent) left++;
      }
      expect(problems).toHaveLength(left);
    }),
    { numRuns: 500 },
  );
});

test('nothing refers to what comes after it', () => {
  fc.assert(
    fc.property(given, (all) => {
      const { items } = arrange(boardOf(all));
      const names = new Set(items.map(({ item }) => item.external_id));
      const seen = new Set<string>();
      for (const { item } of items) {
        for (const on of [...item.depends_on, ...(item.parent === null ? [] : [item.parent])])
          expect(seen.has(on) || !names.has(on)).toBe(true);
        seen.add(item.external_id);
      }
    }),
  );
});

test('a chain as long as a file is no trouble', () => {
  const builder = createBuilder();
  const count = 20_000;
  for (let i = 0; i < count; i++)
    builder.add({ external_id: `t:${i}`, title: `T${i}`, depends_on: i + 1 < count ? [`t:${i + 1}`] : [] });
  const { items, problems } = arrange(builder.board());
  expect(problems).toEqual([]);
  expect(items[0]?.item.external_id).toBe(`t:${count - 1}`);
});

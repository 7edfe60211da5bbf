// Puts the items of a file in an order in which each can be made with all it refers to, and leaves out what would make
// tasks wait for each other for ever.
//
// What waits for what is as in graph/cycles.ts: a task begins (its gate) after the ends of its dependencies and the gate
// of its story; it ends after its gate and the ends of its parts.
import { isOver } from '../statuses.ts';
import { type Edges, reaches, tangled } from './components.ts';
import type { Board, Item, Placed, Problem } from './item.ts';

export interface Arranged {
  /** Parents before parts, dependencies before what depends on them. */
  readonly items: readonly Placed[];
  readonly problems: readonly Problem[];
}

export function arrange(board: Board): Arranged {
  const problems: Problem[] = [];
  const items = new Map(
    board.items.map((placed) => [placed.item.external_id, { ...placed, item: { ...placed.item } }]),
  );
  leaveOutParents(items, problems);
  leaveOutDependencies(items, problems);
  return { items: ordered(items), problems };
}

type Items = Map<string, { item: Item; line?: number | undefined }>;

/** A parent that is below its part, that is the part itself, or that is over while the part is not. */
function leaveOutParents(items: Items, problems: Problem[]): void {
  const circles = circlesOf(items);
  for (const { item, line } of items.values()) {
    if (item.parent === null) continue;
    const parent = items.get(item.parent)?.item;
    const circle = circles.get(item.external_id);
    if (circle) {
      problems.push({
        line,
        item: item.external_id,
        message: `is part of itself (${named(circle)}); it was taken out of ${item.parent}`,
      });
      item.parent = null;
    } else if (parent && isOver(parent.status) && !isOver(item.status)) {
      problems.push({
        line,
        item: item.external_id,
        message: `is open while ${item.parent}, which it is a part of, is ${parent.status}; it stands alone`,
      });
      item.parent = null;
    }
  }
}

/** Circles of items that are parts of each other, each by its first item of the file. Every item is walked over once. */
function circlesOf(items: Items): ReadonlyMap<string, readonly string[]> {
  const place = new Map([...items.keys()].map((id, i) => [id, i]));
  const walkOf = new Map<string, number>();
  const circles = new Map<string, readonly string[]>();
  for (const [walk, start] of [...items.keys()].entries()) {
    const path: string[] = [];
    let at: string | null = start;
    for (; at !== null && items.has(at) && !walkOf.has(at); at = items.get(at)?.item.parent ?? null) {
      walkOf.set(at, walk);
      path.push(at);
    }
    if (at === null || walkOf.get(at) !== walk) continue;
    const around = path.slice(path.indexOf(at));
    const first = around.reduce((a, b) => ((place.get(b) ?? 0) < (place.get(a) ?? 0) ? b : a));
    const turn = around.indexOf(first);
    circles.set(first, [...around.slice(turn), ...around.slice(0, turn), first]);
  }
  return circles;
}

const NAMES_SHOWN_MAX_COUNT = 12;

function named(circle: readonly string[]): string {
  if (circle.length <= NAMES_SHOWN_MAX_COUNT) return circle.join(' > ');
  return [...circle.slice(0, NAMES_SHOWN_MAX_COUNT - 1), `… ${circle.length} in all`].join(' > ');
}

/**
 * Edges looked at in a tangle before the rest of what is in it is left out unasked. People's boards stay far below; for one
 * that is made to be tangled, nothing says which of its edges is the wrong one.
 */
const TANGLE_EDGES_MAX_COUNT = 3_000_000;

const gate = (id: string): string => `gate ${id}`;
const end = (id: string): string => `end ${id}`;

function leaveOutDependencies(items: Items, problems: Problem[]): void {
  const edges: Edges = new Map();
  const link = (from: string, to: string): void => {
    const known = edges.get(from);
    if (known) known.push(to);
    else edges.set(from, [to]);
  };
  for (const { item } of items.values()) {
    const { external_id: id, parent } = item;
    link(end(id), gate(id));
    if (parent === null || !items.has(parent)) continue;
    link(gate(id), gate(parent));
    link(end(parent), end(id));
  }
  const bare: Edges = new Map([...edges].map(([from, to]) => [from, [...to]]));
  for (const { item } of items.values())
    for (const on of item.depends_on) if (items.has(on)) link(gate(item.external_id), end(on));
  const group = tangled(edges);
  if (group.size === 0) return;
  // Only edges inside a tangle can be at fault: these are put back one by one, in the order of the file.
  const inside = (item: Item, on: string): boolean => {
    const own = group.get(gate(item.external_id));
    return own !== undefined && own === group.get(end(on));
  };
  const put = (item: Item, on: string): void => {
    const from = gate(item.external_id);
    const known = bare.get(from);
    if (known) known.push(end(on));
    else bare.set(from, [end(on)]);
  };
  for (const { item } of items.values())
    for (const on of item.depends_on) if (items.has(on) && !inside(item, on)) put(item, on);
  const budget = { edges: TANGLE_EDGES_MAX_COUNT };
  for (const { item, line } of items.values()) {
    item.depends_on = item.depends_on.filter((on) => {
      if (!items.has(on) || !inside(item, on)) return true;
      const path = reaches(bare, end(on), gate(item.external_id), budget);
      if (path === undefined) {
        put(item, on);
        return true;
      }
      const names = path.map((moment) => moment.slice(moment.indexOf(' ') + 1));
      const circle = [item.external_id, ...names].filter((name, i, all) => name !== all[i - 1]);
      const why = path.length === 0 ? 'is in a tangle of tasks' : `waits for itself (${named(circle)})`;
      problems.push({ line, item: item.external_id, message: `${why}; that it waits for ${on} was left out` });
      return false;
    });
  }
}

/** Depth first after what an item refers to; without recursion, for chains as long as the file. */
function ordered(items: Items): Placed[] {
  const out: Placed[] = [];
  const seen = new Set<string>();
  for (const start of items.keys()) {
    const stack: { id: string; left: string[] }[] = [];
    const enter = (id: string): void => {
      const placed = items.get(id);
      if (!placed || seen.has(id)) return;
      seen.add(id);
      const { parent, depends_on } = placed.item;
      stack.push({ id, left: [...depends_on, ...(parent === null ? [] : [parent])] });
    };
    enter(start);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const next = top.left.pop();
      if (next !== undefined) {
        enter(next);
        continue;
      }
      stack.pop();
      const placed = items.get(top.id);
      if (placed) out.push(placed);
    }
  }
  return out;
}

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
  for (const { item, line } of items.values()) {
    if (item.parent === null) continue;
    const parent = items.get(item.parent)?.item;
    const path = [item.external_id];
    let above: string | null = item.parent;
    while (above !== null && !path.includes(above)) {
      path.push(above);
      above = items.get(above)?.item.parent ?? null;
    }
    const circle = above === null ? [] : path.slice(path.indexOf(above));
    if (circle.includes(item.external_id)) {
      problems.push({
        line,
        item: item.external_id,
        message: `is part of itself (${[...circle, above].join(' > ')}); it was taken out of ${item.parent}`,
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
  for (const { item } of items.values())
    for (const on of item.depends_on)
      if (items.has(on) && !inside(item, on))
        bare.set(gate(item.external_id), [...(bare.get(gate(item.external_id)) ?? []), end(on)]);
  for (const { item, line } of items.values()) {
    item.depends_on = item.depends_on.filter((on) => {
      if (!items.has(on) || !inside(item, on)) return true;
      const path = reaches(bare, end(on), gate(item.external_id));
      if (path === undefined) {
        bare.set(gate(item.external_id), [...(bare.get(gate(item.external_id)) ?? []), end(on)]);
        return true;
      }
      const names = path.map((moment) => moment.slice(moment.indexOf(' ') + 1));
      const circle = [item.external_id, ...names].filter((name, i, all) => name !== all[i - 1]);
      problems.push({
        line,
        item: item.external_id,
        message: `waits for itself (${circle.join(' > ')}); that it waits for ${on} was left out`,
      });
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

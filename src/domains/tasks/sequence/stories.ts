// Which item of the top level comes when: stories, and the tasks that belong to none. A story waits where one of its tasks
// waits for something of another item.
import type { Moments } from './moments.ts';

export interface TopOrder {
  /** Of each item, by the index of its task: one more than the latest of those it waits for, from 1. */
  readonly stage: Int32Array;
  /** Items that both wait for others and hold them up, so that none comes first: they are done in turns, in one stage. */
  readonly mixed: ReadonlySet<number>;
}

interface Graph {
  readonly from: Int32Array;
  readonly after: Int32Array;
}

/** The top level as an acyclic graph: items that wait for each other count as one. */
export function orderTop({ root, edges }: Moments): TopOrder {
  const count = root.length;
  const graph = graphOf(count, root, edges);
  const { component, components } = componentsOf(count, root, graph);
  const base = new Int32Array(components);
  const members: number[][] = Array.from({ length: components }, () => []);
  for (let task = 0; task < count; task++) if (root[task] === task) members[component[task] ?? 0]?.push(task);
  const stage = new Int32Array(count);
  const mixed = new Set<number>();
  // Components come out last first.
  for (let c = components - 1; c >= 0; c--) {
    const items = members[c] ?? [];
    const level = (base[c] ?? 0) + 1;
    for (const item of items) {
      stage[item] = level;
      if (items.length > 1) mixed.add(item);
      for (let k = graph.from[item] ?? 0; k < (graph.from[item + 1] ?? 0); k++) {
        const next = component[graph.after[k] ?? 0] ?? 0;
        if (next !== c) base[next] = Math.max(base[next] ?? 0, level);
      }
    }
  }
  return { stage, mixed };
}

/** From item to item. */
function graphOf(count: number, root: Int32Array, edges: Int32Array): Graph {
  const from = new Int32Array(count + 1);
  const unit = (task: number | undefined) => root[task ?? 0] ?? 0;
  for (let k = 0; k < edges.length; k += 2) {
    const first = unit(edges[k]);
    if (first !== unit(edges[k + 1])) from[first + 1] = (from[first + 1] ?? 0) + 1;
  }
  for (let task = 0; task < count; task++) from[task + 1] = (from[task + 1] ?? 0) + (from[task] ?? 0);
  const next = from.slice();
  const after = new Int32Array(from[count] ?? 0);
  for (let k = 0; k < edges.length; k += 2) {
    const first = unit(edges[k]);
    const then = unit(edges[k + 1]);
    if (first === then) continue;
    after[next[first] ?? 0] = then;
    next[first] = (next[first] ?? 0) + 1;
  }
  return { from, after };
}

/**
 * Strongly connected components (R. Tarjan, "Depth-first search and linear graph algorithms", 1972), with a stack of its
 * own instead of recursion. A component is numbered after all that come after it.
 */
function componentsOf(count: number, root: Int32Array, { from, after }: Graph) {
  const index = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const cursor = from.slice();
  const component = new Int32Array(count).fill(-1);
  const open: number[] = [];
  const path: number[] = [];
  let visited = 0;
  let components = 0;
  const enter = (unit: number) => {
    index[unit] = low[unit] = visited++;
    open.push(unit);
    path.push(unit);
  };
  const leave = (unit: number) => {
    path.pop();
    const above = path.at(-1);
    if (above !== undefined) low[above] = Math.min(low[above] ?? 0, low[unit] ?? 0);
    if (low[unit] !== index[unit]) return;
    for (let member = open.pop(); member !== undefined; member = member === unit ? undefined : open.pop())
      component[member] = components;
    components++;
  };
  for (let start = 0; start < count; start++) {
    if (root[start] !== start || index[start] !== -1) continue;
    enter(start);
    for (let unit = path.at(-1); unit !== undefined; unit = path.at(-1)) {
      const k = cursor[unit] ?? 0;
      if (k >= (from[unit + 1] ?? 0)) {
        leave(unit);
        continue;
      }
      cursor[unit] = k + 1;
      const next = after[k] ?? 0;
      if (index[next] === -1) enter(next);
      else if (component[next] === -1) low[unit] = Math.min(low[unit] ?? 0, index[next] ?? 0);
    }
  }
  return { component, components };
}

// Parts of a graph in which everything leads to everything: where circles are.

/** From each node to where it leads. */
export type Edges = Map<string, string[]>;

/**
 * Nodes that lie on circles, each with the number of its strongly connected component. R. E. Tarjan, "Depth-First Search
 * and Linear Graph Algorithms", SIAM Journal on Computing 1 (1972), with a stack of its own in place of recursion.
 */
export function tangled(edges: Edges): Map<string, number> {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const found = new Map<string, number>();
  let components = 0;
  for (const start of edges.keys()) {
    if (index.has(start)) continue;
    const work: { node: string; next: number }[] = [];
    const enter = (node: string): void => {
      index.set(node, index.size);
      low.set(node, index.size - 1);
      open.push(node);
      isOpen.add(node);
      work.push({ node, next: 0 });
    };
    const lower = (node: string, to: number | undefined): void => {
      low.set(node, Math.min(low.get(node) ?? 0, to ?? Number.POSITIVE_INFINITY));
    };
    enter(start);
    for (let top = work.at(-1); top; top = work.at(-1)) {
      const to = edges.get(top.node)?.[top.next++];
      if (to !== undefined) {
        if (!index.has(to)) enter(to);
        else if (isOpen.has(to)) lower(top.node, index.get(to));
        continue;
      }
      work.pop();
      const above = work.at(-1);
      if (above) lower(above.node, low.get(top.node));
      if (low.get(top.node) !== index.get(top.node)) continue;
      const members = open.splice(open.lastIndexOf(top.node));
      for (const node of members) isOpen.delete(node);
      if (members.length > 1 || edges.get(top.node)?.includes(top.node)) {
        for (const node of members) found.set(node, components);
        components++;
      }
    }
  }
  return found;
}

/**
 * A way from one node to another, both ends included; undefined where there is none. Breadth first: the shortest. Empty
 * where the budget of edges ended before either was known.
 */
export function reaches(
  edges: Edges,
  from: string,
  to: string,
  budget: { edges: number } = { edges: Number.POSITIVE_INFINITY },
): string[] | undefined {
  const before = new Map<string, string | undefined>([[from, undefined]]);
  const queue = [from];
  for (const node of queue) {
    if (node === to) {
      const path: string[] = [];
      for (let at: string | undefined = node; at !== undefined; at = before.get(at)) path.push(at);
      return path.reverse();
    }
    for (const next of edges.get(node) ?? []) {
      if (budget.edges-- <= 0) return [];
      if (before.has(next)) continue;
      before.set(next, node);
      queue.push(next);
    }
  }
  return undefined;
}

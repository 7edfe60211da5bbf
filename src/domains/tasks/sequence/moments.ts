// The plan's graph in flat arrays: each task's gate (it may begin) and end (it is over), and what comes before what.
import { compare, type PlannedEdge, type PlannedTask } from './types.ts';

/** Task `i` has its gate at 2i and its end at 2i + 1. */
export interface Moments {
  /** Moments that come directly before moment `m`: `before[from[m]]` to `before[from[m + 1] - 1]`. */
  readonly from: Int32Array;
  readonly before: Int32Array;
  /** The same the other way round: what comes directly after. */
  readonly next: Steps;
  /** All moments, each after those that come before it. */
  readonly order: Int32Array;
  /** Index of a task's story: the topmost task above it. Its own index where there is none. */
  readonly root: Int32Array;
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  readonly children: Int32Array;
  /** Dependencies between tasks of the plan, as indexes: `edges[2k]` has to be over before `edges[2k + 1]` begins. */
  readonly edges: Int32Array;
}

export const gateOf = (task: number): number => 2 * task;
export const endOf = (task: number): number => 2 * task + 1;

/** Edges and parents outside the plan count for nothing. */
export function momentsOf(tasks: readonly PlannedTask[], dependencies: readonly PlannedEdge[]): Moments {
  const count = tasks.length;
  const at = new Map(tasks.map(({ task_id }, i) => [task_id, i]));
  const parent = Int32Array.from(tasks, ({ parent_id }) => (parent_id === null ? -1 : (at.get(parent_id) ?? -1)));
  const { root, depth, children } = storiesOf(parent);
  const pairs = new Int32Array(2 * dependencies.length);
  let used = 0;
  for (const { task_id, depends_on_id } of dependencies) {
    const first = at.get(depends_on_id);
    const then = at.get(task_id);
    if (first === undefined || then === undefined || first === then) continue;
    pairs[used++] = first;
    pairs[used++] = then;
  }
  const edges = pairs.subarray(0, used);
  const steps = stepsOf(count, parent, edges);
  const { from, before } = grouped(2 * count, steps);
  const next = grouped(2 * count, turned(steps));
  const order = ordered(2 * count, { from, before }, next, tasks);
  return { from, before, next, order, root, parent, depth, children, edges };
}

/** Pairs of moments, the first directly before the second. */
function stepsOf(count: number, parent: Int32Array, edges: Int32Array): Int32Array {
  const steps: number[] = [];
  for (let task = 0; task < count; task++) {
    steps.push(gateOf(task), endOf(task));
    const above = parent[task] ?? -1;
    if (above >= 0) steps.push(gateOf(above), gateOf(task), endOf(task), endOf(above));
  }
  for (let k = 0; k < edges.length; k += 2) steps.push(endOf(edges[k] ?? 0), gateOf(edges[k + 1] ?? 0));
  return Int32Array.from(steps);
}

interface Steps {
  readonly from: Int32Array;
  readonly before: Int32Array;
}

function turned(steps: Int32Array): Int32Array {
  return steps.map((_, k) => steps[k ^ 1] ?? 0);
}

/** By the second of each pair, the first ones. */
function grouped(count: number, steps: Int32Array): Steps {
  const from = new Int32Array(count + 1);
  for (let k = 1; k < steps.length; k += 2) from[(steps[k] ?? 0) + 1] = (from[(steps[k] ?? 0) + 1] ?? 0) + 1;
  for (let moment = 0; moment < count; moment++) from[moment + 1] = (from[moment + 1] ?? 0) + (from[moment] ?? 0);
  const next = from.slice();
  const before = new Int32Array(steps.length / 2);
  for (let k = 0; k < steps.length; k += 2) {
    const moment = steps[k + 1] ?? 0;
    const place = next[moment] ?? 0;
    before[place] = steps[k] ?? 0;
    next[moment] = place + 1;
  }
  return { from, before };
}

/**
 * By taking what waits for nothing (A. B. Kahn, "Topological sorting of large networks", 1962). Circles are refused where
 * edges are made; one that stands in the store all the same is opened at its most urgent task.
 */
function ordered(count: number, { from, before }: Steps, after: Steps, tasks: readonly PlannedTask[]): Int32Array {
  const waits = new Int32Array(count);
  for (let moment = 0; moment < count; moment++) waits[moment] = (from[moment + 1] ?? 0) - (from[moment] ?? 0);
  const order = new Int32Array(count);
  const taken = new Uint8Array(count);
  let done = 0;
  const take = (moment: number) => {
    taken[moment] = 1;
    order[done++] = moment;
  };
  for (let moment = 0; moment < count; moment++) if (waits[moment] === 0) take(moment);
  let urgent: Iterator<number> | undefined;
  for (let head = 0; head < count; head++) {
    if (head === done) {
      urgent ??= byUrgency(tasks);
      for (let { value } = urgent.next(); value !== undefined; { value } = urgent.next()) {
        if (taken[value] === 1) continue;
        take(value);
        break;
      }
    }
    const moment = order[head] ?? 0;
    for (let k = after.from[moment] ?? 0; k < (after.from[moment + 1] ?? 0); k++) {
      const next = after.before[k] ?? 0;
      waits[next] = (waits[next] ?? 0) - 1;
      if (waits[next] === 0 && taken[next] === 0) take(next);
    }
  }
  // Steps against the order are those that were cut: nothing follows from them.
  const position = new Int32Array(count);
  for (let i = 0; i < count; i++) position[order[i] ?? 0] = i;
  for (let moment = 0; moment < count; moment++)
    for (let k = from[moment] ?? 0; k < (from[moment + 1] ?? 0); k++)
      if ((position[before[k] ?? 0] ?? 0) > (position[moment] ?? 0)) before[k] = moment;
  return order;
}

function* byUrgency(tasks: readonly PlannedTask[]): Generator<number, undefined> {
  const sorted = tasks.map((_, i) => i).sort((a, b) => compare(tasks[a], tasks[b]));
  for (const task of sorted) {
    yield gateOf(task);
    yield endOf(task);
  }
  return undefined;
}

function storiesOf(parent: Int32Array) {
  const count = parent.length;
  const root = new Int32Array(count).fill(-1);
  const depth = new Int32Array(count);
  const children = new Int32Array(count);
  for (let task = 0; task < count; task++) {
    const above = parent[task] ?? -1;
    if (above >= 0) children[above] = (children[above] ?? 0) + 1;
    const line: number[] = [];
    let top = task;
    // Longer than the plan: parents that are each other's.
    while ((root[top] ?? -1) < 0 && (parent[top] ?? -1) >= 0 && line.length <= count) {
      line.push(top);
      top = parent[top] ?? -1;
    }
    let level = depth[top] ?? 0;
    const story = (root[top] ?? -1) < 0 ? top : (root[top] ?? top);
    root[top] = story;
    for (const below of line.reverse()) {
      root[below] = story;
      depth[below] = ++level;
    }
  }
  return { root, depth, children };
}

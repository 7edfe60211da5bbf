// When each task comes among those of its group, its story's as a rule: one stage after the last of those before it.
import { endOf, gateOf, type Moments } from './moments.ts';

/** From one in so many on it is cheaper to look at all than to sort. */
const MANY_SHARE = 16;

/**
 * Stages of all tasks but stories, from 1. A task comes after everything it waits for in its group, also where the way
 * between them leads through tasks of others: for a group that others both wait for and hold up, the latest stage reached
 * is carried along such ways. `mixed` names the groups for which there are any.
 */
export function stagesOf(moments: Moments, groups: Int32Array, mixed: ReadonlySet<number>): Int32Array {
  const { order, from, before } = moments;
  const stage = new Int32Array(groups.length);
  const direct = new Int32Array(order.length);
  for (const moment of order) {
    const task = moment >> 1;
    const group = groups[task] ?? -1;
    let latest = 0;
    for (let k = from[moment] ?? 0; k < (from[moment + 1] ?? 0); k++) {
      const earlier = before[k] ?? 0;
      // Another story's: it counts where somebody waits for it in the end, which is looked at below.
      if (groups[earlier >> 1] === group) latest = Math.max(latest, direct[earlier] ?? 0);
    }
    direct[moment] = moment === endOf(task) ? latest + 1 : latest;
    if (moment === endOf(task)) stage[task] = latest + 1;
  }
  if (mixed.size > 0) carryThroughOthers(moments, groups, mixed, stage);
  return stage;
}

function carryThroughOthers(moments: Moments, groups: Int32Array, mixed: ReadonlySet<number>, stage: Int32Array): void {
  const { order, from, before, next } = moments;
  const position = new Int32Array(order.length);
  for (let i = 0; i < order.length; i++) position[order[i] ?? 0] = i;
  const reached = new Int32Array(order.length);
  const seen = new Int32Array(order.length).fill(-1);
  const found = new Int32Array(order.length);
  for (const [group, members] of membersOf(groups, mixed)) {
    let count = 0;
    let last = -1;
    const reach = (moment: number) => {
      if (seen[moment] === group) return;
      seen[moment] = group;
      reached[moment] = 0;
      found[count++] = position[moment] ?? 0;
    };
    for (const task of members) {
      last = Math.max(last, position[endOf(task)] ?? 0);
      reach(gateOf(task));
      reach(endOf(task));
    }
    for (let head = 0; head < count; head++) {
      if ((found[head] ?? 0) >= last) continue;
      const moment = order[found[head] ?? 0] ?? 0;
      for (let k = next.from[moment] ?? 0; k < (next.from[moment + 1] ?? 0); k++) reach(next.before[k] ?? 0);
    }
    for (const moment of inOrder(order, found.subarray(0, count), (at) => seen[at] === group)) {
      let latest = 0;
      for (let k = from[moment] ?? 0; k < (from[moment + 1] ?? 0); k++) {
        const earlier = before[k] ?? 0;
        if (seen[earlier] === group) latest = Math.max(latest, reached[earlier] ?? 0);
      }
      const task = moment >> 1;
      const isPart = groups[task] === group && moment === endOf(task);
      reached[moment] = isPart ? latest + 1 : latest;
      if (isPart) stage[task] = latest + 1;
    }
  }
}

/** Moments at these positions, in order: by sorting few of them, by going through all where they are many. */
function inOrder(order: Int32Array, positions: Int32Array, isThere: (moment: number) => boolean): Int32Array {
  if (positions.length * MANY_SHARE > order.length) return order.filter(isThere);
  return positions.sort().map((at) => order[at] ?? 0);
}

function membersOf(groups: Int32Array, wanted: ReadonlySet<number>): ReadonlyMap<number, readonly number[]> {
  const members = new Map<number, number[]>([...wanted].map((group) => [group, []]));
  for (const [task, group] of groups.entries()) members.get(group)?.push(task);
  return members;
}

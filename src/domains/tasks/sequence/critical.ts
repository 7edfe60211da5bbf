// The critical path: the longest chain of work that is still to be done, by estimates.
import { isOver, type Status } from '../statuses.ts';
import { endOf, type Moments } from './moments.ts';
import type { PlannedTask } from './types.ts';

/** What a task adds to a chain: its minutes, 1 where nobody has said; a story's work is that of its parts. */
export function weightOf(task: PlannedTask, children: number): number {
  if (children > 0 || isOver(task.status as Status)) return 0;
  return task.estimate_minutes ?? 1;
}

/**
 * 1 for tasks on the path, and for those with such tasks below them. Of several longest paths it is one of most tasks; one
 * task alone is no path, for nothing waits for it.
 */
export function criticalOf(tasks: readonly PlannedTask[], moments: Moments): Uint8Array {
  const { order, from, before, children, parent } = moments;
  const length = new Float64Array(order.length);
  const links = new Int32Array(order.length);
  const last = new Int32Array(order.length).fill(-1);
  const isLonger = (one: number, other: number) =>
    (length[one] ?? 0) - (other < 0 ? 0 : (length[other] ?? 0)) ||
    (links[one] ?? 0) - (other < 0 ? 0 : (links[other] ?? 0));
  let end = -1;
  for (const moment of order) {
    const task = moment >> 1;
    const planned = tasks[task];
    let longest = -1;
    for (let k = from[moment] ?? 0; k < (from[moment + 1] ?? 0); k++) {
      const earlier = before[k] ?? 0;
      if (earlier !== moment && isLonger(earlier, longest) > 0) longest = earlier;
    }
    last[moment] = longest;
    const own = moment === endOf(task) && planned ? weightOf(planned, children[task] ?? 0) : 0;
    length[moment] = (longest < 0 ? 0 : (length[longest] ?? 0)) + own;
    links[moment] = (longest < 0 ? 0 : (links[longest] ?? 0)) + (own > 0 ? 1 : 0);
    if (isLonger(moment, end) > 0) end = moment;
  }
  if (end < 0 || (links[end] ?? 0) < 2) return new Uint8Array(tasks.length);
  const critical = new Uint8Array(tasks.length);
  for (let moment = end; moment >= 0; moment = last[moment] ?? -1) {
    const task = moment >> 1;
    const planned = tasks[task];
    if (moment !== endOf(task) || !planned || weightOf(planned, children[task] ?? 0) === 0) continue;
    for (let at = task; at >= 0 && critical[at] === 0; at = parent[at] ?? -1) critical[at] = 1;
  }
  return critical;
}

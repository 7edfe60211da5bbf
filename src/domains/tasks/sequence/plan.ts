// The order in which work is done, as people want to read it: stories and the tasks without one stage by stage, and below
// a story its tickets likewise; what comes at the same time by letters. Pure.
import { criticalOf } from './critical.ts';
import { type Moments, momentsOf } from './moments.ts';
import { stagesOf } from './stages.ts';
import { orderTop } from './stories.ts';
import { compare, type PlannedEdge, type PlannedTask, type PlanRow } from './types.ts';

/**
 * The plan of these tasks. At the top level, of stories and tasks without one, the stage of an item is one more than the
 * latest of those it waits for; a story waits for whatever any of its tasks waits for. Items that wait for parts of each
 * other are done in turns and share a stage. Inside a story a task's stage is one more than the latest of those it waits
 * for there, directly or by whatever way. What waits for nothing is stage 1; of one stage the more urgent and older come
 * first. Linear in tasks and edges, but for items that wait for each other in turns.
 */
export function sequencePlan(tasks: readonly PlannedTask[], edges: readonly PlannedEdge[]): PlanRow[] {
  const moments = momentsOf(tasks, edges);
  const { root, children, depth } = moments;
  const top = orderTop(moments);
  const { groups, mixed, loose } = groupsOf(moments, top.mixed);
  const stage = stagesOf(moments, groups, mixed);
  const critical = criticalOf(tasks, moments);
  const heads: number[] = [];
  const parts = new Map<number, number[]>();
  for (const [task, story] of root.entries()) {
    if (story === task) heads.push(task);
    else
      parts
        .set(story, parts.get(story) ?? [])
        .get(story)
        ?.push(task);
  }
  const rowOf = ({ task, label }: Labelled, when: Int32Array) => ({
    ...{ task_id: tasks[task]?.task_id ?? '', stage: when[task] ?? 0, label },
    ...{ critical: critical[task] === 1, depth: depth[task] ?? 0 },
  });
  const byUrgency = (a: number, b: number) => compare(tasks[a], tasks[b]);
  // Of tasks without a story that share a stage with others in turns, those come first that others of them wait for.
  const turn = (task: number) => (groups[task] === loose ? (stage[task] ?? 0) : 0);
  return labelled(heads, top.stage, (a, b) => turn(a) - turn(b) || byUrgency(a, b)).flatMap((head) => {
    const row = rowOf(head, top.stage);
    const story_id = (children[head.task] ?? 0) > 0 ? row.task_id : null;
    const below = labelled(parts.get(head.task) ?? [], stage, byUrgency);
    return [
      { ...row, story_id, story_label: null },
      ...below.map((part) => ({ ...rowOf(part, stage), story_id, story_label: head.label })),
    ];
  });
}

/**
 * Tasks by the story they are a part of, by its index. Those without one belong together, under a number that is no index,
 * where they are done in turns with others, and else to nothing.
 */
function groupsOf({ root, children }: Moments, inTurns: ReadonlySet<number>) {
  const loose = root.length;
  const mixed = new Set<number>();
  const groups = root.map((item) => {
    const isStory = (children[item] ?? 0) > 0;
    if (inTurns.has(item)) mixed.add(isStory ? item : loose);
    return isStory ? item : inTurns.has(item) ? loose : -1;
  });
  return { groups, mixed, loose };
}

interface Labelled {
  readonly task: number;
  readonly label: string;
}

function labelled(members: number[], when: Int32Array, order: (a: number, b: number) => number): Labelled[] {
  const sorted = members.sort((a, b) => (when[a] ?? 0) - (when[b] ?? 0) || order(a, b));
  const sizes = new Map<number, number>();
  for (const task of sorted) sizes.set(when[task] ?? 0, (sizes.get(when[task] ?? 0) ?? 0) + 1);
  let nth = 0;
  return sorted.map((task, i) => {
    const stage = when[task] ?? 0;
    nth = i > 0 && when[sorted[i - 1] ?? 0] === stage ? nth + 1 : 0;
    return { task, label: `${stage}${(sizes.get(stage) ?? 0) > 1 ? letters(nth) : ''}` };
  });
}

/** a to z, then aa, ab, ... */
export function letters(nth: number): string {
  let text = '';
  for (let rest = nth + 1; rest > 0; rest = Math.floor((rest - 1) / 26))
    text = `${String.fromCharCode(97 + ((rest - 1) % 26))}${text}`;
  return text;
}

// The order in which work is done, as people want to read it: a story, then its tickets stage by stage, tickets of one
// stage by letters; then the tasks without a story. Pure.
import { criticalOf } from './critical.ts';
import { type Moments, momentsOf } from './moments.ts';
import { stagesOf } from './stages.ts';
import { orderStories } from './stories.ts';
import { compare, type PlannedEdge, type PlannedTask, type PlanRow } from './types.ts';

/**
 * The plan of these tasks. Inside a story a task's stage is one more than the latest of those it waits for there,
 * directly or by whatever way; what waits for nothing is stage 1. Of one stage the more urgent and older come first.
 * Linear in tasks and edges, but for stories that wait for each other in turns.
 */
export function sequencePlan(tasks: readonly PlannedTask[], edges: readonly PlannedEdge[]): PlanRow[] {
  const moments = momentsOf(tasks, edges);
  const stories = orderStories(moments);
  const { groups, loose } = groupsOf(moments);
  const mixed = new Set(stories.mixed);
  if (moments.edges.length > 0) mixed.add(loose);
  const stage = stagesOf(moments, groups, mixed);
  const critical = criticalOf(tasks, moments);
  const inStory = new Map<number, number[]>();
  const heads: number[] = [];
  const alone: number[] = [];
  for (const story of groups) if (story !== loose && !inStory.has(story)) inStory.set(story, []);
  tasks.forEach((_, task) => {
    const group = groups[task] ?? loose;
    if (group === loose) alone.push(task);
    else if (group !== task) inStory.get(group)?.push(task);
    else heads.push(task);
  });
  const rowsOf = (members: number[], when: Int32Array, story_of: (task: number) => string | null): PlanRow[] =>
    labelled(tasks, members, when).map(({ task, label }) => ({
      task_id: tasks[task]?.task_id ?? '',
      story_id: story_of(task),
      stage: when[task] ?? 0,
      label,
      critical: critical[task] === 1,
      depth: moments.depth[task] ?? 0,
    }));
  const out: PlanRow[] = [];
  const index = new Map(tasks.map(({ task_id }, task) => [task_id, task]));
  for (const head of rowsOf(heads, stories.stage, (task) => tasks[task]?.task_id ?? null)) {
    const story = index.get(head.task_id) ?? -1;
    out.push(head, ...rowsOf(inStory.get(story) ?? [], stage, () => head.task_id));
  }
  return [...out, ...rowsOf(alone, stage, () => null)];
}

/** Each task's story by index; those without one together under a number that is no index. */
function groupsOf({ root, children }: Moments) {
  const loose = root.length;
  const groups = root.map((story) => ((children[story] ?? 0) > 0 ? story : loose));
  return { groups, loose };
}

function labelled(tasks: readonly PlannedTask[], members: number[], when: Int32Array) {
  const sorted = members.sort((a, b) => (when[a] ?? 0) - (when[b] ?? 0) || compare(tasks[a], tasks[b]));
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

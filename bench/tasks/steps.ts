// What is measured, through any door: each step is a call as an agent makes it.
import { type Summary, timed } from '../speed/stats.ts';

/** Calls an operation; rejects where it is refused. */
export type Call = (
  name: string,
  input: Readonly<Record<string, unknown>>,
) => Promise<Readonly<Record<string, unknown>>>;

export interface Ids {
  /** Tasks of the board that wait for nothing and that nobody has claimed, as far as they are known. */
  readonly free: readonly string[];
  /** A chain: each of these depends on the one before it. */
  readonly chain: readonly string[];
}

export const STEPS = [
  'create',
  'ready',
  'claim',
  'list',
  'update',
  'edge',
  'cycle check',
  'sequence',
  'analytics',
] as const;
export type Step = (typeof STEPS)[number];

export interface StepCounts {
  readonly calls: number;
  /** Of the steps that look at the whole board. */
  readonly whole: number;
}

let made = 0;
let linked = 0;

/** One step after the other, one call at a time. */
export async function measureSteps(call: Call, ids: Ids, counts: StepCounts): Promise<ReadonlyMap<Step, Summary>> {
  const results = new Map<Step, Summary>();
  const measure = async (step: Step, count: number, run: (i: number) => Promise<unknown>) => {
    results.set(step, await timed(count, run, { warmup: 3 }));
  };
  const { calls, whole } = counts;
  await measure('create', calls, () => {
    const dependencies = [ids.free[made % ids.free.length], ids.free[(made + 1) % ids.free.length]];
    return call('create_kanban_task', { title: `Made in the bench ${made++}`, dependencies, related_limit: 0 });
  });
  await measure('ready', calls, () => call('list_kanban_tasks', { ready: true, limit: 20 }));
  await measure('claim', calls, () => call('claim_next', {}));
  await measure('list', calls, () => call('list_kanban_tasks', { status: 'todo', limit: 20 }));
  await measure('update', calls, (i) =>
    call('update_kanban_task', { task_id: ids.free[(i * 7) % ids.free.length], comment: `Looked at it, ${i}.` }),
  );
  // Both wait for nothing, as it is while a plan is made: whether the edge closes a circle has to be found out all the same.
  await measure('edge', calls, () => {
    const [task_id, on] = [ids.free[linked + 1], ids.free[linked]];
    linked += 2;
    return call('update_kanban_task', { task_id, add_dependencies: [on] });
  });
  const [first] = ids.chain;
  const last = ids.chain.at(-1);
  await measure('cycle check', calls, async () => {
    const refused = await call('update_kanban_task', { task_id: first, add_dependencies: [last] }).then(
      () => false,
      () => true,
    );
    if (!refused) throw new Error('A circle was let through.');
  });
  await measure('sequence', whole, () => call('list_kanban_tasks', { order: 'sequence', limit: 100 }));
  await measure('analytics', whole, () => call('get_task_analytics', { days: 30 }));
  return results;
}

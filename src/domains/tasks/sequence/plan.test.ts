// The plan against a reference that is slow and written another way: by asking of every pair which comes first.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { letters, sequencePlan } from './plan.ts';
import type { PlannedEdge, PlannedTask, PlanRow } from './types.ts';

interface Board {
  readonly tasks: readonly PlannedTask[];
  readonly edges: readonly PlannedEdge[];
}

/** Whether the gate or end `a` has to be past before `b` can be, as the rules say it, followed by depth-first search. */
function ruleOf({ tasks, edges }: Board) {
  const byId = new Map(tasks.map((task) => [task.task_id, task]));
  const known = (id: string | null) => id !== null && byId.has(id);
  const before = (moment: string): string[] => {
    const [kind, id] = moment.split(':') as ['gate' | 'end', string];
    if (kind === 'end')
      return [`gate:${id}`, ...tasks.filter((task) => task.parent_id === id).map((task) => `end:${task.task_id}`)];
    const { parent_id } = byId.get(id)!;
    return [
      ...(known(parent_id) ? [`gate:${parent_id}`] : []),
      ...edges
        .filter((edge) => edge.task_id === id && known(edge.depends_on_id))
        .map((edge) => `end:${edge.depends_on_id}`),
    ];
  };
  const cache = new Map<string, ReadonlySet<string>>();
  const past = (moment: string): ReadonlySet<string> => {
    const found = cache.get(moment);
    if (found) return found;
    const all = new Set<string>();
    for (const earlier of before(moment)) {
      all.add(earlier);
      for (const further of past(earlier)) all.add(further);
    }
    cache.set(moment, all);
    return all;
  };
  const rootOf = (id: string): string => {
    const { parent_id } = byId.get(id)!;
    return known(parent_id) ? rootOf(parent_id!) : id;
  };
  const isParent = (id: string) => tasks.some((task) => task.parent_id === id);
  const storyOf = (id: string) => (isParent(rootOf(id)) ? rootOf(id) : null);
  return { before, past, rootOf, isParent, storyOf, byId };
}

const orderOf = (a: PlannedTask, b: PlannedTask) =>
  a.priority - b.priority || a.created_at.localeCompare(b.created_at) || a.task_id.localeCompare(b.task_id);

/** The same plan by definition alone, without its critical path. */
function reference(board: Board): Omit<PlanRow, 'critical'>[] {
  const { tasks, edges } = board;
  const { past, rootOf, storyOf, byId, isParent } = ruleOf(board);
  const waitsFor = (later: string, earlier: string) => past(`end:${later}`).has(`end:${earlier}`);
  const memo = new Map<string, number>();
  const stageOf = (id: string): number => {
    const found = memo.get(id);
    if (found !== undefined) return found;
    const mates = tasks
      .map((task) => task.task_id)
      .filter((other) => other !== id && other !== storyOf(id) && storyOf(other) === storyOf(id));
    const stage = 1 + Math.max(0, ...mates.filter((mate) => waitsFor(id, mate)).map(stageOf));
    memo.set(id, stage);
    return stage;
  };
  const units = [...new Set(tasks.map((task) => rootOf(task.task_id)))];
  const reach = new Map(units.map((unit) => [unit, new Set<string>()]));
  for (const { task_id, depends_on_id } of edges)
    if (byId.has(task_id) && byId.has(depends_on_id) && rootOf(task_id) !== rootOf(depends_on_id))
      reach.get(rootOf(task_id))!.add(rootOf(depends_on_id));
  for (const via of units)
    for (const from of units) if (reach.get(from)!.has(via)) for (const to of reach.get(via)!) reach.get(from)!.add(to);
  const stories = units.filter(isParent);
  const storyMemo = new Map<string, number>();
  const storyStage = (story: string): number => {
    const found = storyMemo.get(story);
    if (found !== undefined) return found;
    const earlier = stories.filter((other) => reach.get(story)!.has(other) && !reach.get(other)!.has(story));
    const stage = 1 + Math.max(0, ...earlier.map(storyStage));
    storyMemo.set(story, stage);
    return stage;
  };
  const depthOf = (id: string): number => (rootOf(id) === id ? 0 : 1 + depthOf(byId.get(id)!.parent_id!));
  const labelled = (ids: string[], story_id: (id: string) => string | null, stage: (id: string) => number) => {
    const sorted = ids.toSorted((a, b) => stage(a) - stage(b) || orderOf(byId.get(a)!, byId.get(b)!));
    return sorted.map((id) => {
      const mates = sorted.filter((mate) => stage(mate) === stage(id));
      const label = `${stage(id)}${mates.length > 1 ? letters(mates.indexOf(id)) : ''}`;
      return { task_id: id, story_id: story_id(id), stage: stage(id), label, depth: depthOf(id) };
    });
  };
  const heads = labelled(stories, (id) => id, storyStage);
  const parts = (story: string | null) =>
    tasks.map((task) => task.task_id).filter((id) => storyOf(id) === story && id !== story);
  return [
    ...heads.flatMap((head) => [head, ...labelled(parts(head.task_id), () => head.task_id, stageOf)]),
    ...labelled(parts(null), () => null, stageOf),
  ];
}

const isOver = (status: string) => ['done', 'failed', 'cancelled'].includes(status);

/** Longest chain of open work by trying every way. */
function longest(board: Board): number {
  const { before, isParent, byId } = ruleOf(board);
  const memo = new Map<string, number>();
  const upTo = (moment: string): number => {
    const found = memo.get(moment);
    if (found !== undefined) return found;
    const [kind, id] = moment.split(':') as [string, string];
    const task = byId.get(id)!;
    const own = kind === 'gate' || isParent(id) || isOver(task.status) ? 0 : (task.estimate_minutes ?? 1);
    const length = own + Math.max(0, ...before(moment).map(upTo));
    memo.set(moment, length);
    return length;
  };
  return Math.max(0, ...board.tasks.map((task) => upTo(`end:${task.task_id}`)));
}

/** A board without circles: edges that would close one are left out, as the rules of the board do. */
const boards = fc
  .record({
    tasks: fc.array(
      fc.record({
        parent: fc.option(fc.nat(), { freq: 2, nil: undefined }),
        status: fc.constantFrom('todo', 'todo', 'in_progress', 'done', 'cancelled', 'blocked'),
        priority: fc.integer({ min: 0, max: 3 }),
        estimate_minutes: fc.option(fc.integer({ min: 1, max: 9 }), { nil: null }),
        age: fc.integer({ min: 0, max: 3 }),
      }),
      { minLength: 1, maxLength: 16 },
    ),
    edges: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 30 }),
    order: fc.infiniteStream(fc.nat()),
  })
  .map(({ tasks: seeds, edges: pairs, order }): Board => {
    const id = (i: number) => `t${String(i).padStart(2, '0')}`;
    const tasks = seeds.map(({ parent, age, ...rest }, i): PlannedTask => {
      const parent_id = parent === undefined || i === 0 ? null : parent % 7 === 0 ? 'elsewhere' : id(parent % i);
      return { task_id: id(i), parent_id, created_at: `2026-01-0${age + 1}`, ...rest };
    });
    const edges: PlannedEdge[] = [];
    for (const [a, b] of pairs) {
      const edge = { task_id: id(a % seeds.length), depends_on_id: b % 11 === 0 ? 'elsewhere' : id(b % seeds.length) };
      if (edge.task_id === edge.depends_on_id) continue;
      const { past } = ruleOf({ tasks, edges });
      const closes =
        edge.depends_on_id !== 'elsewhere' && past(`end:${edge.depends_on_id}`).has(`gate:${edge.task_id}`);
      if (!closes) edges.push(edge);
    }
    const shuffled = tasks.map((task) => [order.next().value as number, task] as const);
    return { tasks: shuffled.toSorted(([a], [b]) => a - b).map(([, task]) => task), edges };
  });

test('is the plan that the definition gives', () => {
  fc.assert(
    fc.property(boards, (board) => {
      const plan = sequencePlan(board.tasks, board.edges).map(({ critical: _, ...row }) => row);
      expect(plan).toEqual(reference(board));
    }),
    { numRuns: 500 },
  );
});

test('inside a story what has to be over first has a smaller stage, and no label is there twice', () => {
  fc.assert(
    fc.property(boards, (board) => {
      const rows = sequencePlan(board.tasks, board.edges);
      expect(rows.map((row) => row.task_id).toSorted()).toEqual(board.tasks.map((task) => task.task_id).toSorted());
      const byId = new Map(rows.map((row) => [row.task_id, row]));
      for (const { task_id, depends_on_id } of board.edges) {
        const [later, earlier] = [byId.get(task_id), byId.get(depends_on_id)];
        if (!later || !earlier || later.story_id !== earlier.story_id) continue;
        expect(earlier.stage).toBeLessThan(later.stage);
        expect(rows.indexOf(earlier)).toBeLessThan(rows.indexOf(later));
      }
      const parts = rows.filter((row) => row.task_id !== row.story_id).map((row) => `${row.story_id} ${row.label}`);
      expect(new Set(parts).size).toBe(parts.length);
    }),
    { numRuns: 300 },
  );
});

test('the critical path is a chain, and no chain is longer', () => {
  fc.assert(
    fc.property(boards, (board) => {
      const { past, isParent, byId } = ruleOf(board);
      const rows = sequencePlan(board.tasks, board.edges);
      const marked = rows.filter((row) => row.critical).map((row) => row.task_id);
      const work = marked.filter((id) => !isParent(id));
      for (const a of work)
        for (const b of work)
          expect(a === b || past(`end:${a}`).has(`end:${b}`) || past(`end:${b}`).has(`end:${a}`)).toBe(true);
      const sum = work.reduce((total, id) => total + (byId.get(id)!.estimate_minutes ?? 1), 0);
      expect(sum).toBe(longest(board));
      expect(work.some((id) => isOver(byId.get(id)!.status))).toBe(false);
      for (const id of marked.filter(isParent))
        expect(board.tasks.some((task) => task.parent_id === id && marked.includes(task.task_id))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

const task = (task_id: string, parent_id: string | null = null, fields: Partial<PlannedTask> = {}): PlannedTask => ({
  ...{ task_id, parent_id, status: 'todo', priority: 2, estimate_minutes: null, created_at: '2026-01-01', ...fields },
});
const after = (task_id: string, ...before: string[]) => before.map((depends_on_id) => ({ task_id, depends_on_id }));

test('reads as people write it: 1, 2a, 2b, 3, and what is without a story at the end', () => {
  const plan = sequencePlan(
    [
      task('alone'),
      task('D', 'S'),
      task('C', 'S', { estimate_minutes: 30 }),
      task('B', 'S'),
      task('A', 'S', { status: 'done' }),
      task('S'),
    ],
    [...after('B', 'A'), ...after('C', 'A'), ...after('D', 'B', 'C')],
  );
  expect(plan.map((row) => `${row.task_id} ${row.label}${row.critical ? '!' : ''}`)).toEqual([
    'S 1!',
    'A 1',
    'B 2a',
    'C 2b!',
    'D 3!',
    'alone 1',
  ]);
});

test('a story waits where one of its tickets waits for a ticket of another', () => {
  const tasks = [
    task('late'),
    task('late1', 'late'),
    task('early'),
    task('early1', 'early'),
    task('free'),
    task('free1', 'free'),
  ];
  const plan = sequencePlan(tasks, after('late1', 'early1'));
  expect(plan.filter((row) => row.depth === 0).map((row) => `${row.task_id} ${row.label}`)).toEqual([
    'early 1a',
    'free 1b',
    'late 2',
  ]);
});

test('letters go on after z', () => {
  expect([0, 25, 26, 27, 51, 52, 701, 702].map(letters)).toEqual(['a', 'z', 'aa', 'ab', 'az', 'ba', 'zz', 'aaa']);
});

test('a circle in the store is shown as well as it can be', () => {
  const tasks = [task('a'), task('b'), task('c'), task('x', 'y'), task('y', 'x')];
  const plan = sequencePlan(tasks, [...after('a', 'b'), ...after('b', 'a'), ...after('c', 'a')]);
  expect(plan.map((row) => row.task_id).toSorted()).toEqual(['a', 'b', 'c', 'x', 'y']);
});

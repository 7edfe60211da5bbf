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

/** Which items of the top level wait for which, directly or through others, by pairs (S. Warshall, 1962). */
function waitsAtTop(board: Board) {
  const { rootOf, byId } = ruleOf(board);
  const items = board.tasks.map((task) => task.task_id).filter((id) => rootOf(id) === id);
  const reach = new Map(items.map((item) => [item, new Set<string>()]));
  for (const { task_id, depends_on_id } of board.edges)
    if (byId.has(task_id) && byId.has(depends_on_id) && rootOf(task_id) !== rootOf(depends_on_id))
      reach.get(rootOf(task_id))!.add(rootOf(depends_on_id));
  for (const via of items)
    for (const from of items) if (reach.get(from)!.has(via)) for (const to of reach.get(via)!) reach.get(from)!.add(to);
  const waits = (later: string, earlier: string) => reach.get(later)!.has(earlier);
  return { items, waits, inTurns: (item: string) => waits(item, item) };
}

/** The same plan by definition alone, without its critical path. */
function reference(board: Board): Omit<PlanRow, 'critical'>[] {
  const { tasks } = board;
  const { past, rootOf, byId, isParent } = ruleOf(board);
  const { items, waits, inTurns } = waitsAtTop(board);
  const ranker = (matesOf: (id: string) => string[], comesAfter: (later: string, earlier: string) => boolean) => {
    const memo = new Map<string, number>();
    const rank = (id: string): number => {
      const found = memo.get(id);
      if (found !== undefined) return found;
      const earlier = matesOf(id).filter((mate) => mate !== id && comesAfter(id, mate));
      memo.set(id, 1 + Math.max(0, ...earlier.map(rank)));
      return memo.get(id)!;
    };
    return rank;
  };
  const ended = (later: string, earlier: string) => past(`end:${later}`).has(`end:${earlier}`);
  const partsOf = (story: string) =>
    tasks.map((task) => task.task_id).filter((id) => id !== story && rootOf(id) === story);
  const partStage = ranker((id) => partsOf(rootOf(id)), ended);
  const topStage = ranker(
    () => items,
    (later, earlier) => waits(later, earlier) && !waits(earlier, later),
  );
  const alternating = items.filter((item) => !isParent(item) && inTurns(item));
  const turn = ranker(() => alternating, ended);
  const depthOf = (id: string): number => (rootOf(id) === id ? 0 : 1 + depthOf(byId.get(id)!.parent_id!));
  const labelled = (ids: string[], stage: (id: string) => number, within: (id: string) => number) => {
    const sorted = ids.toSorted(
      (a, b) => stage(a) - stage(b) || within(a) - within(b) || orderOf(byId.get(a)!, byId.get(b)!),
    );
    return sorted.map((id) => {
      const mates = sorted.filter((mate) => stage(mate) === stage(id));
      const label = `${stage(id)}${mates.length > 1 ? letters(mates.indexOf(id)) : ''}`;
      return { task_id: id, stage: stage(id), label, depth: depthOf(id) };
    });
  };
  return labelled(items, topStage, (id) => (alternating.includes(id) ? turn(id) : 0)).flatMap((item) => {
    const story_id = isParent(item.task_id) ? item.task_id : null;
    const parts = labelled(partsOf(item.task_id), partStage, () => 0);
    return [
      { ...item, story_id, story_label: null },
      ...parts.map((part) => ({ ...part, story_id, story_label: item.label })),
    ];
  });
}

const isOver = (status: string) => ['done', 'failed', 'cancelled'].includes(status);

/** What one more task counts in a chain's length, far below a minute: of chains of equal work that of most tasks. */
const LINK = 1e-6;

/** Longest chain of open work by trying every way, with a little for each of its tasks. */
function longest(board: Board): number {
  const { before, isParent, byId } = ruleOf(board);
  const memo = new Map<string, number>();
  const upTo = (moment: string): number => {
    const found = memo.get(moment);
    if (found !== undefined) return found;
    const [kind, id] = moment.split(':') as [string, string];
    const task = byId.get(id)!;
    const own = kind === 'gate' || isParent(id) || isOver(task.status) ? 0 : (task.estimate_minutes ?? 1) + LINK;
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
        expect(rows.indexOf(earlier)).toBeLessThan(rows.indexOf(later));
        // Of what stands at the top level the next test tells: what is done in turns shares a stage there.
        if (later.story_id !== null) expect(earlier.stage).toBeLessThan(later.stage);
      }
      const parts = rows.filter((row) => row.task_id !== row.story_id).map((row) => `${row.story_id} ${row.label}`);
      expect(new Set(parts).size).toBe(parts.length);
    }),
    { numRuns: 1000 },
  );
});

test('at the top level nothing is earlier than what it waits for, and letters are for what need not wait', () => {
  fc.assert(
    fc.property(boards, (board) => {
      const { rootOf, past } = ruleOf(board);
      const { items, waits, inTurns } = waitsAtTop(board);
      const rows = sequencePlan(board.tasks, board.edges);
      const byId = new Map(rows.map((row) => [row.task_id, row]));
      const at = (id: string) => rows.findIndex((row) => row.task_id === id);
      for (const { task_id, depends_on_id } of board.edges) {
        if (!byId.has(task_id) || !byId.has(depends_on_id)) continue;
        const [later, earlier] = [rootOf(task_id), rootOf(depends_on_id)];
        if (later === earlier) continue;
        if (waits(earlier, later)) expect(byId.get(later)!.stage).toBe(byId.get(earlier)!.stage);
        else {
          expect(byId.get(later)!.stage).toBeGreaterThan(byId.get(earlier)!.stage);
          expect(at(task_id)).toBeGreaterThan(at(depends_on_id));
        }
      }
      for (const a of items)
        for (const b of items) {
          if (a === b || byId.get(a)!.stage !== byId.get(b)!.stage) continue;
          // Of one stage: neither waits, or both are done in turns.
          expect(waits(a, b)).toBe(waits(b, a));
          const loose = [a, b].every((id) => byId.get(id)!.story_id === null);
          if (loose && past(`gate:${b}`).has(`end:${a}`)) expect(inTurns(a) && at(a) < at(b)).toBe(true);
        }
      const labels = items.map((id) => byId.get(id)!.label);
      expect(new Set(labels).size).toBe(labels.length);
      for (const { task_id, story_id, story_label } of rows)
        expect(story_label).toBe(story_id === null || story_id === task_id ? null : byId.get(story_id)!.label);
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
      const most = longest(board);
      const links = Math.round((most % 1) / LINK);
      // One task alone is no path.
      expect(work.length).toBe(links < 2 ? 0 : links);
      expect(sum).toBe(links < 2 ? 0 : Math.floor(most));
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

test('reads as people write it: 1, 2a, 2b, 3, a task without a story among the stories', () => {
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
    'S 1a!',
    'A 1',
    'B 2a',
    'C 2b!',
    'D 3!',
    'alone 1b',
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

const labelsOf = (tasks: PlannedTask[], edges: PlannedEdge[]) =>
  sequencePlan(tasks, edges).map(({ task_id, label, story_label }) =>
    story_label === null ? `${task_id} ${label}` : `${task_id} ${story_label}.${label}`,
  );

test('a task without a story comes between the stories that it holds up and waits for', () => {
  const tasks = [
    ...[task('B'), task('B1', 'B'), task('C'), task('C1', 'C'), task('L'), task('A')],
    ...[task('A1', 'A'), task('A2', 'A')],
  ];
  const edges = [...after('A2', 'A1'), ...after('L', 'A2'), ...after('B', 'L')];
  expect(labelsOf(tasks, edges)).toEqual([
    ...['A 1a', 'A1 1a.1', 'A2 1a.2', 'C 1b', 'C1 1b.1', 'L 2', 'B 3', 'B1 3.1'],
  ]);
});

test('a task without a story that waits for a part of one, or holds one up, is no stage too early', () => {
  // As beads has it: an epic with a part that something outside waits for.
  const beads = [task('Docs', null, { priority: 0 }), task('epic'), task('bd-3', 'epic'), task('other')];
  expect(labelsOf(beads, after('Docs', 'bd-3'))).toEqual(['epic 1a', 'bd-3 1a.1', 'other 1b', 'Docs 2']);
  // As GitHub has it: an issue with parts, blocked by one without.
  const github = [task('Login fails', null, { priority: 0 }), task('part', 'Login fails'), task('Upgrade')];
  expect(labelsOf(github, after('Login fails', 'Upgrade'))).toEqual(['Upgrade 1', 'Login fails 2', 'part 2.1']);
});

test('what is done in turns shares a stage, in the order that there is', () => {
  const tasks = [
    task('A'),
    task('A1', 'A'),
    task('A2', 'A'),
    task('L2', null, { priority: 0 }),
    task('L1'),
    task('end'),
  ];
  const edges = [...after('L1', 'A1'), ...after('L2', 'L1'), ...after('A2', 'L2'), ...after('end', 'A')];
  expect(labelsOf(tasks, edges)).toEqual(['A 1a', 'A1 1a.1', 'A2 1a.2', 'L1 1b', 'L2 1c', 'end 2']);
});

test('tasks that nothing waits for are no critical path', () => {
  const marked = (tasks: PlannedTask[], edges: PlannedEdge[]) =>
    sequencePlan(tasks, edges).flatMap(({ task_id, critical }) => (critical ? [task_id] : []));
  const lone = [task('x', null, { estimate_minutes: 60 }), task('y'), task('S'), task('only', 'S')];
  expect(marked(lone, [])).toEqual([]);
  // Of equally long ones that of most tasks.
  expect(marked([...lone, task('z', null, { estimate_minutes: 59 })], after('z', 'y'))).toEqual(['y', 'z']);
});

test('letters go on after z', () => {
  expect([0, 25, 26, 27, 51, 52, 701, 702].map(letters)).toEqual(['a', 'z', 'aa', 'ab', 'az', 'ba', 'zz', 'aaa']);
});

test('a circle in the store is shown as well as it can be', () => {
  const tasks = [task('a'), task('b'), task('c'), task('x', 'y'), task('y', 'x')];
  const plan = sequencePlan(tasks, [...after('a', 'b'), ...after('b', 'a'), ...after('c', 'a')]);
  expect(plan.map((row) => row.task_id).toSorted()).toEqual(['a', 'b', 'c', 'x', 'y']);
});

// What follows from statuses and edges, made anew after many tasks were put into a store at once, and the look for circles
// that goes with it.
import type { TaskStore, TaskTrx } from '../deps.ts';
import { isOver, type Status, satisfies } from '../statuses.ts';
import { chunks, holdGraph } from './readiness.ts';

interface Node {
  readonly task_id: string;
  readonly parent_id: string | null;
  readonly status: string;
  readonly open_dependencies: number;
  readonly open_children: number;
  readonly blocked_ancestors: number;
  readonly is_ready: number;
}

type Derived = Pick<Node, 'open_dependencies' | 'open_children' | 'blocked_ancestors' | 'is_ready'>;

/**
 * Brings the derived columns of all tasks to what their statuses and edges say; edges to tasks that are not here count
 * for nothing. Holds the graph and the whole board until the transaction ends, and reads ids, statuses and edges. Returns ids of a circle where there is one, and has
 * written nothing then.
 */
export async function rebuildReadiness(store: Pick<TaskStore, 'dialect'>, trx: TaskTrx): Promise<readonly string[]> {
  await holdGraph(store, trx);
  const columns = ['open_dependencies', 'open_children', 'blocked_ancestors', 'is_ready'] as const;
  // Held, all of them: a task that ends at this moment does not see the edges that this transaction has put in.
  const board = trx
    .selectFrom('tasks')
    .select(['task_id', 'parent_id', 'status', ...columns])
    .orderBy('task_id');
  const rows: Node[] = await store.dialect.forChange(board).execute();
  const nodes = new Map(rows.map((row) => [row.task_id, row]));
  const edges = await trx.selectFrom('task_dependencies').select(['task_id', 'depends_on_id']).execute();
  const here = edges.filter(({ task_id, depends_on_id }) => nodes.has(task_id) && nodes.has(depends_on_id));
  const circle = circleIn(nodes, here);
  if (circle.length > 0) return circle;
  const wanted = derivedOf(nodes, here);
  const changed = rows.filter((row) => columns.some((column) => row[column] !== wanted.get(row.task_id)?.[column]));
  const alike = Map.groupBy(changed, (row) => JSON.stringify(wanted.get(row.task_id)));
  for (const [values, tasks] of alike)
    for (const some of chunks(tasks.map(({ task_id }) => task_id)))
      await trx
        .updateTable('tasks')
        .set(JSON.parse(values) as Derived)
        .where('task_id', 'in', some)
        .execute();
  return [];
}

interface Edge {
  readonly task_id: string;
  readonly depends_on_id: string;
}

function derivedOf(nodes: ReadonlyMap<string, Node>, edges: readonly Edge[]): ReadonlyMap<string, Derived> {
  const dependencies = new Map<string, number>();
  const children = new Map<string, number>();
  const add = (to: Map<string, number>, id: string) => to.set(id, (to.get(id) ?? 0) + 1);
  for (const { task_id, depends_on_id } of edges)
    if (!satisfies(nodes.get(depends_on_id)?.status as Status)) add(dependencies, task_id);
  for (const { parent_id, status } of nodes.values())
    if (parent_id !== null && !isOver(status as Status)) add(children, parent_id);
  const blocked = new Map<string, number>();
  const above = (id: string | null): number => {
    const node = id === null ? undefined : nodes.get(id);
    if (!node) return 0;
    const known = blocked.get(node.task_id);
    const ancestors = known ?? above(node.parent_id);
    blocked.set(node.task_id, ancestors);
    return ancestors + (dependencies.has(node.task_id) ? 1 : 0);
  };
  const out = new Map<string, Derived>();
  for (const { task_id, parent_id, status } of nodes.values()) {
    const open_dependencies = dependencies.get(task_id) ?? 0;
    const open_children = children.get(task_id) ?? 0;
    const blocked_ancestors = above(parent_id);
    const is_ready = status === 'todo' && open_dependencies + open_children + blocked_ancestors === 0 ? 1 : 0;
    out.set(task_id, { open_dependencies, open_children, blocked_ancestors, is_ready });
  }
  return out;
}

/**
 * Tasks that wait for each other, by taking away again and again what waits for nothing (Kahn 1962), over the moments of
 * cycles.ts: of each task its gate and its end. Some of them may only wait for a circle.
 */
function circleIn(nodes: ReadonlyMap<string, Node>, edges: readonly Edge[]): readonly string[] {
  const waits = new Map<string, number>();
  const waiting = new Map<string, string[]>();
  const edge = (from: string, to: string) => {
    waits.set(from, (waits.get(from) ?? 0) + 1);
    const list = waiting.get(to);
    if (list) list.push(from);
    else waiting.set(to, [from]);
  };
  for (const { task_id, parent_id } of nodes.values()) {
    edge(`end ${task_id}`, `gate ${task_id}`);
    if (parent_id === null || !nodes.has(parent_id)) continue;
    edge(`gate ${task_id}`, `gate ${parent_id}`);
    edge(`end ${parent_id}`, `end ${task_id}`);
  }
  for (const { task_id, depends_on_id } of edges) edge(`gate ${task_id}`, `end ${depends_on_id}`);
  const free = [...nodes.keys()].map((id) => `gate ${id}`).filter((moment) => !waits.has(moment));
  for (let moment = free.pop(); moment !== undefined; moment = free.pop())
    for (const next of waiting.get(moment) ?? []) {
      const left = (waits.get(next) ?? 0) - 1;
      waits.set(next, left);
      if (left === 0) free.push(next);
    }
  const left = [...waits].filter(([, count]) => count > 0).map(([moment]) => moment.split(' ')[1] ?? '');
  return [...new Set(left)].sort();
}

// The brief of a project for an agent that begins to work in it: what to do, what was decided, what went wrong, what is known.
import { limits } from '../../kernel/limits.ts';
import type { OperationContext, Permission } from '../../kernel/operation.ts';
import { mayCall } from '../access/index.ts';
import { summarise } from '../memory/index.ts';
import { cutBrief, type FullSection } from './brief-budget.ts';
import type { OpenTask, ProjectDeps, ProjectMemory, ProjectMemoryQuery } from './deps.ts';
import type { ProjectRow } from './record.ts';
import type { ShownBrief } from './schema.ts';

/** One line of a brief, and the id of what it is about. */
export interface BriefItem {
  readonly ref: string;
  readonly text: string;
}

export interface BriefRequest {
  readonly reason: string | null;
  readonly max_tokens: number;
}

/** English text of models' tokenizers has about four characters a token. */
const CHARS_PER_TOKEN = 4;
const RELATED_MAX_COUNT = 8;
const LINE_MAX_CHARS = 240;

/** What a section costs and is worth: work first, then what keeps it from going wrong, then what is good to know. */
const WEIGHTS = {
  your_tasks: 5,
  ready_tasks: 4,
  blocked_tasks: 3,
  other_tasks: 1,
  decisions: 3,
  incidents: 3,
  drift: 1,
  related: 3,
  activity: 1,
} as const;
type SectionName = keyof typeof WEIGHTS;
type Section = FullSection<BriefItem>;

/** Shows only what the caller may see, and of that only what the caller's credential allows to read. */
export async function briefOf(
  deps: ProjectDeps,
  project: ProjectRow,
  ctx: OperationContext,
  { reason, max_tokens }: BriefRequest,
): Promise<ShownBrief> {
  const may = (permission: Permission) => mayCall(ctx.principal, permission).allowed;
  const tasks = may('task.read') ? await taskSections(deps, project, ctx) : [withheld('ready_tasks', 'task.read')];
  const memories = may('memory.read')
    ? await memorySections(deps, project, ctx, reason)
    : [withheld('decisions', 'memory.read')];
  const sections = [...tasks, ...memories, await driftSection(deps, project, ctx), await activity(deps, project)];
  const cut = cutBrief(sections, max_tokens, {
    heading: ({ name, note }) => tokensOf(`${name} ${note ?? ''}`) + 2,
    item: ({ text, ref }) => tokensOf(`${ref} ${text}`),
  });
  return { sections: cut.sections.map((each) => ({ ...each, items: [...each.items] })), tokens: cut.cost };
}

function tokensOf(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

function section(name: SectionName, items: readonly BriefItem[], more: Partial<Pick<Section, 'note' | 'total'>> = {}) {
  return { name, weight: WEIGHTS[name], items, note: null, total: items.length, ...more };
}

function withheld(name: SectionName, permission: Permission): Section {
  return section(name, [], { note: `Not shown: this credential lacks ${permission}.` });
}

async function taskSections(deps: ProjectDeps, { project_id }: ProjectRow, ctx: OperationContext): Promise<Section[]> {
  const [open, counts] = await Promise.all([
    deps.tasks.openTasks(project_id, ctx, limits.brief_tasks_max_count),
    deps.tasks.openCounts([project_id], ctx),
  ]);
  const { agent_id } = ctx.principal;
  const groups = Map.groupBy(open, (task): SectionName => {
    if (task.holder_agent_id === agent_id || task.assigned_agent_id === agent_id) return 'your_tasks';
    if (task.ready) return 'ready_tasks';
    return task.status === 'blocked' || task.open_dependencies > 0 ? 'blocked_tasks' : 'other_tasks';
  });
  const unread = Math.max(0, (counts.get(project_id) ?? 0) - open.length);
  return (['your_tasks', 'ready_tasks', 'blocked_tasks', 'other_tasks'] as const).flatMap((name) => {
    const items = (groups.get(name) ?? []).map(taskItem);
    const total = items.length + (name === 'other_tasks' ? unread : 0);
    if (total > 0) return [section(name, items, { total })];
    return name === 'ready_tasks' ? [section(name, [], { note: 'No task is ready.' })] : [];
  });
}

function taskItem(task: OpenTask): BriefItem {
  const facts = [
    task.status,
    task.priority,
    task.holder_agent_id === null ? undefined : `held by ${task.holder_agent_id}`,
    task.assigned_agent_id === null ? undefined : `for ${task.assigned_agent_id}`,
    task.open_dependencies > 0 ? `waits for ${task.open_dependencies}` : undefined,
    task.due === null ? undefined : `due ${task.due}`,
  ].filter((fact) => fact !== undefined);
  return { ref: task.task_id, text: `${summarise(task.title, LINE_MAX_CHARS)} (${facts.join(', ')})` };
}

/** On the memories of switches to a project. */
export const SWITCH_TAG = 'project-context';

const DECISIONS = { tags: ['decision', 'decisions'], categories: ['project'] } as const;
const INCIDENTS = { categories: ['incidents'] } as const;

async function memorySections(
  deps: ProjectDeps,
  project: ProjectRow,
  ctx: OperationContext,
  reason: string | null,
): Promise<Section[]> {
  const found = async (query: Omit<ProjectMemoryQuery, 'limit'>) => ({
    rows: await deps.memories.list(project, ctx, { ...query, limit: limits.brief_items_max_count }),
    total: await deps.memories.count(project, ctx, query),
  });
  const [decisions, incidents] = [await found(DECISIONS), await found(INCIDENTS)];
  const words = [reason, project.name, project.description].filter((text) => text).join(' ');
  const team_id = project.team_id ?? undefined;
  const related = await deps.learning.related(words, ctx, { limit: 2 * RELATED_MAX_COUNT, semantic: true, team_id });
  // That others came here for the same reason is no knowledge about it; the activity shows it.
  const switches = await deps.memories.list(project, ctx, { tags: [SWITCH_TAG], limit: limits.page_max_items });
  const told = new Set([...decisions.rows, ...incidents.rows, ...switches].map(({ memory_id }) => memory_id));
  const fresh = related
    .filter(({ memory_id }) => !told.has(memory_id))
    .slice(0, RELATED_MAX_COUNT)
    .map(memoryItem);
  const of = (name: SectionName, { rows, total }: Awaited<ReturnType<typeof found>>) =>
    total > 0 ? [section(name, rows.map(memoryItem), { total })] : [];
  return [
    ...of('decisions', decisions),
    ...of('incidents', incidents),
    ...(fresh.length > 0 ? [section('related', fresh)] : []),
  ];
}

function memoryItem(memory: Pick<ProjectMemory, 'memory_id' | 'category' | 'content' | 'agent_id' | 'created_at'>) {
  const { memory_id, category, content, agent_id, created_at } = memory;
  const text = `${category}, ${created_at.slice(0, 10)}, ${agent_id}: ${summarise(content, LINE_MAX_CHARS)}`;
  return { ref: memory_id, text };
}

async function driftSection({ drift }: ProjectDeps, { project_id }: ProjectRow, ctx: OperationContext) {
  const state = drift === undefined ? null : await drift.of(project_id, ctx);
  if (state === null) return section('drift', [], { note: 'No configuration of this project is watched.' });
  const { drifted, watched } = state;
  if (drifted.count === 0) return section('drift', [], { note: `None in ${watched.count} watched.` });
  const items = drifted.ids.map((ref) => ({ ref, text: 'differs from what it should be' }));
  return section('drift', items, { total: drifted.count });
}

async function activity({ store }: ProjectDeps, { project_id }: ProjectRow): Promise<Section> {
  const of = store.db.selectFrom('project_activity').where('project_id', '=', project_id);
  const [rows, { n }] = await Promise.all([
    of.selectAll().orderBy('activity_id', 'desc').limit(limits.brief_items_max_count).execute(),
    of.select((eb) => eb.fn.countAll<number>().as('n')).executeTakeFirstOrThrow(),
  ]);
  const items = rows.map(({ activity_id, at, action, user_id, agent_id, machine_id, reason }) => {
    const why = reason === null ? '' : `: ${summarise(reason, LINE_MAX_CHARS)}`;
    return { ref: activity_id, text: `${at} ${action} by ${user_id} (${agent_id}, ${machine_id})${why}` };
  });
  return section('activity', items, { total: Number(n) });
}

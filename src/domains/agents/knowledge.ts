// What an agent knows about something: its memories, incidents and runbooks among them, and the tasks it worked on. Never
// more than the caller may see; what the agent itself would say is asked for in knowledge-answer.ts.
import { toIso } from '../../kernel/clock.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import { summarise } from '../memory/index.ts';
import type { AgentDeps, AgentName, AgentWork } from './deps.ts';
import { type Known, rankKnown, shareOfWords } from './knowledge-rank.ts';
import type { AgentRow } from './repository.ts';
import { hasScope } from './scopes.ts';

const TEXT_CHARS = 600;
/** Tasks of the agent that are looked through, newest first. */
const TASKS_MAX_COUNT = 300;
const KINDS: Readonly<Record<string, Known['kind']>> = { runbooks: 'runbook', incidents: 'incident' };

export async function knowledgeOf(
  deps: AgentDeps,
  agent: Pick<AgentRow, 'agent_id' | 'user_id'>,
  question: string,
  limit: number,
  ctx: OperationContext,
): Promise<Known[]> {
  const { principal } = ctx;
  const memories = hasScope(principal, 'memory.read') ? await memoriesOf(deps, agent, question, limit, ctx) : [];
  const tasks = hasScope(principal, 'task.read') ? await tasksOf(deps, agent, question, ctx) : [];
  return rankKnown([...memories, ...tasks], limit);
}

async function memoriesOf(
  { memory, store }: AgentDeps,
  { agent_id, user_id }: Pick<AgentRow, 'agent_id' | 'user_id'>,
  question: string,
  limit: number,
  ctx: OperationContext,
): Promise<Known[]> {
  // Its user too: an id that another user's program gave itself is another agent.
  const filter = { agent_id: [agent_id], user_id, valid_at: toIso(store.clock.now()), include_superseded: false };
  const { hits } = await memory.search.find(question, filter, { limit, offset: 0, semantic: true }, ctx);
  return hits.map(({ row, score, excerpt }) => ({
    kind: KINDS[row.category] ?? 'memory',
    id: row.memory_id,
    text: summarise(excerpt ?? row.content, TEXT_CHARS),
    score,
    at: row.occurred_at ?? row.created_at,
    machine_id: row.machine_id,
    task_id: taskIn(row.metadata),
  }));
}

/** Task that a memory was made of, as learning notes it. */
function taskIn(metadata: string): string | undefined {
  const { task_id } = JSON.parse(metadata) as { readonly task_id?: unknown };
  return typeof task_id === 'string' ? task_id : undefined;
}

async function tasksOf(
  { history }: AgentDeps,
  agent: AgentName,
  question: string,
  ctx: OperationContext,
): Promise<Known[]> {
  const tasks = await history.workOf(agent, ctx, TASKS_MAX_COUNT);
  return tasks.map((task) => ({
    kind: 'task',
    id: task.task_id,
    text: summarise(textOf(task), TEXT_CHARS),
    score: shareOfWords(question, `${task.title} ${task.description} ${task.resolution ?? ''}`),
    at: task.updated_at,
    machine_id: task.machine_id,
  }));
}

function textOf({ title, status, resolution, description }: AgentWork): string {
  return `${title} [${status}]${resolution ? `: ${resolution}` : ''} ${description}`;
}

// query_agent_knowledge: what an agent knows, from what it left behind, and from itself where that is asked for.
import { z } from 'zod';
import { toIso } from '../../../kernel/clock.ts';
import { limitField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, type OperationContext, WRITES } from '../../../kernel/operation.ts';
import type { AgentDeps } from '../deps.ts';
import { agentNotFound } from '../errors.ts';
import { knowledgeOf } from '../knowledge.ts';
import { ask, awaitAnswer } from '../knowledge-answer.ts';
import { statusOf } from '../presence.ts';
import { stored } from '../render.ts';
import { findVisible, latest, type SeenAgent } from '../repository.ts';
import { agentIdField, statusField } from '../schema.ts';
import { assertScopes } from '../scopes.ts';

const SECOND_MS = 1_000;
const TIMEOUT_DEFAULT_SECONDS = 30;

const input = z.strictObject({
  agent_id: agentIdField,
  query: z.string().trim().min(1).max(limits.query_length_max_chars).describe('What about.'),
  limit: limitField(10, 50),
  ask_live: z.boolean().default(false).describe('Ask it and wait.'),
  timeout_seconds: z
    .number()
    .int()
    .min(1)
    .max(limits.agent_answer_timeout_max_ms / SECOND_MS)
    .default(TIMEOUT_DEFAULT_SECONDS)
    .describe('For its answer.'),
});

const output = z.object({
  agent_id: z.string().describe('Agent.'),
  status: statusField,
  knowledge: z
    .array(
      z.object({
        kind: z.enum(['memory', 'runbook', 'incident', 'task']).describe('What it is.'),
        memory_id: z.string().optional().describe('Of a memory.'),
        task_id: z.string().optional().describe('Of a task, or that it was learned from.'),
        text: z.string().describe('Shortened.'),
        score: z.number().describe('0 to 1 in this answer.'),
        at: z.string().describe('When.'),
        machine_id: z.string().describe('Where.'),
      }),
    )
    .describe('Best first.'),
  message_id: z.string().nullable().describe('The question in its inbox.'),
  answer: z
    .object({
      message_id: z.string().describe('Id.'),
      body: z.string().describe('What it says.'),
      created_at: z.string().describe('When.'),
    })
    .nullable()
    .describe('Its own.'),
  notice: z.string().nullable().describe('Why there is none.'),
});

type Output = z.input<typeof output>;

export const queryAgentKnowledge = defineOperation<AgentDeps, typeof input, typeof output>({
  name: 'query_agent_knowledge',
  title: 'Query agent knowledge',
  description:
    'What an agent knows: its memories, incidents, runbooks and tasks, ranked; with ask_live its own answer too.',
  toolset: 'agents',
  input,
  output,
  // A question that is asked stays in an inbox.
  effects: WRITES,
  permission: 'agent.read',
  rest: { method: 'POST', path: '/agents/{agent_id}/knowledge' },
  // No table: it would leave the answer out.
  cli: { group: 'agent', verb: 'ask', positional: ['agent_id', 'query'] },
  examples: [
    {
      title: 'What the specialist knows',
      input: { agent_id: 'elastic1-specialist', query: 'memory optimization techniques' },
    },
  ],
  async handle(deps, { agent_id, query, limit, ask_live, timeout_seconds }, ctx) {
    if (ask_live) assertScopes(ctx.principal, 'agent.write');
    const agent = await findVisible(deps.store.db, agent_id, ctx.principal, toIso(deps.store.clock.now()));
    if (!agent) throw agentNotFound(agent_id);
    const status = await statusNow(deps, agent, ctx);
    const known = await knowledgeOf(deps, agent, query, limit, ctx);
    const knowledge = known.map(({ kind, id, task_id, text, score, at, machine_id }) => ({
      kind,
      ...(kind === 'task' ? { task_id: id } : { memory_id: id, ...(task_id === undefined ? {} : { task_id }) }),
      ...{ text, at, machine_id },
      score: Math.round(score * 10_000) / 10_000,
    }));
    const asked = ask_live ? await askLive(deps, agent, status, query, timeout_seconds, ctx) : NOT_ASKED;
    return { agent_id, status, knowledge, ...asked };
  },
  text({ agent_id, status, knowledge, answer, notice }) {
    const lines = knowledge.map(
      ({ kind, memory_id, task_id, text, at, machine_id, score }) =>
        `[${score.toFixed(2)} ${kind} ${memory_id ?? task_id} · ${at} · ${machine_id}] ${text}`,
    );
    const head = `${agent_id} is ${status}. ${lines.length} found.${notice === null ? '' : ` ${notice}`}`;
    return [
      { kind: 'text', text: head },
      ...stored(answer ? [`Its answer (${answer.message_id}): ${answer.body}`, ...lines] : lines),
    ];
  },
});

const NOT_ASKED = { message_id: null, answer: null, notice: null } as const;

async function askLive(
  deps: AgentDeps,
  agent: SeenAgent,
  status: Output['status'],
  query: string,
  timeout_seconds: number,
  ctx: OperationContext,
): Promise<Pick<Output, 'message_id' | 'answer' | 'notice'>> {
  const { agent_id } = agent;
  if (agent_id === ctx.principal.agent_id) return { ...NOT_ASKED, notice: 'That is yourself: nobody was asked.' };
  const question = await ask(deps, agent, query, ctx);
  const { message_id } = question;
  const stays = `The question ${message_id} stays in its inbox; an answer comes into yours.`;
  if (status === 'offline')
    return { message_id, answer: null, notice: `It is offline and was not waited for. ${stays}` };
  const answer = await awaitAnswer(deps, question, timeout_seconds * SECOND_MS, ctx);
  if (!answer) return { message_id, answer: null, notice: `No answer in ${timeout_seconds} s. ${stays}` };
  const { body, created_at } = answer;
  return { message_id, answer: { message_id: answer.message_id, body, created_at }, notice: null };
}

async function statusNow({ store, tasks, presence }: AgentDeps, agent: SeenAgent, ctx: OperationContext) {
  const last_seen_at = latest(agent.last_seen_at, presence.pendingOf(agent.agent_id));
  const held = (await tasks.loadOf([agent], ctx)).get(agent.agent_id)?.held ?? 0;
  return statusOf(Date.parse(last_seen_at), held, store.clock.now());
}

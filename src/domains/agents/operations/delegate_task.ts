// delegate_task: work for a certain agent, or for the one that fits best.
import { z } from 'zod';
import { idField, timeField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import { delegate, namedOf, recordOf } from '../delegation.ts';
import type { AgentDeps } from '../deps.ts';
import { stored } from '../render.ts';
import { agentIdField, capabilitiesField } from '../schema.ts';

/** Agents named in an answer. */
const SHOWN_MAX_COUNT = 10;

const input = z.strictObject({
  task_description: z.string().trim().min(1).max(limits.task_text_length_max_chars).describe('What to do.'),
  required_capabilities: capabilitiesField.describe('All of them.').default([]),
  agent_id: agentIdField.describe('Default: the best.').optional(),
  priority: z.enum(['critical', 'high', 'medium', 'low']).default('medium').describe('Urgency.'),
  deadline: timeField('Due.').optional(),
  project_id: idField('Project.').optional(),
  scope: z.enum(['solo', 'team', 'shared']).describe('Who sees it.').optional(),
  team_id: idField('Team.').optional(),
});

const output = z.object({
  task_id: z.string().describe('The task.'),
  title: z.string().describe('One line.'),
  status: z.string().describe('Column of the board.'),
  queued: z.boolean().describe('Nobody can do it now: it waits.'),
  assigned_agent_id: z.string().nullable().describe('Whose it is.'),
  reason: z.string().describe('Why that one, or why nobody.'),
  missing: z.array(z.string()).describe('Needed, and nobody has it.'),
  considered: z
    .array(
      z.object({
        agent_id: z.string().describe('Agent.'),
        score: z.number().nullable().describe('0 to 1; null: not in question.'),
        record: z.string().describe('What decided.'),
      }),
    )
    .describe('Best first.'),
  lacking: z.number().describe('More that lack what it needs.'),
  message_ids: z.array(z.string()).describe('Written to the agent, or as offers.'),
});

export const delegateTask = defineOperation<AgentDeps, typeof input, typeof output>({
  name: 'delegate_task',
  title: 'Delegate task',
  description: 'Gives a task to an agent, or to the best one there that can do it. If nobody can, it waits.',
  toolset: 'agents',
  input,
  output,
  effects: WRITES,
  permission: 'agent.write',
  rest: { method: 'POST', path: '/agents/delegations', status: 201 },
  cli: { group: 'agent', verb: 'delegate', positional: ['task_description'] },
  examples: [
    {
      title: 'To whoever can do it',
      input: {
        task_description: 'Optimize search performance on elastic1',
        required_capabilities: ['elasticsearch_ops'],
      },
    },
  ],
  async handle(deps, wanted, ctx) {
    const { task, chosen, reason, missing, considered, messages } = await delegate(deps, wanted, ctx);
    const { task_id, title, status } = task;
    const { named, lacking } = namedOf(considered, SHOWN_MAX_COUNT);
    const full = chosen && messages.length === 0 ? ' Its inbox is full: it was not told.' : '';
    return {
      ...{ task_id, title, status },
      queued: chosen === undefined,
      assigned_agent_id: chosen?.agent_id ?? null,
      reason: `${reason}${full}`,
      missing: [...missing],
      considered: named.map((ranked) => ({
        agent_id: ranked.agent_id,
        score: ranked.score === null ? null : Math.round(ranked.score * 1000) / 1000,
        record: recordOf(ranked),
      })),
      lacking,
      message_ids: messages.map(({ message_id }) => message_id),
    };
  },
  text(out) {
    const whose = out.assigned_agent_id === null ? 'waits' : `goes to ${out.assigned_agent_id}`;
    const lines = out.considered.map(({ agent_id, score, record }) => `${agent_id} ${score ?? '-'} (${record})`);
    if (out.lacking > 0) lines.push(`${out.lacking} more lack what it needs`);
    return [{ kind: 'text', text: `${out.task_id} ${whose}. ${out.reason}` }, ...stored([out.title, ...lines])];
  },
});

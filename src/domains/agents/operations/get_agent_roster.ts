// get_agent_roster: who is there, what they can do and how busy they are.
import { z } from 'zod';
import { cursorField, limitField, nameField, nextCursorField } from '../../../kernel/fields.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import type { AgentDeps } from '../deps.ts';
import { stored } from '../render.ts';
import { capabilitiesIn } from '../repository.ts';
import { roster } from '../roster.ts';
import { machineField, roleField, statusField } from '../schema.ts';

const input = z.strictObject({
  status: statusField.optional(),
  capability: nameField('Can do this.').toLowerCase().optional(),
  machine: machineField.optional(),
  role: roleField.optional(),
  limit: limitField(50),
  cursor: cursorField,
});

const output = z.object({
  agents: z
    .array(
      z.object({
        agent_id: z.string().describe('Id.'),
        user_id: z.string().describe('Whose it is.'),
        machine_id: z.string().describe('Machine.'),
        role: z.string().describe('Role.'),
        description: z.string().describe('More about it.'),
        capabilities: z.array(z.string()).describe('What it can do.'),
        status: statusField,
        last_seen_at: z.string().describe('Of its latest call.'),
        current_task: z
          .object({ task_id: z.string().describe('Id.'), title: z.string().describe('One line.') })
          .nullable()
          .describe('What it works on, where you may see it.'),
        load: z
          .object({
            held: z.number().describe('Tasks it works on.'),
            assigned: z.number().describe('Tasks that wait for it.'),
            done_30d: z.number().describe('Done in 30 days.'),
            failed_30d: z.number().describe('Failed in 30 days.'),
          })
          .describe('Work.'),
        waiting_messages: z.number().describe('In its inbox.'),
      }),
    )
    .describe('Active ones first.'),
  counts: z
    .object({
      active: z.number().describe('At work or just heard of.'),
      idle: z.number().describe('There.'),
      offline: z.number().describe('Silent.'),
    })
    .describe('Of all that match.'),
  next_cursor: nextCursorField,
});

export const getAgentRoster = defineOperation<AgentDeps, typeof input, typeof output>({
  name: 'get_agent_roster',
  title: 'Agent roster',
  description: 'Lists agents with status, capabilities, current task, load and last call.',
  toolset: 'agents',
  input,
  output,
  effects: READS,
  permission: 'agent.read',
  rest: { method: 'GET', path: '/agents' },
  cli: {
    group: 'agent',
    verb: 'list',
    table: { rows: 'agents', columns: ['agent_id', 'status', 'role', 'machine_id', 'last_seen_at', 'current_task'] },
  },
  examples: [{ title: 'Who is there', input: {} }],
  async handle(deps, query, ctx) {
    const { page, counts, next_cursor } = await roster(deps, query, ctx);
    const agents = page.map((entry) => ({
      agent_id: entry.agent_id,
      user_id: entry.user_id,
      machine_id: entry.machine_id,
      role: entry.role,
      description: entry.description,
      capabilities: [...capabilitiesIn(entry)],
      status: entry.status,
      last_seen_at: entry.last_seen_at,
      current_task: entry.load.current_task,
      load: {
        held: entry.load.held,
        assigned: entry.load.assigned_open,
        done_30d: entry.load.done_30d,
        failed_30d: entry.load.failed_30d,
      },
      waiting_messages: entry.waiting_messages,
    }));
    return { agents, counts, next_cursor };
  },
  text({ agents, counts, next_cursor }) {
    const lines = agents.map(({ agent_id, status, role, capabilities, current_task, load, last_seen_at }) => {
      const works = current_task ? `; on ${current_task.task_id} ${current_task.title}` : '';
      const can = capabilities.length > 0 ? `; can ${capabilities.join(', ')}` : '';
      return `${agent_id} ${status} (${role}), last seen ${last_seen_at}, holds ${load.held}, waiting ${load.assigned}${can}${works}`;
    });
    const more = next_cursor === null ? '' : ` More with cursor=${next_cursor}`;
    const head = `Agents: ${counts.active} active, ${counts.idle} idle, ${counts.offline} offline.${more}`;
    return [{ kind: 'text', text: head }, ...stored(lines)];
  },
});

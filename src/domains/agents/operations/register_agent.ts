// register_agent: says who this session acts as, and answers with what waits for that agent.
import { z } from 'zod';
import { toIso } from '../../../kernel/clock.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, type OperationContext, UPDATES } from '../../../kernel/operation.ts';
import type { AgentDeps } from '../deps.ts';
import { inboxKey, waitingFor } from '../messages.ts';
import { offerQueued } from '../offers.ts';
import { register } from '../register.ts';
import { agentTaskLine, stored } from '../render.ts';
import { agentTaskSchema, capabilitiesField, machineField, roleField } from '../schema.ts';

const input = z.strictObject({
  role: roleField,
  description: z.string().trim().max(limits.context_length_max_chars).describe('More about it.').optional(),
  capabilities: capabilitiesField.describe('What it can do; default: by machine group.').optional(),
  machine: machineField.describe('Machine it works on; default: this one.').optional(),
});

const output = z.object({
  agent_id: z.string().describe('Id.'),
  created: z.boolean().describe('False: it was registered before.'),
  role: z.string().describe('Role.'),
  machine_id: z.string().describe('Machine it works on.'),
  capabilities: z.array(z.string()).describe('What it can do.'),
  capabilities_from: z.enum(['given', 'machine_group', 'none']).describe('Where they came from.'),
  tasks: z.array(agentTaskSchema).describe('Tasks it holds or is assigned, to go on with.'),
  offers: z.array(agentTaskSchema).describe('Tasks that wait for somebody like it.'),
  unread_messages: z.number().describe('Waiting in its inbox.'),
});

export const registerAgent = defineOperation<AgentDeps, typeof input, typeof output>({
  name: 'register_agent',
  title: 'Register agent',
  description: 'Registers this session as an agent, or as the same one again. Returns its tasks and what waits for it.',
  toolset: 'agents',
  input,
  output,
  effects: { ...UPDATES, destructive: false },
  permission: 'agent.write',
  rest: { method: 'POST', path: '/agents' },
  cli: { group: 'agent', verb: 'register', positional: ['role'] },
  examples: [
    {
      title: 'Register with a role',
      input: { role: 'hive_mind', description: 'Primary orchestrator', capabilities: ['coordination'] },
    },
  ],
  async handle(deps, wanted, caller) {
    const { store, presence, tasks } = deps;
    const { row, agent, created } = await register(deps, wanted, caller);
    const { agent_id } = agent;
    const ctx: OperationContext = { ...caller, agent, principal: { ...caller.principal, agent_id } };
    const { user_id } = ctx.principal;
    presence.note({ session_key: ctx.session.key, user_id, agent_id, operation: 'register_agent' });
    await presence.flush();
    const offers = await offerQueued(deps, ctx);
    const waiting = await waitingFor(store.db, [row], toIso(store.clock.now()));
    return {
      agent_id,
      created,
      role: row.role,
      machine_id: row.machine_id,
      capabilities: [...agent.capabilities],
      capabilities_from: row.capabilities_from as 'given' | 'machine_group' | 'none',
      tasks: [...(await tasks.tasksOf(agent_id, ctx, limits.agent_tasks_shown_max_count))],
      offers: [...offers],
      unread_messages: waiting.get(inboxKey(row)) ?? 0,
    };
  },
  text(out) {
    const can = out.capabilities.length > 0 ? `can: ${out.capabilities.join(', ')}` : 'no capabilities';
    const mail = out.unread_messages > 0 ? ` check_inbox: ${out.unread_messages} waiting.` : '';
    const lines = [
      ...out.tasks.map(agentTaskLine),
      ...(out.offers.length > 0 ? ['Waiting for somebody like you:', ...out.offers.map(agentTaskLine)] : []),
    ];
    return [
      { kind: 'text', text: `${out.created ? 'Registered as' : 'You are'} ${out.agent_id}; ${can}.${mail}` },
      ...stored(lines),
    ];
  },
});

// send_message: a few words into another agent's inbox.
import { z } from 'zod';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import type { AgentDeps } from '../deps.ts';
import { agentIdField, bodyField, expiryField, messageIdField } from '../schema.ts';
import { send } from '../send.ts';

const MINUTE_MS = 60_000;

const input = z.strictObject({
  to_agent_id: agentIdField.describe('Agent to write to.').optional(),
  reply_to: messageIdField.describe('Or message to answer.').optional(),
  message: bodyField,
  expires_in_minutes: expiryField.optional(),
});

const output = z.object({
  message_id: z.string().describe('Id.'),
  kind: z.enum(['note', 'answer']).describe('answer: to a question.'),
  to_agent_id: z.string().describe('Whose inbox it is in.'),
  expires_at: z.string().describe('Nobody reads it afterwards.'),
});

export const sendMessage = defineOperation<AgentDeps, typeof input, typeof output>({
  name: 'send_message',
  title: 'Send message',
  description: "Puts a message into an agent's inbox, or answers one.",
  toolset: 'agents',
  input,
  output,
  effects: WRITES,
  permission: 'agent.write',
  rest: { method: 'POST', path: '/agents/messages', status: 201 },
  cli: { group: 'agent', verb: 'send', positional: ['to_agent_id', 'message'] },
  examples: [
    { title: 'Tell an agent', input: { to_agent_id: 'elastic1-specialist', message: 'The mapping is changed.' } },
  ],
  async handle(deps, { message, expires_in_minutes, ...to }, ctx) {
    const ttl_ms = expires_in_minutes === undefined ? undefined : expires_in_minutes * MINUTE_MS;
    const { message_id, kind, to_agent_id, expires_at } = await send(deps, { ...to, body: message, ttl_ms }, ctx);
    return { message_id, kind: kind as 'note' | 'answer', to_agent_id, expires_at };
  },
  text: ({ message_id, to_agent_id, expires_at }) => [
    { kind: 'text', text: `Sent ${message_id} to ${to_agent_id}; it expires ${expires_at}.` },
  ],
});

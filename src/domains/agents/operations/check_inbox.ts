// check_inbox: what was written to the agent of this session, until it says that it has it.
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.ts';
import { cursorField, limitField, nextCursorField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import type { AgentDeps } from '../deps.ts';
import { checkInbox, inboxOf, toShown } from '../inbox.ts';
import { messageLines, stored } from '../render.ts';
import { agentIdField, messageIdField, messageSchema } from '../schema.ts';

const input = z.strictObject({
  agent_id: agentIdField.describe('Only your own.').optional(),
  acknowledge: z.array(messageIdField).max(limits.page_max_items).default([]).describe('Messages not to come again.'),
  limit: limitField(),
  cursor: cursorField,
});

const output = z.object({
  agent_id: z.string().describe('Whose inbox it is.'),
  messages: z.array(messageSchema).describe('Oldest first.'),
  acknowledged: z.array(z.string()).describe('These will not come again.'),
  unknown: z.array(z.string()).describe('To be acknowledged, and not there.'),
  next_cursor: nextCursorField,
});

export const checkInboxOperation = defineOperation<AgentDeps, typeof input, typeof output>({
  name: 'check_inbox',
  title: 'Check inbox',
  description: 'Returns messages to this agent, until acknowledged or expired.',
  toolset: 'agents',
  input,
  output,
  effects: WRITES,
  permission: 'agent.write',
  rest: { method: 'POST', path: '/agents/inbox' },
  cli: {
    group: 'agent',
    verb: 'inbox',
    table: { rows: 'messages', columns: ['message_id', 'kind', 'from_agent_id', 'created_at', 'body'] },
  },
  examples: [{ title: 'What is new', input: {} }],
  async handle({ store, changed }, { agent_id, acknowledge, limit, cursor }, ctx) {
    const inbox = inboxOf(ctx, agent_id);
    const [after] = cursor === undefined ? [] : (decodeCursor(cursor, 2) as [string, number]);
    const page = await checkInbox(store, inbox, { acknowledge, limit, after });
    if (page.acknowledged.length > 0) changed('inbox', inbox.agent_id);
    const last = page.more ? page.messages.at(-1) : undefined;
    return {
      agent_id: inbox.agent_id,
      messages: page.messages.map(toShown),
      acknowledged: [...page.acknowledged],
      unknown: [...page.unknown],
      next_cursor: last ? encodeCursor([last.message_id, 0]) : null,
    };
  },
  text({ agent_id, messages, acknowledged, next_cursor }) {
    const done = acknowledged.length > 0 ? `Acknowledged: ${acknowledged.length}. ` : '';
    if (messages.length === 0) return [{ kind: 'text', text: `${done}No messages for ${agent_id}.` }];
    const more = next_cursor === null ? '' : ` More with cursor=${next_cursor}`;
    const head = `${done}Messages for ${agent_id}: ${messages.length}. acknowledge=[ids] ends them.${more}`;
    return [{ kind: 'text', text: head }, ...stored(messages.map(messageLines))];
  },
});

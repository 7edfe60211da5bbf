// Writing to one agent: to one the caller may see, or back to whoever wrote.
import { toIso } from '../../kernel/clock.ts';
import { failure } from '../../kernel/errors.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import type { AgentDeps } from './deps.ts';
import { agentNotFound, inboxFull, messageNotFound } from './errors.ts';
import { findMessage, inboxOf } from './inbox.ts';
import { type MessageRow, postMessages, type Recipient } from './messages.ts';
import { findVisible } from './repository.ts';

export interface Letter {
  readonly to_agent_id?: string | undefined;
  readonly reply_to?: string | undefined;
  readonly body: string;
  readonly ttl_ms?: number | undefined;
}

interface Addressed {
  readonly to: Recipient;
  readonly kind: 'note' | 'answer';
  readonly task_id: string | null;
}

/**
 * Errors: `invalid_input` unless exactly one of agent and message is named, `not_found`, `conflict` for a reply without an
 * inbox of one's own, `limit_exceeded` where the inbox is full.
 */
export async function send(deps: AgentDeps, letter: Letter, ctx: OperationContext): Promise<MessageRow> {
  const { store, redact, changed } = deps;
  const { reply_to = null, ttl_ms } = letter;
  const { to, kind, task_id } = await addressed(deps, letter, ctx);
  const { text: body } = await redact(letter.body);
  const [posted] = await store.write((trx) =>
    postMessages(store, trx, ctx.principal, [to], {
      ...{ kind, body, reply_to, task_id },
      ...(ttl_ms === undefined ? {} : { ttl_ms }),
    }),
  );
  if (!posted) throw inboxFull(to.agent_id);
  changed('inbox', to.agent_id);
  return posted;
}

async function addressed(
  { store }: AgentDeps,
  { to_agent_id, reply_to }: Letter,
  ctx: OperationContext,
): Promise<Addressed> {
  if ((to_agent_id === undefined) === (reply_to === undefined))
    throw failure('invalid_input', 'send_message: give to_agent_id or reply_to, and not both.', 'See check_inbox.');
  if (to_agent_id !== undefined) {
    const found = await findVisible(store.db, to_agent_id, ctx.principal, toIso(store.clock.now()));
    if (!found) throw agentNotFound(to_agent_id);
    return { to: found, kind: 'note', task_id: null };
  }
  // Whoever wrote may be answered, though one does not see them otherwise.
  const message = await findMessage(store.db, inboxOf(ctx), reply_to ?? '');
  if (!message) throw messageNotFound(reply_to ?? '');
  const { from_agent_id: agent_id, from_user_id: user_id, task_id } = message;
  return { to: { agent_id, user_id }, kind: message.kind === 'question' ? 'answer' : 'note', task_id };
}

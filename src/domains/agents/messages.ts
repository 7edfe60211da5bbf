// Messages between agents: written into bounded inboxes, handed out until they are acknowledged or expire.
import type { Selectable } from 'kysely';
import { toIso } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { AgentReader, AgentStore, AgentTrx } from './deps.ts';
import type { AgentMessageTable } from './tables.ts';

export const MESSAGE_KINDS = ['note', 'task', 'offer', 'discovery', 'question', 'answer'] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];
export type MessageRow = Selectable<AgentMessageTable>;

/** Whose inbox it goes into. An agent that is not registered gets it too: whoever asked waits for the answer. */
export interface Recipient {
  readonly agent_id: string;
  readonly user_id: string;
}

export interface NewMessage {
  readonly kind: MessageKind;
  /** Secrets in it are replaced already. */
  readonly body: string;
  readonly severity?: string | null;
  readonly reply_to?: string | null;
  readonly task_id?: string | null;
  readonly memory_id?: string | null;
  /** From now; default: limits.agent_message_ttl_ms. */
  readonly ttl_ms?: number;
}

/**
 * Puts a message into the inbox of each recipient that has room, in the caller's transaction. Returns the messages that
 * were written, in the recipients' order; who is missing there has a full inbox.
 */
export async function postMessages(
  store: AgentStore,
  trx: AgentTrx,
  from: Principal,
  recipients: readonly Recipient[],
  { kind, body, severity = null, reply_to = null, task_id = null, memory_id = null, ttl_ms }: NewMessage,
): Promise<readonly MessageRow[]> {
  const now_ms = store.clock.now();
  const now = toIso(now_ms);
  const waiting = await waitingFor(
    trx,
    recipients.map(({ agent_id }) => agent_id),
    now,
  );
  const posted: MessageRow[] = [];
  for (const { agent_id, user_id } of recipients) {
    if ((waiting.get(agent_id) ?? 0) >= limits.agent_inbox_max_count) continue;
    const message_id = newId('msg', now_ms);
    const row: MessageRow = {
      ...{ message_id, kind, body, severity, reply_to, task_id, memory_id },
      from_user_id: from.user_id,
      from_agent_id: from.agent_id,
      from_machine_id: from.machine_id,
      to_user_id: user_id,
      to_agent_id: agent_id,
      created_at: now,
      expires_at: toIso(now_ms + (ttl_ms ?? limits.agent_message_ttl_ms)),
      deliveries: 0,
      first_read_at: null,
      acknowledged_at: null,
      ...(await store.recordChange(trx, {
        entity: 'agent_message',
        entity_id: message_id,
        kind: 'put',
        before: {},
      })),
    };
    await trx.insertInto('agent_messages').values(row).execute();
    posted.push(row);
  }
  return posted;
}

/** Messages by agent that are neither acknowledged nor expired. `now`: ISO time. */
export async function waitingFor(
  db: AgentReader,
  agent_ids: readonly string[],
  now: string,
): Promise<ReadonlyMap<string, number>> {
  if (agent_ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('agent_messages')
    .select((eb) => ['to_agent_id', eb.fn.countAll<number>().as('waiting')])
    .where('to_agent_id', 'in', [...new Set(agent_ids)])
    .where('acknowledged_at', 'is', null)
    .where('expires_at', '>', now)
    .groupBy('to_agent_id')
    .execute();
  return new Map(rows.map(({ to_agent_id, waiting }) => [to_agent_id, Number(waiting)]));
}

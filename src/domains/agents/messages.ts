// Messages between agents: written into bounded inboxes, handed out until they are acknowledged or expire.
import type { Selectable } from 'kysely';
import { toIso } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { AgentReader, AgentStore, AgentTrx } from './deps.ts';
import type { AgentMessageTable } from './tables.ts';

const UNREGISTERED_TTL_MS = limits.agent_unregistered_message_ttl_ms;

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
  /** From now; default: limits.agent_message_ttl_ms. Shorter for an agent that is not registered. */
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
  const waiting = await waitingFor(trx, recipients, now);
  const registered = await registeredAmong(trx, recipients);
  const posted: MessageRow[] = [];
  for (const recipient of recipients) {
    const { agent_id, user_id } = recipient;
    if ((waiting.get(inboxKey(recipient)) ?? 0) >= limits.agent_inbox_max_count) continue;
    const usual_ms = ttl_ms ?? limits.agent_message_ttl_ms;
    // Who is not registered reads no inbox: it waits for an answer, or does not.
    const lasts_ms = registered.has(inboxKey(recipient)) ? usual_ms : Math.min(usual_ms, UNREGISTERED_TTL_MS);
    const message_id = newId('msg', now_ms);
    const row: MessageRow = {
      ...{ message_id, kind, body, severity, reply_to, task_id, memory_id },
      from_user_id: from.user_id,
      from_agent_id: from.agent_id,
      from_machine_id: from.machine_id,
      to_user_id: user_id,
      to_agent_id: agent_id,
      created_at: now,
      expires_at: toIso(now_ms + lasts_ms),
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

/** Names an inbox: the same agent id of another user is another one. */
export function inboxKey({ user_id, agent_id }: Recipient): string {
  return JSON.stringify([user_id, agent_id]);
}

async function registeredAmong(db: AgentReader, recipients: readonly Recipient[]): Promise<ReadonlySet<string>> {
  if (recipients.length === 0) return new Set();
  const ids = [...new Set(recipients.map(({ agent_id }) => agent_id))];
  const rows = await db.selectFrom('agents').select(['agent_id', 'user_id']).where('agent_id', 'in', ids).execute();
  return new Set(rows.map(inboxKey));
}

/** Messages by inbox (`inboxKey`) that are neither acknowledged nor expired. `now`: ISO time. */
export async function waitingFor(
  db: AgentReader,
  inboxes: readonly Recipient[],
  now: string,
): Promise<ReadonlyMap<string, number>> {
  if (inboxes.length === 0) return new Map();
  const rows = await db
    .selectFrom('agent_messages')
    .select((eb) => ['to_user_id', 'to_agent_id', eb.fn.countAll<number>().as('waiting')])
    .where('to_agent_id', 'in', [...new Set(inboxes.map(({ agent_id }) => agent_id))])
    .where('acknowledged_at', 'is', null)
    .where('expires_at', '>', now)
    .groupBy(['to_user_id', 'to_agent_id'])
    .execute();
  return new Map(
    rows.map(({ to_user_id, to_agent_id, waiting }) => [
      inboxKey({ user_id: to_user_id, agent_id: to_agent_id }),
      Number(waiting),
    ]),
  );
}

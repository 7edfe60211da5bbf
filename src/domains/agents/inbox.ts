// An agent's inbox: messages are handed out until they are acknowledged or expire, so that each arrives at least once.
import { sql } from 'kysely';
import { toIso } from '../../kernel/clock.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import type { VersionVector } from '../../storage/changes.ts';
import type { AgentReader, AgentStore, AgentTrx } from './deps.ts';
import { inboxNotFound, noAgent } from './errors.ts';
import type { MessageKind, MessageRow } from './messages.ts';
import type { ShownMessage } from './schema.ts';

export interface Inbox {
  readonly agent_id: string;
  readonly user_id: string;
}

/**
 * Whose inbox a call is about: that of the agent its session acts as, and no other. Throws `conflict` where it is none,
 * `not_found` where another's is `asked` for, there or not.
 */
export function inboxOf({ agent, principal }: OperationContext, asked?: string): Inbox {
  if (!agent) throw noAgent();
  if (asked !== undefined && asked !== agent.agent_id) throw inboxNotFound(asked);
  return { agent_id: agent.agent_id, user_id: principal.user_id };
}

export interface InboxQuery {
  readonly acknowledge: readonly string[];
  readonly limit: number;
  /** Message after which the page begins. */
  readonly after?: string | undefined;
}

export interface InboxPage {
  /** Oldest first; one more than the limit where there are more. */
  readonly messages: readonly MessageRow[];
  readonly more: boolean;
  readonly acknowledged: readonly string[];
  /** Ids that are no messages of this inbox any more, or never were. */
  readonly unknown: readonly string[];
}

/**
 * Acknowledges, then hands out what is left, in one transaction. Handing out is counted and ends nothing: whoever dies
 * before it acted on a message is given it again.
 */
export function checkInbox(store: AgentStore, inbox: Inbox, query: InboxQuery): Promise<InboxPage> {
  return store.write(async (trx) => {
    const now = toIso(store.clock.now());
    const known = await acknowledge(store, trx, inbox, query.acknowledge, now);
    const waiting = waitingIn(trx, inbox, now)
      .select('message_id')
      .orderBy('message_id')
      .limit(query.limit + 1);
    const found = await (query.after === undefined ? waiting : waiting.where('message_id', '>', query.after)).execute();
    const ids = found.slice(0, query.limit).map(({ message_id }) => message_id);
    return {
      messages: ids.length === 0 ? [] : await handOut(trx, ids, now),
      more: found.length > query.limit,
      acknowledged: query.acknowledge.filter((id) => known.has(id)),
      unknown: query.acknowledge.filter((id) => !known.has(id)),
    };
  });
}

/** Messages that are neither acknowledged nor expired. */
export function waitingIn(db: AgentReader, { agent_id, user_id }: Inbox, now: string) {
  return db
    .selectFrom('agent_messages')
    .where('to_agent_id', '=', agent_id)
    .where('to_user_id', '=', user_id)
    .where('acknowledged_at', 'is', null)
    .where('expires_at', '>', now);
}

/** A message that came to this inbox, also where it was acknowledged. */
export function findMessage(db: AgentReader, { agent_id, user_id }: Inbox, message_id: string) {
  return db
    .selectFrom('agent_messages')
    .selectAll()
    .where('message_id', '=', message_id)
    .where('to_agent_id', '=', agent_id)
    .where('to_user_id', '=', user_id)
    .executeTakeFirst();
}

/** Returns the ids that are messages of this inbox, acknowledged now or before. */
async function acknowledge(
  store: AgentStore,
  trx: AgentTrx,
  { agent_id, user_id }: Inbox,
  message_ids: readonly string[],
  now: string,
): Promise<ReadonlySet<string>> {
  if (message_ids.length === 0) return new Set();
  const query = trx
    .selectFrom('agent_messages')
    .select(['message_id', 'acknowledged_at', 'version_vector'])
    .where('message_id', 'in', [...new Set(message_ids)])
    .where('to_agent_id', '=', agent_id)
    .where('to_user_id', '=', user_id)
    .orderBy('message_id');
  const rows = await store.dialect.forChange(query).execute();
  for (const { message_id, acknowledged_at, version_vector } of rows) {
    if (acknowledged_at !== null) continue;
    const before = JSON.parse(version_vector) as VersionVector;
    const change = { entity: 'agent_message', entity_id: message_id, kind: 'put', before } as const;
    await trx
      .updateTable('agent_messages')
      .set({ acknowledged_at: now, ...(await store.recordChange(trx, change)) })
      .where('message_id', '=', message_id)
      .execute();
  }
  return new Set(rows.map(({ message_id }) => message_id));
}

async function handOut(trx: AgentTrx, message_ids: readonly string[], now: string): Promise<readonly MessageRow[]> {
  const rows = await trx
    .updateTable('agent_messages')
    .set({
      deliveries: sql<number>`deliveries + 1`,
      first_read_at: sql<string>`coalesce(first_read_at, ${now})`,
    })
    .where('message_id', 'in', message_ids)
    .returningAll()
    .execute();
  return rows.sort((a, b) => (a.message_id < b.message_id ? -1 : 1));
}

export function toShown(row: MessageRow): ShownMessage {
  return {
    message_id: row.message_id,
    kind: row.kind as MessageKind,
    from_agent_id: row.from_agent_id,
    from_user_id: row.from_user_id,
    body: row.body,
    severity: row.severity,
    deliveries: row.deliveries,
    reply_to: row.reply_to,
    task_id: row.task_id,
    memory_id: row.memory_id,
    created_at: row.created_at,
    expires_at: row.expires_at,
  };
}

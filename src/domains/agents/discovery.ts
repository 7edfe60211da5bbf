// Broadcasting a discovery: one memory, and a message in the inbox of every agent it concerns, in one transaction. It
// concerns all agents that the caller may see and whose user can see the memory: what is of use to whom is theirs to
// judge, and nobody writes to strangers.
import { toIso } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import { maySeeMemory } from '../access/index.ts';
import { callerOf, newMemorySchema, type StagedMemory, stageMemory } from '../memory/index.ts';
import { membershipsOf, type TeamTables } from '../teams/index.ts';
import type { AgentDeps, AgentTrx } from './deps.ts';
import { postMessages } from './messages.ts';
import { latest, listVisible, type SeenAgent } from './repository.ts';
import { assertScopes } from './scopes.ts';

export const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

const IMPORTANCE: Readonly<Record<Severity, number>> = { info: 0.4, warning: 0.6, error: 0.75, critical: 0.95 };

export interface Discovery {
  readonly message: string;
  readonly category: string;
  readonly severity: Severity;
  readonly scope?: 'solo' | 'team' | 'shared' | undefined;
}

export interface Broadcast {
  readonly memory_id: string;
  /** False: the same text was remembered already. */
  readonly created: boolean;
  /** Kinds of secrets that were replaced. */
  readonly redacted: readonly string[];
  /** Agents it concerns. */
  readonly concerned: number;
  /** Of these, agents that have it in their inbox since just now. */
  readonly told: number;
  /** Of these, agents that were told before. */
  readonly known: number;
}

/** The same discovery twice is one memory, and one message to each agent. Errors: those of storing a memory. */
export async function broadcast(deps: AgentDeps, discovery: Discovery, ctx: OperationContext): Promise<Broadcast> {
  assertScopes(ctx.principal, 'memory.write');
  const { store, memory, changed } = deps;
  const { message, category, severity, scope } = discovery;
  const input = newMemorySchema.parse({
    content: message,
    category,
    tags: ['discovery', severity],
    metadata: { kind: 'discovery', severity },
    importance: IMPORTANCE[severity],
    ...(scope === undefined ? {} : { scope }),
  });
  const staged = await stageMemory(memory, input, callerOf(ctx));
  const concerned = await agentsConcerned(deps, staged.place, ctx);
  const { stored, posted, known } = await store.write(async (trx) => {
    // One database: the transaction of the messages holds the memory's tables as well.
    const result = await staged.write(trx as never);
    const before = result.created ? new Set<string>() : await toldBefore(trx, result.memory_id);
    const fresh = concerned.filter(({ agent_id }) => !before.has(agent_id));
    const recipients = fresh.slice(0, limits.discovery_recipients_max_count);
    const written = await postMessages(store, trx, ctx.principal, recipients, {
      ...{ kind: 'discovery', body: staged.content, severity, memory_id: result.memory_id },
    });
    return { stored: result, posted: written, known: concerned.length - fresh.length };
  });
  staged.stored(stored);
  for (const { to_agent_id } of posted) changed('inbox', to_agent_id);
  const { memory_id, created, redacted } = stored;
  return { memory_id, created, redacted, concerned: concerned.length, told: posted.length, known };
}

/** Without the one that found it; those heard of last come first, where not all can be told. */
async function agentsConcerned(
  { store, presence }: AgentDeps,
  place: StagedMemory['place'],
  { principal }: OperationContext,
): Promise<SeenAgent[]> {
  const now = toIso(store.clock.now());
  const visible = await listVisible(store.db, principal, now);
  const memory = { ...place, user_id: principal.user_id };
  const seeing = new Map<string, boolean>();
  for (const user_id of new Set(visible.map((agent) => agent.user_id))) {
    const teams = await membershipsOf(store.withTables<TeamTables>().db, user_id, now);
    seeing.set(user_id, maySeeMemory({ user_id, agent_id: '', machine_id: '', teams }, memory).allowed);
  }
  const seenAt = ({ agent_id, last_seen_at }: SeenAgent) => latest(last_seen_at, presence.pendingOf(agent_id));
  return visible
    .filter(({ agent_id, user_id }) => agent_id !== principal.agent_id && seeing.get(user_id))
    .map((agent) => ({ ...agent, last_seen_at: seenAt(agent) }))
    .sort((a, b) => (a.last_seen_at > b.last_seen_at ? -1 : a.last_seen_at < b.last_seen_at ? 1 : 0));
}

/** Agents that have, or had, a message of this discovery. */
async function toldBefore(trx: AgentTrx, memory_id: string): Promise<ReadonlySet<string>> {
  const rows = await trx
    .selectFrom('agent_messages')
    .select('to_agent_id')
    .where('memory_id', '=', memory_id)
    .where('kind', '=', 'discovery')
    .execute();
  return new Set(rows.map(({ to_agent_id }) => to_agent_id));
}

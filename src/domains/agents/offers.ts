// Tasks that wait for an agent which can do them: offered to whoever registers, once each.

import { limits } from '../../kernel/limits.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import type { AgentDeps, AgentTask } from './deps.ts';
import { postMessages } from './messages.ts';

/**
 * Delegated tasks nobody was there for and the caller's agent is capable of, each with a message in its inbox. A task that
 * was offered to the agent before is named again and not written of again.
 */
export async function offerQueued(deps: AgentDeps, ctx: OperationContext): Promise<readonly AgentTask[]> {
  const { store, tasks, changed } = deps;
  const { agent, principal } = ctx;
  if (!agent) return [];
  const queued = await tasks.queuedFor(agent.capabilities, ctx, limits.agent_offers_max_count);
  if (queued.length === 0) return [];
  const { agent_id } = agent;
  const offered = await store.write(async (trx) => {
    // The same agent may be registering elsewhere.
    await store.dialect.serialise(trx, `offers-to:${agent_id}`);
    const known = await trx
      .selectFrom('agent_messages')
      .select('task_id')
      .where('to_agent_id', '=', agent_id)
      .where('kind', '=', 'offer')
      .where(
        'task_id',
        'in',
        queued.map(({ task_id }) => task_id),
      )
      .execute();
    const told = new Set(known.map(({ task_id }) => task_id));
    const fresh = queued.filter(({ task_id }) => !told.has(task_id));
    for (const { task_id, title } of fresh)
      await postMessages(store, trx, principal, [{ agent_id, user_id: principal.user_id }], {
        kind: 'offer',
        task_id,
        body: `Waits for an agent that can do it: ${title}. claim_next task_id=${task_id} takes it.`,
      });
    return fresh.length;
  });
  if (offered > 0) changed('inbox', agent_id);
  return queued;
}

// What is over and is forgotten: a part of a hub's clean-up.
import { toIso } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { AgentDeps } from './deps.ts';

/** Forgets expired and acknowledged messages, and contexts of sessions not seen for a month. Returns how many rows. */
export function prune({ store }: Pick<AgentDeps, 'store'>): Promise<number> {
  return store.write(async (trx) => {
    const now_ms = store.clock.now();
    const gone = [
      await trx
        .deleteFrom('agent_messages')
        .where((eb) =>
          eb.or([
            eb('expires_at', '<=', toIso(now_ms)),
            eb('acknowledged_at', '<=', toIso(now_ms - limits.agent_message_ttl_ms)),
          ]),
        )
        .executeTakeFirst(),
      await trx
        .deleteFrom('session_contexts')
        .where('last_used_at', '<', toIso(now_ms - limits.agent_session_retention_ms))
        .executeTakeFirst(),
    ];
    return gone.reduce((sum, { numDeletedRows }) => sum + Number(numDeletedRows), 0);
  });
}

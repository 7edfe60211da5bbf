// Connected clients that call nothing for a while: their agents are there all the same.
import type { AgentTables, Presence } from '../domains/agents/index.ts';
import type { ProjectTables } from '../domains/projects/index.ts';
import type { Database } from '../storage/database.ts';
import type { Log, Runtime } from '../surfaces/runtime.ts';
import { sessionContextOf } from './session-context.ts';

export interface StillHereDeps {
  readonly store: Database;
  readonly presence: Pick<Presence, 'note'>;
  readonly log: Log;
}

export function createStillHere({ store, presence, log }: StillHereDeps): Pick<Runtime, 'stillHere'> {
  const { db } = store.withTables<AgentTables & ProjectTables>();
  return {
    async stillHere({ principal, session }) {
      try {
        const { agent } = await sessionContextOf(db, { principal, session });
        if (!agent) return;
        const { user_id } = principal;
        presence.note({ session_key: session.key, user_id, agent_id: agent.agent_id, operation: null });
      } catch (err) {
        log.warn({ err }, 'a connected agent could not be noted as being there; the next minute tries again');
      }
    },
  };
}

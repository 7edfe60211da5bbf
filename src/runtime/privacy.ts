// Privacy put together: its operations over the whole store.

import type { Presence } from '../domains/agents/index.ts';
import type { Audit } from '../domains/audit/index.ts';
import type { Sessions } from '../domains/identity/index.ts';
import type { MemoryDeps } from '../domains/memory/index.ts';
import { type PrivacyTables, privacyOperations } from '../domains/privacy/index.ts';
import { bindOperation, type Operation } from '../kernel/operation.ts';
import type { Database } from '../storage/database.ts';

export interface PrivacyParts {
  readonly store: Database;
  readonly audit: Audit;
  readonly memory: MemoryDeps;
  readonly sessions: Sessions;
  readonly presence: Presence;
}

export function openPrivacy({ store, sessions, presence, ...parts }: PrivacyParts): readonly Operation[] {
  // What is kept in memory of callers and written behind their calls.
  const behind = {
    async flush() {
      await presence.flush();
      await sessions.flush();
    },
    forget(user_id: string, request_id?: string) {
      presence.forget(user_id);
      sessions.forget(user_id, request_id);
    },
  };
  const deps = { store: store.withTables<PrivacyTables>(), ...parts, sessions: behind };
  return privacyOperations.map((operation) => bindOperation(operation as never, deps as never));
}

// Privacy put together: its operations over the whole store.

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
}

export function openPrivacy({ store, ...parts }: PrivacyParts): readonly Operation[] {
  const deps = { store: store.withTables<PrivacyTables>(), ...parts };
  return privacyOperations.map((operation) => bindOperation(operation as never, deps as never));
}

// What decides who may see and do what, put together: audit log, modes, teams, and the gate before every operation.
import { type Audit, type AuditTables, createAudit } from '../domains/audit/index.ts';
import {
  createIdentity,
  type IdentityDomain,
  type IdentitySettings,
  identityOperations,
  type TokenTables,
} from '../domains/identity/index.ts';
import { createModes, type Modes, type ModeTables } from '../domains/modes/index.ts';
import type { TeamTables } from '../domains/teams/index.ts';
import { bindOperation, type Operation } from '../kernel/operation.ts';
import type { Database } from '../storage/database.ts';
import type { KeyRing } from '../storage/keyring/index.ts';
import type { Log } from '../surfaces/runtime.ts';
import { createGate, type Gate } from './admit.ts';

export interface Access {
  readonly audit: Audit;
  readonly modes: Modes;
  readonly gate: Gate;
  readonly identity: IdentityDomain;
  /** Operations of the domains above, ready to run. */
  readonly operations: readonly Operation[];
}

export interface AccessDeps {
  readonly store: Database;
  readonly keyring: KeyRing;
  /** The configuration's section. */
  readonly security: IdentitySettings;
  readonly log: Log;
}

export function openAccess({ store, keyring, security, log }: AccessDeps): Access {
  const audit = createAudit(store.withTables<AuditTables>());
  const modes = createModes(store.withTables<ModeTables>());
  const gate = createGate({ store: store.withTables<TeamTables>(), modes, audit });
  const identity = createIdentity({
    store: store.withTables<TokenTables & AuditTables>(),
    keyring,
    audit,
    settings: security,
    onError: (error) => log.error({ err: error }, 'a refused request could not be written to the audit log'),
  });
  const operations = [...identityOperations.map((operation) => bindOperation(operation as never, identity as never))];
  return { audit, modes, gate, identity, operations };
}

// What decides who may see and do what, put together: audit log, modes, teams, and the gate before every operation.
import { type Audit, type AuditTables, createAudit } from '../domains/audit/index.ts';
import { createModes, type Modes, type ModeTables } from '../domains/modes/index.ts';
import type { TeamTables } from '../domains/teams/index.ts';
import type { Operation } from '../kernel/operation.ts';
import type { Database } from '../storage/database.ts';
import { createGate, type Gate } from './admit.ts';

export interface Access {
  readonly audit: Audit;
  readonly modes: Modes;
  readonly gate: Gate;
  /** Operations of the domains above, ready to run. */
  readonly operations: readonly Operation[];
}

export function openAccess(store: Database): Access {
  const audit = createAudit(store.withTables<AuditTables>());
  const modes = createModes(store.withTables<ModeTables>());
  const gate = createGate({ store: store.withTables<TeamTables>(), modes, audit });
  return { audit, modes, gate, operations: [] };
}

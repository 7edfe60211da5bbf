// What decides who may see and do what, put together: audit log, modes, teams, and the gate before every operation.
import { type Audit, type AuditTables, auditOperations, createAudit } from '../domains/audit/index.ts';
import {
  createIdentity,
  type IdentityDomain,
  type IdentitySettings,
  identityOperations,
  type TokenTables,
} from '../domains/identity/index.ts';
import {
  createModes,
  type ModeDeps,
  type Modes,
  type ModeTables,
  modeOperations,
  type VaultSight,
} from '../domains/modes/index.ts';
import { logTeamActivity, pruneTeams, type TeamDeps, type TeamTables, teamOperations } from '../domains/teams/index.ts';
import {
  createVaults,
  type VaultOptions,
  type Vaults,
  type VaultTables,
  vaultOperations,
} from '../domains/vaults/index.ts';
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
  readonly vaults: Vaults;
  readonly teams: {
    /** Forgets activity and invitations that are no longer shown. Returns how many rows. */
    prune(): Promise<number>;
  };
  /** Operations of the domains above, ready to run. */
  readonly operations: readonly Operation[];
}

export interface AccessDeps {
  readonly store: Database;
  readonly keyring: KeyRing;
  /** The configuration's section. */
  readonly security: IdentitySettings & { readonly vault_recovery_days: number };
  readonly log: Log;
}

export function openAccess({ store, keyring, security, log }: AccessDeps): Access {
  const audit = createAudit(store.withTables<AuditTables>());
  const modes = createModes(store.withTables<ModeTables>());
  const identity = createIdentity({
    store: store.withTables<TokenTables & AuditTables>(),
    keyring,
    audit,
    settings: security,
    onError: (error) => log.error({ err: error }, 'a refused request could not be written to the audit log'),
  });
  const vaults = openVaults({ store, keyring, audit, recovery_days: security.vault_recovery_days });
  const sight = sightOf(vaults);
  const tables = store.withTables<TeamTables & ModeTables & AuditTables>();
  const gate = createGate({ store: store.withTables(), modes, audit, ...sight });
  const teamDeps: TeamDeps = { store: tables, audit };
  const modeDeps: ModeDeps = { store: tables, modes, audit, ...sight };
  const operations = [
    ...modeOperations.map((operation) => bindOperation(operation as never, modeDeps as never)),
    ...teamOperations.map((operation) => bindOperation(operation as never, teamDeps as never)),
    ...vaultOperations.map((operation) => bindOperation(operation as never, vaults.deps as never)),
    ...identityOperations.map((operation) => bindOperation(operation as never, identity as never)),
    ...auditOperations.map((operation) =>
      bindOperation(operation as never, { audit, keys: identity.keys, clock: store.clock } as never),
    ),
  ];
  const teams = { prune: () => pruneTeams(tables) };
  return { audit, modes, gate, identity, vaults, teams, operations };
}

function openVaults({
  store,
  ...rest
}: Omit<VaultOptions, 'store' | 'logTeamActivity'> & { readonly store: Database }) {
  return createVaults({
    store: store.withTables<VaultTables & AuditTables>(),
    ...rest,
    logTeamActivity: (trx, actor, { team_id, action, vault_id }) =>
      logTeamActivity(trx as never, store.clock.now(), { team_id, action, actor, details: { vault_id } }),
  });
}

/** Vaults as modes see them. */
function sightOf(vaults: Vaults): VaultSight {
  return {
    vaultFacts: vaults.vaultFacts,
    async listVaults(principal) {
      const usable = await vaults.listVaults(principal);
      return usable.map(({ vault: { vault_id, name }, level }) => ({ vault_id, name, level }));
    },
  };
}

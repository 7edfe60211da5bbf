// What the rules of vaults work with.
import type { Principal } from '../../kernel/operation.ts';
import type { Database, Trx } from '../../storage/database.ts';
import type { KeyRing } from '../../storage/keyring/port.ts';
import type { Audit, AuditTables } from '../audit/index.ts';
import type { DataKeys } from './data-keys.ts';
import type { VaultTables } from './tables.ts';

export type VaultStore = Database<VaultTables & AuditTables>;
export type VaultTrx = Trx<VaultTables & AuditTables>;
export type VaultReader = Pick<VaultStore['db'], 'selectFrom'>;

/** Something that happened to a team's vault, for the team's own log. */
export interface TeamVaultEvent {
  readonly team_id: string;
  readonly action: string;
  readonly vault_id: string;
}

export interface VaultDeps {
  readonly store: VaultStore;
  readonly audit: Audit;
  readonly keyring: KeyRing;
  readonly keys: DataKeys;
  /** Days in which a deleted secret can be brought back; 0 destroys at once. */
  readonly recovery_days: number;
  /** Writes in the given transaction. */
  readonly logTeamActivity?:
    | ((trx: VaultTrx, principal: Principal, event: TeamVaultEvent) => Promise<void>)
    | undefined;
}

// What the mode operations need; of vaults only what is said here.
import type { Principal } from '../../kernel/operation.ts';
import type { Database } from '../../storage/database.ts';
import type { AccessLevel, VaultFacts } from '../access/index.ts';
import type { Audit, AuditTables } from '../audit/index.ts';
import type { Modes } from './modes.ts';
import type { ModeTables } from './tables.ts';

export interface VaultEntry {
  readonly vault_id: string;
  readonly name: string;
  readonly level: AccessLevel;
}

export interface VaultSight {
  /** What the policy looks at; undefined where there is no such vault. */
  vaultFacts(vault_id: string): Promise<VaultFacts | undefined>;
  /** Vaults the principal may read at least. */
  listVaults(principal: Principal): Promise<readonly VaultEntry[]>;
}

export interface ModeDeps extends VaultSight {
  readonly store: Database<ModeTables & AuditTables>;
  readonly modes: Modes;
  readonly audit: Pick<Audit, 'append'>;
}

// What backups of projects work with.
import type { Principal } from '../../../kernel/operation.ts';
import type { Database } from '../../../storage/database.ts';
import type { KeyRing } from '../../../storage/keyring/port.ts';
import type { VaultFacts } from '../../access/index.ts';
import type { Audit, AuditTables } from '../../audit/index.ts';
import type { MemoryDeps } from '../../memory/index.ts';
import type { ProjectTables } from '../tables.ts';
import type { BackupFiles } from './files.ts';

export type BackupStore = Database<ProjectTables & AuditTables>;

export interface BackupDeps {
  readonly store: BackupStore;
  readonly audit: Pick<Audit, 'append' | 'record'>;
  readonly keyring: KeyRing;
  /** Memories are put back by their own domain: found by words and meaning, and told to all hubs. */
  readonly memory: MemoryDeps;
  readonly files: BackupFiles;
  readonly vaults: VaultPort;
  /** Days in which a deleted secret can be brought back. */
  readonly recovery_days: number;
  /** Tells subscribers; called after the commit. */
  readonly changed: (kind: 'project' | 'task', id: string) => void;
}

/** What backups need to know of vaults. */
export interface VaultPort {
  /** What the policy looks at; undefined where there is no such vault. */
  facts(vault_id: string): Promise<VaultFacts | undefined>;
  /** Rejects with `unavailable` where the master key of a wrapped data key is not here, `storage_corrupt` where it does not open. */
  openKey(row: {
    readonly vault_id: string;
    readonly epoch: number;
    readonly master_key_id: string;
    readonly wrapped: Uint8Array;
  }): Promise<unknown>;
}

export interface Caller {
  readonly principal: Principal;
  readonly signal: AbortSignal;
}

// Backups of projects put together with what they stand on: the key ring, vaults, memories.
import type { AuditTables } from '../domains/audit/index.ts';
import type { MemoryDomain } from '../domains/memory/index.ts';
import { createProjectBackups, type ProjectBackups, type ProjectTables } from '../domains/projects/index.ts';
import type { Database } from '../storage/database.ts';
import type { KeyRing } from '../storage/keyring/index.ts';
import type { BackupFiles, Runtime } from '../surfaces/runtime.ts';
import type { Access } from './access.ts';
import type { ChangeFeed } from './change-feed.ts';

export interface BackupParts {
  readonly store: Database;
  readonly access: Access;
  readonly memory: MemoryDomain;
  readonly feed: ChangeFeed;
  readonly keyring: KeyRing;
  /** Of this machine. */
  readonly data_dir: string;
}

export function openProjectBackups({ store, access, memory, feed, keyring, data_dir }: BackupParts): ProjectBackups {
  const { vaults } = access;
  return createProjectBackups({
    store: store.withTables<ProjectTables & AuditTables>(),
    audit: access.audit,
    keyring,
    memory: memory.deps,
    data_dir,
    vaults: { facts: vaults.vaultFacts, openKey: (row) => vaults.deps.keys.open(row) },
    recovery_days: vaults.deps.recovery_days,
    changed: feed.changed,
  });
}

/** Files of backups behind the gate that every transfer passes. */
export function createBackupFiles(backups: ProjectBackups, authorise: Runtime['authorise']): BackupFiles {
  return {
    takeOut: async (principal, backup_id) =>
      backups.takeOut(await authorise(principal, 'project.backup', 'project.backup_taken_out'), backup_id),
    takeIn: async (principal, source) =>
      backups.takeIn(await authorise(principal, 'project.restore', 'project.backup_taken_in'), source),
  };
}

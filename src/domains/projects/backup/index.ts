// Backups of projects put together: what operations and the runtime call.
import type { Principal } from '../../../kernel/operation.ts';
import type { BackupDeps } from './deps.ts';
import { type OutgoingFile, takeIn, takeOut } from './exchange.ts';
import { backupFiles } from './files.ts';
import { type ListedBackup, type ListRequest, listBackups } from './list.ts';
import { type BackupRequest, type MadeBackup, makeBackup } from './make.ts';
import { type Restored, type RestoreRequest, restoreProject } from './restore.ts';

export type { BackupDeps, VaultPort } from './deps.ts';
export { partNames } from './parts/index.ts';
export { RESTORE_MODES } from './parts/part.ts';

export interface ProjectBackups {
  make(principal: Principal, request: BackupRequest, signal: AbortSignal): Promise<MadeBackup>;
  restore(principal: Principal, request: RestoreRequest): Promise<Restored>;
  list(principal: Principal, request: ListRequest): Promise<readonly ListedBackup[]>;
  takeOut(principal: Principal, backup_id: string): Promise<OutgoingFile>;
  takeIn(
    principal: Principal,
    pieces: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly backup_id: string; readonly project_id: string }>;
}

/** `data_dir`: of this machine; files are in backups/projects below it. */
export function createProjectBackups(
  options: Omit<BackupDeps, 'files'> & { readonly data_dir: string },
): ProjectBackups {
  const { data_dir, ...rest } = options;
  const deps: BackupDeps = { ...rest, files: backupFiles(data_dir) };
  return {
    make: (principal, request, signal) => makeBackup(deps, principal, request, { kind: 'made', signal }),
    restore: (principal, request) => restoreProject(deps, principal, request),
    list: (principal, request) => listBackups(deps, principal, request),
    takeOut: (principal, backup_id) => takeOut(deps, principal, backup_id),
    takeIn: (principal, pieces) => takeIn(deps, principal, pieces),
  };
}

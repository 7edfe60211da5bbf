// The operations on backups of projects: they stand on more than the others.
import { backupProject } from './backup_project.ts';
import { listProjectBackups } from './list_project_backups.ts';
import { restoreProject } from './restore_project.ts';

export const projectBackupOperations = [backupProject, restoreProject, listProjectBackups] as const;

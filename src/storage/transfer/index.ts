// Whole stores from engine to engine: moving, backing up and restoring.
export { type BackupOptions, backupPostgres, restorePostgres } from './backup.ts';
export { type MigrateReport, type MigrateRequest, migrateStore } from './migrate-store.ts';

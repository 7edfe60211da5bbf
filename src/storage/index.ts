// Storage as compose.ts sees it.
export { type RestoreReport, restoreBackup } from './backup.ts';
export { type Database, openDatabase } from './database.ts';
export { type MigrateReport, type MigrateRequest, migrateStore, restorePostgres } from './transfer/index.ts';

// Storage as compose.ts sees it.
export { type RestoreReport, restoreBackup, vaultsInCopy } from './backup.ts';
export { type Database, openDatabase } from './database.ts';
export type { MigrateReport, MigrateRequest } from './transfer/index.ts';

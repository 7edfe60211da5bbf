// The audit log: who did what to what, provable afterwards. What other domains and compose.ts may use.
export { createAudit } from './audit.ts';
export type { AuditTables } from './tables.ts';
export type { Audit, AuditEntry, AuditFilter, AuditRow, AuditTrx } from './types.ts';

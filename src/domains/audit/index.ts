// The audit log: who did what to what, provable afterwards. What other domains and compose.ts may use.
export type { AnchorKeys } from './anchors.ts';
export { createAudit } from './audit.ts';
export { auditOperations } from './operations/index.ts';
export type { AuditTables } from './tables.ts';
export type {
  Audit,
  AuditAnchor,
  AuditEntry,
  AuditErasure,
  AuditFilter,
  AuditRow,
  AuditTrx,
  VerifyReport,
} from './types.ts';

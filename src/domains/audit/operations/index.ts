// The operations of this domain, in the order tools are listed.
import { anchorAuditLog } from './anchor_audit_log.ts';
import { listAuditLog } from './list_audit_log.ts';
import { verifyAuditLog } from './verify_audit_log.ts';

export const auditOperations = [listAuditLog, verifyAuditLog, anchorAuditLog] as const;

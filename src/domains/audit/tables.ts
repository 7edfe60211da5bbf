// Columns of the audit tables. audit_log is only ever appended to; what names people or says why stands beside it, where
// it can be erased without breaking the chain.
export interface AuditLogTable {
  /** Counts from 1 without gaps. */
  seq: number;
  at: string;
  /** Who: an opaque id of audit_subjects. */
  subject_id: string;
  action: string;
  target_type: string;
  /** An opaque id, never a name a person chose. */
  target_id: string | null;
  result: 'ok' | 'refused' | 'failed';
  /** SHA-256 of salt and details. */
  details_digest: string;
  previous_hash: string;
  hash: string;
}

export interface AuditDetailsTable {
  seq: number;
  /** Null, with the details, once they were erased. */
  salt: string | null;
  /** JSON: reason, names, affected user (as a subject id). */
  details: string | null;
}

export interface AuditSubjectTable {
  /** A digest of salt and names: rows of the chain carry it, so that no name can be exchanged unseen. */
  subject_id: string;
  /** Null, with the names, once the user was erased. */
  salt: string | null;
  user_id: string | null;
  agent_id: string | null;
  machine_id: string | null;
}

export interface AuditHeadTable {
  only_row: number;
  seq: number;
  hash: string;
}

export interface AuditTables {
  audit_log: AuditLogTable;
  audit_details: AuditDetailsTable;
  audit_subjects: AuditSubjectTable;
  audit_head: AuditHeadTable;
}

// What the audit log takes and gives.
import type { Principal } from '../../kernel/operation.ts';
import type { Trx } from '../../storage/database.ts';
import type { AuditTables } from './tables.ts';

export interface AuditEntry {
  /** `<domain>.<act>`, for example `vault.retrieve`; usually the operation's name. */
  readonly action: string;
  readonly target_type: 'vault' | 'team' | 'token' | 'user' | 'mode' | 'memory' | 'hub' | 'operation';
  /** An opaque id; never a name that a person chose. */
  readonly target_id: string | null;
  readonly result: 'ok' | 'refused' | 'failed';
  /** Why, in the caller's words. */
  readonly reason?: string | undefined;
  /** Another user it concerns: kept as a subject, so that erasing that user takes the name out. */
  readonly affected_user_id?: string | undefined;
  /** Further facts, for example a secret's key and version. Never a value of a secret. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>> | undefined;
}

export interface AuditRow extends Omit<AuditEntry, 'affected_user_id' | 'details' | 'reason'> {
  readonly seq: number;
  readonly at: string;
  /** Null once erased. */
  readonly actor: { readonly user_id: string; readonly agent_id: string; readonly machine_id: string } | null;
  readonly reason: string | null;
  readonly affected_user_id: string | null;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export type AuditTrx = Trx<AuditTables>;

export interface Audit {
  /** Adds a row in the transaction of the act itself: both are kept or neither. Returns its number. */
  append(trx: AuditTrx, actor: Principal, entry: AuditEntry): Promise<number>;
  /** Adds a row for an act that writes nothing itself, such as reading a secret: await it before the act's answer. */
  record(actor: Principal, entry: AuditEntry): Promise<number>;
  /** Newest first. `before_seq` pages on. */
  list(filter: AuditFilter): Promise<readonly AuditRow[]>;
}

export interface AuditFilter {
  readonly target_type?: AuditEntry['target_type'];
  readonly target_id?: string;
  readonly user_id?: string;
  /** ISO time. */
  readonly since?: string;
  readonly before_seq?: number;
  readonly limit: number;
}

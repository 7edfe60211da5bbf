// What the audit log takes and gives.
import type { Principal } from '../../kernel/operation.ts';
import type { Trx } from '../../storage/database.ts';
import type { AuditTables } from './tables.ts';

export interface AuditEntry {
  /** `<domain>.<act>`, for example `vault.retrieve`; usually the operation's name. */
  readonly action: string;
  readonly target_type: 'vault' | 'team' | 'token' | 'user' | 'mode' | 'memory' | 'project' | 'hub' | 'operation';
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
  /**
   * Adds a row in the transaction of the act itself: both are kept or neither. Returns its number. Call it last: the
   * head of the log is held from here to the commit, and who waits for another row's lock meanwhile makes all hubs wait.
   */
  append(trx: AuditTrx, actor: Principal, entry: AuditEntry): Promise<number>;
  /** Adds a row for an act that writes nothing itself, such as reading a secret: await it before the act's answer. */
  record(actor: Principal, entry: AuditEntry): Promise<number>;
  /** Newest first. `before_seq` pages on. */
  list(filter: AuditFilter): Promise<readonly AuditRow[]>;
  /**
   * Takes a user out of the log: the names of the user's subjects, and the details of rows that name the user (anywhere,
   * in whatever case) or hold a reason the user wrote. Adds one row `privacy.erase` that lists what was taken out, without
   * the name, so that verification tells it from tampering. `actor` absent: the hub itself. Call it last in `trx`.
   */
  eraseSubject(trx: AuditTrx, user_id: string, actor?: Principal): Promise<AuditErasure>;
  /** Reads the whole log, page by page, and says what does not fit. Holds no transaction. */
  verify(how?: VerifyOptions): Promise<VerifyReport>;
  /** The end of the log as it is now: kept elsewhere, it shows later that nothing before it was cut off or rewritten. */
  anchor(): Promise<AuditAnchor>;
}

export interface AuditErasure {
  /** Number of the row that was added. */
  readonly seq: number;
  readonly subjects: number;
  readonly details: number;
}

export interface AuditAnchor {
  readonly store_id: string;
  readonly seq: number;
  readonly hash: string;
  /** ISO time at which the anchor was taken. */
  readonly at: string;
}

export interface VerifyOptions {
  readonly anchor?: Pick<AuditAnchor, 'store_id' | 'seq' | 'hash'> | undefined;
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface VerifyProblem {
  /** Absent where no single row is to blame. */
  readonly seq?: number;
  readonly problem: string;
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly rows: number;
  /** Number and hash of the last row that was read: all zeros where there is none. */
  readonly last_seq: number;
  readonly last_hash: string;
  readonly first_bad_seq: number | null;
  /** The first of them; `problems_total` counts all. */
  readonly problems: readonly VerifyProblem[];
  readonly problems_total: number;
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

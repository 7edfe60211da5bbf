// What privacy works with: the whole store, the audit log, the rules of memories, and what sessions keep in memory.
import type { Database, Trx } from '../../storage/database.ts';
import type { Audit, AuditTables } from '../audit/index.ts';
import type { Sessions } from '../identity/index.ts';
import type { MemoryDeps, MemoryTables } from '../memory/index.ts';
import type { TeamTables } from '../teams/index.ts';
import type { VaultTables } from '../vaults/index.ts';

export interface LegalHoldTable {
  hold_id: string;
  user_id: string;
  reason: string;
  placed_at: string;
  placed_by: string;
  /** Null while it holds. */
  released_at: string | null;
  released_by: string | null;
}

/** What was erased when; never whose. */
export interface ErasureTable {
  erasure_id: string;
  at: string;
  /** JSON: rows by table. */
  counts: string;
}

export interface PrivacyTables extends AuditTables, TeamTables, VaultTables, MemoryTables {
  legal_holds: LegalHoldTable;
  erasures: ErasureTable;
}

export type PrivacyStore = Database<PrivacyTables>;
export type PrivacyTrx = Trx<PrivacyTables>;

export interface PrivacyDeps {
  readonly store: PrivacyStore;
  readonly audit: Audit;
  readonly memory: Pick<MemoryDeps, 'store' | 'redact' | 'vectors' | 'retention' | 'changed'>;
  readonly sessions: Pick<Sessions, 'flush' | 'forget'>;
}

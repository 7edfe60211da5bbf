// Columns of the memory tables, as Kysely sees them.
import type { Generated } from 'kysely';
import type { VersionedColumns } from '../../storage/tables.ts';

export interface MemoryTable extends VersionedColumns {
  row_id: Generated<number>;
  memory_id: string;
  content: string;
  /** Equal for texts that are the same memory: scope, owner, place and content. Unique among the living. */
  identity_hash: string;
  category: string;
  context: string | null;
  /** JSON array; memory_tags holds the same for filters. */
  tags: string;
  /** JSON object. */
  metadata: string;
  project_id: string | null;
  project: string | null;
  scope: string;
  team_id: string | null;
  importance: number;
  session_id: string | null;
  sequence: number | null;
  external_id: string | null;
  occurred_at: string | null;
  valid_from: string | null;
  valid_until: string | null;
  supersedes: string | null;
  superseded_by: string | null;
  user_id: string;
  agent_id: string;
  machine_id: string;
  source: string;
  format_version: string;
  version: number;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
  deleted_by: string | null;
  delete_reason: string | null;
  /** When a deleted memory is destroyed. */
  purge_at: string | null;
  /** Set when it was deleted by a merge: the memory that was kept. */
  merged_into: string | null;
}

export interface MemoryTagTable {
  tag: string;
  row_id: number;
}

export interface MemoryVersionTable {
  memory_id: string;
  version: number;
  change: string;
  /** JSON of the record's own fields before the change. */
  snapshot: string;
  changed_at: string;
  changed_by: string;
}

export interface MemoryVectorTable {
  vector_seq: Generated<number>;
  row_id: number;
  chunk: number;
  model_id: string;
  start_char: number;
  end_char: number;
  vector: Uint8Array;
  tokens: Uint8Array | null;
}

/** Memories whose vectors are still to be made; filled in the transaction that stores the text. */
export interface MemoryVectorQueueTable {
  row_id: number;
  attempts: number;
  /** Milliseconds since the epoch until which one process works on it. */
  claimed_until: number;
}

/** Rows whose entry in a vector index that another program holds has to be renewed; filled with the change itself. */
export interface VectorOutboxTable {
  row_id: number;
  /** Times it was claimed since the row last changed; 0 tells a claimer that the row changed under it. */
  attempts: number;
  /** Milliseconds since the epoch until which one process works on it, or nobody should; names the claim as well. */
  claimed_until: number;
}

export interface VectorStateTable {
  model_id: string;
  state: Uint8Array;
  row_count: number;
}

/** Bands of the min-hash signature; equal bands make two texts candidates for near-duplicates. */
export interface MemorySignatureTable {
  band: number;
  row_id: number;
}

export interface MemoryTables {
  memories: MemoryTable;
  memory_tags: MemoryTagTable;
  memory_versions: MemoryVersionTable;
  memory_vectors: MemoryVectorTable;
  memory_vector_queue: MemoryVectorQueueTable;
  vector_outbox: VectorOutboxTable;
  vector_state: VectorStateTable;
  memory_signatures: MemorySignatureTable;
}

// What becomes of each table when a store moves. A table of a later migration has to be put here: a test compares this
// with the tables both engines have, and a transfer refuses a source that holds one it does not know.

/** A table that is carried, row by row. */
export interface CarriedTable {
  readonly table: string;
  /** The columns of its primary key, in order. */
  readonly key: readonly string[];
  /** The key counts up by itself: the counter goes along, so that no id is given twice. */
  readonly counter?: string;
  /** Its living rows are searched by their words. */
  readonly searched?: true;
  /** A new store has rows of its own in it, which give way to those that are carried. */
  readonly filled?: true;
}

/** In the order they are carried. */
export const CARRIED: readonly CarriedTable[] = [
  { table: 'store_identity', key: ['only_row'], filled: true },
  { table: 'origins', key: ['origin'] },
  { table: 'changes', key: ['seq'], counter: 'seq' },
  { table: 'memories', key: ['row_id'], counter: 'row_id', searched: true },
  { table: 'memory_tags', key: ['tag', 'row_id'] },
  { table: 'memory_versions', key: ['memory_id', 'version'] },
  { table: 'memory_vectors', key: ['vector_seq'], counter: 'vector_seq' },
  { table: 'memory_vector_queue', key: ['row_id'] },
  { table: 'vector_state', key: ['model_id'] },
  { table: 'memory_signatures', key: ['band', 'row_id'] },
  { table: 'agent_sessions', key: ['session_key'] },
  { table: 'agent_session_calls', key: ['session_key', 'operation'] },
  { table: 'signing_keys', key: ['key_id'] },
  { table: 'tokens', key: ['jti'] },
  { table: 'agent_modes', key: ['session_key'] },
  { table: 'teams', key: ['team_id'] },
  { table: 'team_members', key: ['member_id'] },
  { table: 'team_invitations', key: ['invitation_id'] },
  { table: 'team_activity', key: ['activity_id'] },
  { table: 'vaults', key: ['vault_id'] },
  { table: 'vault_keys', key: ['vault_id', 'epoch'] },
  { table: 'vault_secrets', key: ['secret_id'] },
  { table: 'vault_secret_versions', key: ['secret_id', 'version'] },
  { table: 'vault_grants', key: ['grant_id'] },
  { table: 'audit_log', key: ['seq'] },
  { table: 'audit_details', key: ['seq'] },
  { table: 'audit_subjects', key: ['subject_id'] },
  { table: 'audit_head', key: ['only_row'], filled: true },
  { table: 'legal_holds', key: ['hold_id'] },
  { table: 'erasures', key: ['erasure_id'] },
  { table: 'agents', key: ['registration_id'] },
  { table: 'agent_presence', key: ['agent_id'] },
  { table: 'agent_messages', key: ['message_id'] },
  { table: 'session_contexts', key: ['session_key'] },
  { table: 'projects', key: ['project_id'] },
  { table: 'project_activity', key: ['activity_id'] },
  { table: 'project_health', key: ['check_id'] },
  { table: 'project_backups', key: ['backup_id'] },
  { table: 'tasks', key: ['task_id'] },
  { table: 'task_dependencies', key: ['task_id', 'depends_on_id'] },
  { table: 'task_history', key: ['entry_id'] },
  { table: 'learning_events', key: ['event_id'] },
];

/** Tables whose rows mean nothing in another place, each with the reason. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  commit_marks: 'how this server told its writers what it kept',
  leases: 'who does what at this moment',
  mcp_sessions: 'open sessions of clients; they begin new ones',
  relayed_messages: 'messages between running hubs',
  vector_outbox: 'what Chroma or pgvector has still to be told; `haivemind reindex` fills an index at the new place',
};

/** Tables an engine has for itself: made again at the target, or its own bookkeeping. */
export function isOwnTable(name: string): boolean {
  return OWN.some((pattern) => pattern.test(name));
}

const OWN = [
  /^sqlite_/,
  /^memory_fts($|_)/,
  /^memory_texts$/,
  /^schema_version$/,
  /^store_transfer$/,
  /^haivemind_vectors_[0-9a-f]+$/,
];

/** Tables of a store that this program would silently lose. */
export function unknownTables(names: readonly string[]): string[] {
  const known = new Set([...CARRIED.map(({ table }) => table), ...Object.keys(LEFT_OUT)]);
  return names.filter((name) => !known.has(name) && !isOwnTable(name));
}

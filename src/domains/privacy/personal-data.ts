// What every table holds about people, column by column: what is exported, erased, renamed and searched for mentions. A
// test compares it with the tables and columns of both engines, so that what is added later cannot be forgotten.

/**
 * - `owner`: the user whose row it is
 * - `name`: a user named in a row that is somebody else's
 * - `text`, `json`: words of people and programs, which may mention anybody
 * - `bound`: such words that nothing may change, because a cipher vouches for them
 * - `fact`: ids, times, kinds and counts; exported, never about a name
 * - `internal`: follows from the others or keeps the store's books; not exported
 * - `sealed`: readable only with a key; not exported
 */
export type ColumnClass = 'owner' | 'name' | 'text' | 'json' | 'bound' | 'fact' | 'internal' | 'sealed';

export interface PersonalTable {
  readonly table: string;
  /** Columns of the primary key, in order. */
  readonly key: readonly [string, ...string[]];
  readonly columns: Readonly<Record<string, ColumnClass>>;
  /** Rows without a user of their own are those of this row's user: `column` here is `key` there. */
  readonly parent?: { readonly table: string; readonly column: string; readonly key: string };
  /** The owner column names a user only where this holds. */
  readonly when?: { readonly column: string; readonly value: string };
  /** SQL: rows that others live on with, whatever the owner column says; they only name the user. */
  readonly shared_if?: string;
  /** What becomes of the user's rows; `rename`: others need the row, so the user gets a pseudonym and its texts go. */
  readonly owned: 'delete' | 'rename';
  /** What becomes of rows of others whose texts mention the user, where that is asked for. */
  readonly mentions: 'replace' | 'delete';
  /** Name of its records in the change record, for synchronised tables. */
  readonly entity?: string;
  /** The domain that erases it in its own way; absent: domains/privacy/erase.ts does. */
  readonly erased_by?: 'memory' | 'audit';
}

const VERSIONED = {
  origin: 'internal',
  origin_sequence: 'internal',
  clock: 'internal',
  version_vector: 'internal',
} as const;

/** Children stand before their parents: that is the order of erasing. */
export const PERSONAL: readonly PersonalTable[] = [
  {
    table: 'memories',
    key: ['row_id'],
    columns: {
      row_id: 'internal',
      memory_id: 'fact',
      content: 'text',
      identity_hash: 'internal',
      category: 'fact',
      scope: 'fact',
      user_id: 'owner',
      agent_id: 'text',
      machine_id: 'text',
      source: 'text',
      tags: 'json',
      metadata: 'json',
      format_version: 'fact',
      created_at: 'fact',
      updated_at: 'fact',
      context: 'text',
      project_id: 'text',
      project: 'text',
      team_id: 'fact',
      session_id: 'text',
      external_id: 'text',
      occurred_at: 'fact',
      valid_from: 'fact',
      valid_until: 'fact',
      supersedes: 'fact',
      superseded_by: 'fact',
      deleted_at: 'fact',
      deleted_by: 'name',
      delete_reason: 'text',
      purge_at: 'fact',
      merged_into: 'fact',
      sequence: 'fact',
      importance: 'fact',
      version: 'fact',
      ...VERSIONED,
    },
    owned: 'delete',
    mentions: 'replace',
    entity: 'memory',
    erased_by: 'memory',
  },
  {
    table: 'memory_versions',
    key: ['memory_id', 'version'],
    columns: {
      memory_id: 'fact',
      version: 'fact',
      change: 'fact',
      snapshot: 'json',
      changed_at: 'fact',
      changed_by: 'name',
    },
    parent: { table: 'memories', column: 'memory_id', key: 'memory_id' },
    owned: 'delete',
    mentions: 'replace',
    erased_by: 'memory',
  },
  {
    table: 'memory_tags',
    key: ['tag', 'row_id'],
    columns: { tag: 'text', row_id: 'internal' },
    parent: { table: 'memories', column: 'row_id', key: 'row_id' },
    owned: 'delete',
    mentions: 'replace',
    erased_by: 'memory',
  },
  {
    table: 'agent_session_calls',
    key: ['session_key', 'operation'],
    columns: {
      session_key: 'text',
      operation: 'fact',
      calls: 'fact',
      failures: 'fact',
      first_at: 'fact',
      last_at: 'fact',
    },
    parent: { table: 'agent_sessions', column: 'session_key', key: 'session_key' },
    owned: 'delete',
    mentions: 'delete',
  },
  {
    table: 'agent_sessions',
    key: ['session_key'],
    columns: {
      session_key: 'text',
      user_id: 'owner',
      agent_id: 'text',
      machine_id: 'text',
      client_name: 'text',
      transport: 'fact',
      started_at: 'fact',
      last_seen_at: 'fact',
      guide_sent_at: 'fact',
    },
    owned: 'delete',
    mentions: 'delete',
  },
  {
    table: 'agent_modes',
    key: ['session_key'],
    columns: {
      session_key: 'text',
      user_id: 'owner',
      agent_id: 'text',
      machine_id: 'text',
      mode: 'fact',
      context_id: 'fact',
      set_at: 'fact',
      last_used_at: 'fact',
      fell_back_from: 'fact',
    },
    owned: 'delete',
    mentions: 'delete',
  },
  {
    table: 'mcp_sessions',
    key: ['session_id'],
    columns: {
      session_id: 'internal',
      owner: 'owner',
      state: 'json',
      version: 'internal',
      last_seen_at_ms: 'fact',
    },
    owned: 'delete',
    mentions: 'delete',
  },
  {
    table: 'tokens',
    key: ['jti'],
    columns: {
      jti: 'fact',
      user_id: 'owner',
      agent_id: 'text',
      machine_id: 'text',
      scopes: 'fact',
      admin: 'fact',
      label: 'text',
      created_at: 'fact',
      created_by: 'name',
      expires_at: 'fact',
      revoked_at: 'fact',
      revoked_by: 'name',
    },
    owned: 'delete',
    mentions: 'replace',
  },
  {
    table: 'vault_secret_versions',
    key: ['secret_id', 'version'],
    columns: {
      secret_id: 'fact',
      version: 'fact',
      epoch: 'internal',
      sealed: 'sealed',
      sealed_metadata: 'sealed',
      created_at: 'fact',
      created_by: 'name',
      expires_at: 'fact',
    },
    parent: { table: 'vault_secrets', column: 'secret_id', key: 'secret_id' },
    owned: 'delete',
    mentions: 'replace',
  },
  {
    table: 'vault_secrets',
    key: ['secret_id'],
    columns: {
      secret_id: 'fact',
      vault_id: 'fact',
      secret_key: 'bound',
      version: 'fact',
      rotation_days: 'fact',
      created_at: 'fact',
      created_by: 'name',
      updated_at: 'fact',
      updated_by: 'name',
      expires_at: 'fact',
      deleted_at: 'fact',
      deleted_by: 'name',
      purge_at: 'fact',
      ...VERSIONED,
    },
    parent: { table: 'vaults', column: 'vault_id', key: 'vault_id' },
    owned: 'delete',
    mentions: 'replace',
    entity: 'vault_secret',
  },
  {
    table: 'vault_grants',
    key: ['grant_id'],
    columns: {
      grant_id: 'fact',
      vault_id: 'fact',
      grantee_type: 'fact',
      grantee_id: 'owner',
      access_level: 'fact',
      granted_at: 'fact',
      granted_by: 'name',
      expires_at: 'fact',
      ...VERSIONED,
    },
    when: { column: 'grantee_type', value: 'user' },
    owned: 'delete',
    mentions: 'replace',
    entity: 'vault_grant',
  },
  {
    table: 'vaults',
    key: ['vault_id'],
    columns: {
      vault_id: 'fact',
      name: 'text',
      description: 'text',
      vault_type: 'fact',
      user_id: 'owner',
      team_id: 'fact',
      project_id: 'text',
      epoch: 'internal',
      created_at: 'fact',
      destroyed_at: 'fact',
      ...VERSIONED,
    },
    // A team's vault is the team's. One that was made for several goes to somebody who may do everything there already.
    shared_if: `vaults.team_id is not null or (vaults.vault_type <> 'personal' and exists (
      select 1 from vault_grants as heir where heir.vault_id = vaults.vault_id and heir.grantee_type = 'user'
      and heir.access_level = 'admin' and heir.expires_at is null and heir.grantee_id <> vaults.user_id))`,
    owned: 'delete',
    mentions: 'replace',
    entity: 'vault',
  },
  {
    table: 'team_activity',
    key: ['activity_id'],
    columns: {
      activity_id: 'fact',
      team_id: 'fact',
      at: 'fact',
      action: 'fact',
      user_id: 'owner',
      agent_id: 'text',
      machine_id: 'text',
      target_user_id: 'name',
      details: 'json',
    },
    owned: 'rename',
    mentions: 'replace',
  },
  {
    table: 'team_invitations',
    key: ['invitation_id'],
    columns: {
      invitation_id: 'fact',
      team_id: 'fact',
      user_id: 'owner',
      role: 'fact',
      capabilities: 'fact',
      member_expires_at: 'fact',
      code_hash: 'internal',
      created_at: 'fact',
      created_by: 'name',
      expires_at: 'fact',
      accepted_at: 'fact',
      revoked_at: 'fact',
    },
    owned: 'delete',
    mentions: 'replace',
  },
  {
    table: 'team_members',
    key: ['member_id'],
    columns: {
      member_id: 'fact',
      team_id: 'fact',
      user_id: 'owner',
      role: 'fact',
      capabilities: 'fact',
      added_at: 'fact',
      added_by: 'name',
      expires_at: 'fact',
      ...VERSIONED,
    },
    owned: 'delete',
    mentions: 'replace',
    entity: 'team_member',
  },
  {
    table: 'teams',
    key: ['team_id'],
    columns: {
      team_id: 'fact',
      name: 'text',
      description: 'text',
      created_at: 'fact',
      created_by: 'name',
      ...VERSIONED,
    },
    owned: 'rename',
    mentions: 'replace',
    entity: 'team',
  },
  {
    table: 'legal_holds',
    key: ['hold_id'],
    columns: {
      hold_id: 'fact',
      user_id: 'owner',
      reason: 'text',
      placed_at: 'fact',
      placed_by: 'name',
      released_at: 'fact',
      released_by: 'name',
    },
    owned: 'delete',
    mentions: 'replace',
  },
  {
    table: 'audit_details',
    key: ['seq'],
    columns: { seq: 'fact', salt: 'internal', details: 'json' },
    parent: { table: 'audit_log', column: 'seq', key: 'seq' },
    owned: 'rename',
    mentions: 'replace',
    erased_by: 'audit',
  },
  {
    table: 'audit_log',
    key: ['seq'],
    columns: {
      seq: 'fact',
      at: 'fact',
      subject_id: 'fact',
      action: 'fact',
      target_type: 'fact',
      target_id: 'fact',
      result: 'fact',
      details_digest: 'internal',
      previous_hash: 'internal',
      hash: 'internal',
    },
    parent: { table: 'audit_subjects', column: 'subject_id', key: 'subject_id' },
    owned: 'rename',
    mentions: 'replace',
    erased_by: 'audit',
  },
  {
    table: 'audit_subjects',
    key: ['subject_id'],
    columns: { subject_id: 'fact', salt: 'internal', user_id: 'owner', agent_id: 'text', machine_id: 'text' },
    owned: 'rename',
    mentions: 'replace',
    erased_by: 'audit',
  },
];

export interface ImpersonalTable {
  /** Why it says nothing about anybody. */
  readonly reason: string;
  readonly columns: readonly string[];
}

/** Tables without personal data, each with the reason. */
export const IMPERSONAL: Readonly<Record<string, ImpersonalTable>> = {
  store_identity: { reason: 'random numbers', columns: ['only_row', 'store_id', 'relay_key'] },
  origins: { reason: 'machines and how far they have counted', columns: ['origin', 'last_sequence', 'last_clock'] },
  changes: {
    reason: 'which record changed when, by its opaque id: what peers need to learn of an erasure',
    columns: ['seq', 'origin', 'origin_sequence', 'clock', 'entity', 'entity_id', 'kind', 'version_vector'],
  },
  memory_vectors: {
    reason: 'follows from a memory and is destroyed or made again with it',
    columns: ['vector_seq', 'row_id', 'chunk', 'model_id', 'start_char', 'end_char', 'vector', 'tokens'],
  },
  memory_signatures: { reason: 'follows from a memory and goes with it', columns: ['band', 'row_id'] },
  memory_vector_queue: { reason: 'row numbers', columns: ['row_id', 'attempts', 'claimed_until'] },
  vector_outbox: { reason: 'row numbers', columns: ['row_id', 'attempts', 'claimed_until'] },
  vector_state: { reason: 'sums over the vectors of all memories', columns: ['model_id', 'state', 'row_count'] },
  leases: { reason: 'which process does what at this moment', columns: ['name', 'holder', 'token', 'expires_at_ms'] },
  commit_marks: { reason: 'random numbers of commits', columns: ['writer', 'mark', 'made_at'] },
  relayed_messages: {
    reason: 'signals between running hubs, gone after a minute',
    columns: ['message_id', 'channel', 'body', 'created_at_ms'],
  },
  signing_keys: {
    reason: "the hub's own keys",
    columns: ['key_id', 'public_jwk', 'master_key_id', 'wrapped', 'created_at', 'retired_at'],
  },
  vault_keys: {
    reason: 'wrapped keys; destroyed first, with the vault they belong to',
    columns: ['vault_id', 'epoch', 'master_key_id', 'wrapped', 'created_at'],
  },
  audit_head: { reason: 'where the chain ends', columns: ['only_row', 'seq', 'hash'] },
  erasures: {
    reason: 'that something was erased and how much, without saying whose',
    columns: ['erasure_id', 'at', 'counts'],
  },
};

/** The description of a table. Throws for one that is not personal. */
export function personalTable(name: string): PersonalTable {
  const found = PERSONAL.find(({ table }) => table === name);
  if (!found) throw new Error(`${name} is not described as personal.`);
  return found;
}

export function columnsOf(spec: PersonalTable, ...classes: readonly ColumnClass[]): string[] {
  return Object.entries(spec.columns).flatMap(([column, kind]) => (classes.includes(kind) ? [column] : []));
}

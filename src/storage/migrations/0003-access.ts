// Who may see and do what: signing keys and tokens, modes, teams, vaults with their keys, the audit chain, erasure.
import { randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { SchemaDialect } from '../dialect.ts';
import { createTable, type TableSpec } from './create-table.ts';

export const name = 'access';

/** Columns every synchronised record carries. */
const VERSIONED = { origin: 'text', origin_sequence: 'integer', clock: 'text', version_vector: 'text' } as const;

const TABLES: readonly TableSpec[] = [
  {
    table: 'signing_keys',
    columns: {
      key_id: 'text',
      public_jwk: 'text',
      master_key_id: 'text',
      wrapped: 'bytes',
      created_at: 'text',
      retired_at: 'text?',
    },
    key: ['key_id'],
  },
  {
    table: 'tokens',
    columns: {
      jti: 'text',
      user_id: 'text',
      agent_id: 'text?',
      machine_id: 'text?',
      scopes: 'text?',
      admin: 'integer',
      label: 'text?',
      created_at: 'text',
      created_by: 'text',
      expires_at: 'text',
      revoked_at: 'text?',
      revoked_by: 'text?',
    },
    key: ['jti'],
  },
  {
    table: 'agent_modes',
    columns: {
      session_key: 'text',
      user_id: 'text',
      agent_id: 'text',
      machine_id: 'text',
      mode: 'text',
      context_id: 'text?',
      set_at: 'text',
      last_used_at: 'text',
      fell_back_from: 'text?',
    },
    key: ['session_key'],
  },
  {
    table: 'teams',
    columns: {
      team_id: 'text',
      name: 'text',
      description: 'text',
      created_at: 'text',
      created_by: 'text',
      ...VERSIONED,
    },
    key: ['team_id'],
  },
  {
    table: 'team_members',
    columns: {
      member_id: 'text',
      team_id: 'text',
      user_id: 'text',
      role: 'text',
      capabilities: 'text',
      added_at: 'text',
      added_by: 'text',
      expires_at: 'text?',
      ...VERSIONED,
    },
    key: ['member_id'],
    unique: ['team_id', 'user_id'],
  },
  {
    table: 'team_invitations',
    columns: {
      invitation_id: 'text',
      team_id: 'text',
      user_id: 'text',
      role: 'text',
      capabilities: 'text',
      member_expires_at: 'text?',
      code_hash: 'text',
      created_at: 'text',
      created_by: 'text',
      expires_at: 'text',
      accepted_at: 'text?',
      revoked_at: 'text?',
    },
    key: ['invitation_id'],
    unique: ['code_hash'],
  },
  {
    table: 'team_activity',
    columns: {
      activity_id: 'text',
      team_id: 'text',
      at: 'text',
      action: 'text',
      user_id: 'text',
      agent_id: 'text',
      machine_id: 'text',
      target_user_id: 'text?',
      details: 'text',
    },
    key: ['activity_id'],
  },
  {
    table: 'vaults',
    columns: {
      vault_id: 'text',
      name: 'text',
      description: 'text',
      vault_type: 'text',
      user_id: 'text',
      team_id: 'text?',
      project_id: 'text?',
      epoch: 'integer',
      created_at: 'text',
      destroyed_at: 'text?',
      ...VERSIONED,
    },
    key: ['vault_id'],
  },
  {
    table: 'vault_keys',
    columns: { vault_id: 'text', epoch: 'integer', master_key_id: 'text', wrapped: 'bytes', created_at: 'text' },
    key: ['vault_id', 'epoch'],
  },
  {
    table: 'vault_secrets',
    columns: {
      secret_id: 'text',
      vault_id: 'text',
      secret_key: 'text',
      version: 'integer',
      rotation_days: 'integer?',
      created_at: 'text',
      created_by: 'text',
      updated_at: 'text',
      updated_by: 'text',
      expires_at: 'text?',
      deleted_at: 'text?',
      deleted_by: 'text?',
      purge_at: 'text?',
      ...VERSIONED,
    },
    key: ['secret_id'],
    unique: ['vault_id', 'secret_key'],
  },
  {
    table: 'vault_secret_versions',
    columns: {
      secret_id: 'text',
      version: 'integer',
      epoch: 'integer',
      sealed: 'bytes',
      sealed_metadata: 'bytes',
      created_at: 'text',
      created_by: 'text',
      expires_at: 'text?',
    },
    key: ['secret_id', 'version'],
  },
  {
    table: 'vault_grants',
    columns: {
      grant_id: 'text',
      vault_id: 'text',
      grantee_type: 'text',
      grantee_id: 'text',
      access_level: 'text',
      granted_at: 'text',
      granted_by: 'text',
      expires_at: 'text?',
      ...VERSIONED,
    },
    key: ['grant_id'],
    unique: ['vault_id', 'grantee_type', 'grantee_id'],
  },
  {
    table: 'audit_log',
    columns: {
      seq: 'integer',
      at: 'text',
      subject_id: 'text',
      action: 'text',
      target_type: 'text',
      target_id: 'text?',
      result: 'text',
      details_digest: 'text',
      previous_hash: 'text',
      hash: 'text',
    },
    key: ['seq'],
  },
  { table: 'audit_details', columns: { seq: 'integer', salt: 'text?', details: 'text?' }, key: ['seq'] },
  {
    table: 'audit_subjects',
    columns: { subject_id: 'text', salt: 'text?', user_id: 'text?', agent_id: 'text?', machine_id: 'text?' },
    key: ['subject_id'],
    unique: ['user_id', 'agent_id', 'machine_id'],
  },
  { table: 'audit_head', columns: { only_row: 'integer', seq: 'integer', hash: 'text' }, key: ['only_row'] },
  {
    table: 'legal_holds',
    columns: {
      hold_id: 'text',
      user_id: 'text',
      reason: 'text',
      placed_at: 'text',
      placed_by: 'text',
      released_at: 'text?',
      released_by: 'text?',
    },
    key: ['hold_id'],
  },
  { table: 'erasures', columns: { erasure_id: 'text', at: 'text', counts: 'text' }, key: ['erasure_id'] },
];

/** Indexes by table; the first column is what is asked for. */
const INDEXES: readonly (readonly [string, string, string])[] = [
  ['tokens_user', 'tokens', 'user_id'],
  ['agent_modes_agent', 'agent_modes', 'user_id, agent_id, machine_id'],
  ['agent_modes_used', 'agent_modes', 'last_used_at'],
  ['team_members_user', 'team_members', 'user_id'],
  ['team_invitations_team', 'team_invitations', 'team_id'],
  ['team_activity_team', 'team_activity', 'team_id, activity_id'],
  ['vaults_owner', 'vaults', 'user_id'],
  ['vaults_team', 'vaults', 'team_id'],
  ['vault_grants_grantee', 'vault_grants', 'grantee_type, grantee_id'],
  ['vault_secrets_purge', 'vault_secrets', 'purge_at'],
  ['audit_log_target', 'audit_log', 'target_type, target_id, seq'],
  ['audit_log_subject', 'audit_log', 'subject_id, seq'],
  ['memories_team', 'memories', 'team_id, created_at'],
];

/** `previous_hash` of the first row of the audit chain. */
const CHAIN_START = '0'.repeat(64);

export async function up(db: Kysely<unknown>, types: SchemaDialect): Promise<void> {
  for (const spec of TABLES) await createTable(db, types, spec);
  for (const [index, table, columns] of INDEXES)
    await sql.raw(`create index ${index} on ${table} (${columns})`).execute(db);
  // What hubs of this store have in common and nobody else has.
  await db.schema
    .alterTable('store_identity')
    .addColumn('relay_key', types.text, (c) => c.notNull().defaultTo(''))
    .execute();
  await sql`update store_identity set relay_key = ${randomBytes(32).toString('base64url')}`.execute(db);
  await sql`insert into audit_head (only_row, seq, hash) values (1, 0, ${CHAIN_START})`.execute(db);
}

// First schema: the change record, memories with versions, tags and vectors, and agent sessions.
import { type Kysely, sql } from 'kysely';
import type { TextIndexSchema } from './migration.ts';

export const name = 'memory-core';

export async function up(db: Kysely<unknown>, textIndex: TextIndexSchema): Promise<void> {
  await createChangeRecord(db);
  await createMemories(db);
  await createMemoryParts(db);
  await createSessions(db);
  for (const statement of textIndex.ddl) await sql.raw(statement).execute(db);
}

async function createChangeRecord(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('origins')
    .addColumn('origin', 'text', (c) => c.primaryKey())
    .addColumn('last_sequence', 'integer', (c) => c.notNull())
    .addColumn('last_clock', 'text', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('changes')
    .addColumn('seq', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('origin', 'text', (c) => c.notNull())
    .addColumn('origin_sequence', 'integer', (c) => c.notNull())
    .addColumn('clock', 'text', (c) => c.notNull())
    .addColumn('entity', 'text', (c) => c.notNull())
    .addColumn('entity_id', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('version_vector', 'text', (c) => c.notNull())
    .addUniqueConstraint('changes_origin_sequence', ['origin', 'origin_sequence'])
    .execute();
}

async function createMemories(db: Kysely<unknown>): Promise<void> {
  let table = db.schema
    .createTable('memories')
    .addColumn('row_id', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('memory_id', 'text', (c) => c.notNull().unique());
  for (const column of [
    'content',
    'identity_hash',
    'category',
    'scope',
    'user_id',
    'agent_id',
    'machine_id',
    'source',
    'tags',
    'metadata',
    'format_version',
    'created_at',
    'updated_at',
  ] as const) {
    table = table.addColumn(column, 'text', (c) => c.notNull());
  }
  for (const column of [
    'context',
    'project_id',
    'project',
    'team_id',
    'session_id',
    'external_id',
    'occurred_at',
    'valid_from',
    'valid_until',
    'supersedes',
    'superseded_by',
    'deleted_at',
    'deleted_by',
    'delete_reason',
    'purge_at',
    'merged_into',
  ] as const) {
    table = table.addColumn(column, 'text');
  }
  await table
    .addColumn('sequence', 'integer')
    .addColumn('importance', 'real', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('origin', 'text', (c) => c.notNull())
    .addColumn('origin_sequence', 'integer', (c) => c.notNull())
    .addColumn('clock', 'text', (c) => c.notNull())
    .addColumn('version_vector', 'text', (c) => c.notNull())
    .execute();
  const index = (indexName: string, columns: string) =>
    sql.raw(`create index ${indexName} on memories (${columns})`).execute(db);
  await sql`create unique index memories_identity on memories (identity_hash) where deleted_at is null`.execute(db);
  await sql`create unique index memories_external on memories (user_id, external_id) where external_id is not null`.execute(
    db,
  );
  await index('memories_created', 'created_at, row_id');
  await index('memories_category', 'category, created_at');
  await index('memories_project', 'project, created_at');
  await index('memories_project_id', 'project_id, created_at');
  await index('memories_session', 'session_id, sequence');
  await index('memories_machine', 'machine_id, created_at');
  await index('memories_agent', 'agent_id, created_at');
  await sql`create index memories_deleted on memories (deleted_at) where deleted_at is not null`.execute(db);
}

async function createMemoryParts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('memory_tags')
    .addColumn('tag', 'text', (c) => c.notNull())
    .addColumn('row_id', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('memory_tags_key', ['tag', 'row_id'])
    .modifyEnd(sql`without rowid`)
    .execute();
  await sql`create index memory_tags_row on memory_tags (row_id)`.execute(db);
  await db.schema
    .createTable('memory_versions')
    .addColumn('memory_id', 'text', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('change', 'text', (c) => c.notNull())
    .addColumn('snapshot', 'text', (c) => c.notNull())
    .addColumn('changed_at', 'text', (c) => c.notNull())
    .addColumn('changed_by', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('memory_versions_key', ['memory_id', 'version'])
    .execute();
  await db.schema
    .createTable('memory_vectors')
    .addColumn('vector_seq', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('row_id', 'integer', (c) => c.notNull())
    .addColumn('chunk', 'integer', (c) => c.notNull())
    .addColumn('model_id', 'text', (c) => c.notNull())
    .addColumn('start_char', 'integer', (c) => c.notNull())
    .addColumn('end_char', 'integer', (c) => c.notNull())
    .addColumn('vector', 'blob', (c) => c.notNull())
    .addColumn('tokens', 'blob')
    .execute();
  await sql`create index memory_vectors_row on memory_vectors (row_id)`.execute(db);
  await db.schema
    .createTable('memory_vector_queue')
    .addColumn('row_id', 'integer', (c) => c.primaryKey())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('claimed_until', 'integer', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('vector_state')
    .addColumn('model_id', 'text', (c) => c.primaryKey())
    .addColumn('state', 'blob', (c) => c.notNull())
    .addColumn('row_count', 'integer', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('memory_signatures')
    .addColumn('band', 'integer', (c) => c.notNull())
    .addColumn('row_id', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('memory_signatures_key', ['band', 'row_id'])
    .modifyEnd(sql`without rowid`)
    .execute();
  await sql`create index memory_signatures_row on memory_signatures (row_id)`.execute(db);
}

async function createSessions(db: Kysely<unknown>): Promise<void> {
  let sessions = db.schema.createTable('agent_sessions').addColumn('session_key', 'text', (c) => c.primaryKey());
  for (const column of ['user_id', 'agent_id', 'machine_id', 'transport', 'started_at', 'last_seen_at'] as const) {
    sessions = sessions.addColumn(column, 'text', (c) => c.notNull());
  }
  await sessions.addColumn('client_name', 'text').addColumn('guide_sent_at', 'text').execute();
  await db.schema
    .createTable('agent_session_calls')
    .addColumn('session_key', 'text', (c) => c.notNull())
    .addColumn('operation', 'text', (c) => c.notNull())
    .addColumn('calls', 'integer', (c) => c.notNull())
    .addColumn('failures', 'integer', (c) => c.notNull())
    .addColumn('first_at', 'text', (c) => c.notNull())
    .addColumn('last_at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('agent_session_calls_key', ['session_key', 'operation'])
    .execute();
}

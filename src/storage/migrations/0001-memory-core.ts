// First schema: the change record, memories with versions, tags and vectors, and agent sessions.
import { type Kysely, sql } from 'kysely';
import type { SchemaDialect } from '../dialect.ts';

export const name = 'memory-core';

export async function up(db: Kysely<unknown>, types: SchemaDialect): Promise<void> {
  await createChangeRecord(db, types);
  await createMemories(db, types);
  await createMemoryParts(db, types);
  await createSessions(db, types);
  for (const statement of types.textIndexDdl) await sql.raw(statement).execute(db);
}

async function createChangeRecord(db: Kysely<unknown>, types: SchemaDialect): Promise<void> {
  await db.schema
    .createTable('origins')
    .addColumn('origin', types.text, (c) => c.primaryKey())
    .addColumn('last_sequence', types.integer, (c) => c.notNull())
    .addColumn('last_clock', types.text, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('changes')
    .addColumn('seq', types.key, types.asKey)
    .addColumn('origin', types.text, (c) => c.notNull())
    .addColumn('origin_sequence', types.integer, (c) => c.notNull())
    .addColumn('clock', types.text, (c) => c.notNull())
    .addColumn('entity', types.text, (c) => c.notNull())
    .addColumn('entity_id', types.text, (c) => c.notNull())
    .addColumn('kind', types.text, (c) => c.notNull())
    .addColumn('version_vector', types.text, (c) => c.notNull())
    .addUniqueConstraint('changes_origin_sequence', ['origin', 'origin_sequence'])
    .execute();
}

async function createMemories(db: Kysely<unknown>, types: SchemaDialect): Promise<void> {
  let table = db.schema
    .createTable('memories')
    .addColumn('row_id', types.key, types.asKey)
    .addColumn('memory_id', types.text, (c) => c.notNull().unique());
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
    table = table.addColumn(column, types.text, (c) => c.notNull());
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
    table = table.addColumn(column, types.text);
  }
  await table
    .addColumn('sequence', types.integer)
    .addColumn('importance', types.real, (c) => c.notNull())
    .addColumn('version', types.integer, (c) => c.notNull())
    .addColumn('origin', types.text, (c) => c.notNull())
    .addColumn('origin_sequence', types.integer, (c) => c.notNull())
    .addColumn('clock', types.text, (c) => c.notNull())
    .addColumn('version_vector', types.text, (c) => c.notNull())
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

async function createMemoryParts(db: Kysely<unknown>, types: SchemaDialect): Promise<void> {
  const tags = db.schema
    .createTable('memory_tags')
    .addColumn('tag', types.text, (c) => c.notNull())
    .addColumn('row_id', types.integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('memory_tags_key', ['tag', 'row_id']);
  await types.keyOnly(tags).execute();
  await sql`create index memory_tags_row on memory_tags (row_id)`.execute(db);
  await db.schema
    .createTable('memory_versions')
    .addColumn('memory_id', types.text, (c) => c.notNull())
    .addColumn('version', types.integer, (c) => c.notNull())
    .addColumn('change', types.text, (c) => c.notNull())
    .addColumn('snapshot', types.text, (c) => c.notNull())
    .addColumn('changed_at', types.text, (c) => c.notNull())
    .addColumn('changed_by', types.text, (c) => c.notNull())
    .addPrimaryKeyConstraint('memory_versions_key', ['memory_id', 'version'])
    .execute();
  await db.schema
    .createTable('memory_vectors')
    .addColumn('vector_seq', types.key, types.asKey)
    .addColumn('row_id', types.integer, (c) => c.notNull())
    .addColumn('chunk', types.integer, (c) => c.notNull())
    .addColumn('model_id', types.text, (c) => c.notNull())
    .addColumn('start_char', types.integer, (c) => c.notNull())
    .addColumn('end_char', types.integer, (c) => c.notNull())
    .addColumn('vector', types.bytes, (c) => c.notNull())
    .addColumn('tokens', types.bytes)
    .execute();
  await sql`create index memory_vectors_row on memory_vectors (row_id)`.execute(db);
  await db.schema
    .createTable('memory_vector_queue')
    .addColumn('row_id', types.integer, (c) => c.primaryKey())
    .addColumn('attempts', types.integer, (c) => c.notNull())
    .addColumn('claimed_until', types.integer, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('vector_state')
    .addColumn('model_id', types.text, (c) => c.primaryKey())
    .addColumn('state', types.bytes, (c) => c.notNull())
    .addColumn('row_count', types.integer, (c) => c.notNull())
    .execute();
  const signatures = db.schema
    .createTable('memory_signatures')
    .addColumn('band', types.integer, (c) => c.notNull())
    .addColumn('row_id', types.integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('memory_signatures_key', ['band', 'row_id']);
  await types.keyOnly(signatures).execute();
  await sql`create index memory_signatures_row on memory_signatures (row_id)`.execute(db);
}

async function createSessions(db: Kysely<unknown>, types: SchemaDialect): Promise<void> {
  let sessions = db.schema.createTable('agent_sessions').addColumn('session_key', types.text, (c) => c.primaryKey());
  for (const column of ['user_id', 'agent_id', 'machine_id', 'transport', 'started_at', 'last_seen_at'] as const) {
    sessions = sessions.addColumn(column, types.text, (c) => c.notNull());
  }
  await sessions.addColumn('client_name', types.text).addColumn('guide_sent_at', types.text).execute();
  await db.schema
    .createTable('agent_session_calls')
    .addColumn('session_key', types.text, (c) => c.notNull())
    .addColumn('operation', types.text, (c) => c.notNull())
    .addColumn('calls', types.integer, (c) => c.notNull())
    .addColumn('failures', types.integer, (c) => c.notNull())
    .addColumn('first_at', types.text, (c) => c.notNull())
    .addColumn('last_at', types.text, (c) => c.notNull())
    .addPrimaryKeyConstraint('agent_session_calls_key', ['session_key', 'operation'])
    .execute();
}

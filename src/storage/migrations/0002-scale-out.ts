// Several processes on one store: leases, the outbox of an index that another program holds, sessions any hub can serve,
// and the store's identity, by which it tells its part of what it shares with other stores.
import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { SchemaDialect } from '../dialect.ts';

export const name = 'scale-out';

export async function up(db: Kysely<unknown>, types: SchemaDialect): Promise<void> {
  await db.schema
    .createTable('leases')
    .addColumn('name', types.text, (c) => c.primaryKey())
    .addColumn('holder', types.text, (c) => c.notNull())
    .addColumn('token', types.integer, (c) => c.notNull())
    .addColumn('expires_at_ms', types.integer, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('vector_outbox')
    .addColumn('row_id', types.integer, (c) => c.primaryKey())
    .addColumn('attempts', types.integer, (c) => c.notNull())
    .addColumn('claimed_until', types.integer, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('mcp_sessions')
    .addColumn('session_id', types.text, (c) => c.primaryKey())
    .addColumn('owner', types.text, (c) => c.notNull())
    .addColumn('state', types.text, (c) => c.notNull())
    .addColumn('version', types.integer, (c) => c.notNull())
    .addColumn('last_seen_at_ms', types.integer, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('store_identity')
    .addColumn('only_row', types.integer, (c) => c.primaryKey())
    .addColumn('store_id', types.text, (c) => c.notNull())
    .execute();
  await sql`insert into store_identity (only_row, store_id) values (1, ${randomUUID()})`.execute(db);
  await sql`create index mcp_sessions_seen on mcp_sessions (last_seen_at_ms)`.execute(db);
  await sql`create index memory_vector_queue_claimed on memory_vector_queue (claimed_until)`.execute(db);
  for (const statement of types.ownDdl) await sql.raw(statement).execute(db);
}

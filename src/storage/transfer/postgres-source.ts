// A PostgreSQL store as the source of a transfer: one read-only transaction that sees one moment (REPEATABLE READ).
import { failure } from '../../kernel/errors.ts';
import { SCHEMA_VERSION } from '../migrations/index.ts';
import type { PostgresSettings } from '../postgres/pool.ts';
import type { TransferSource } from './port.ts';
import { connectedHubs, connectTransfer, type TransferClient } from './postgres-client.ts';
import { inSchema, postgresTables, tableNames } from './postgres-tables.ts';
import { CARRIED } from './registry.ts';

/** Errors: `not_found` where there is no store, `conflict` where its schema is another, `storage_too_new`. */
export async function openPostgresSource(settings: PostgresSettings): Promise<TransferSource> {
  const client = await connectTransfer(settings);
  try {
    const schema = await currentSchema(client);
    const hubs = await connectedHubs(client);
    await client.rows('begin isolation level repeatable read read only');
    await expectSchema(client, schema);
    const notes =
      hubs > 0
        ? [`Hubs are connected to ${client.place}: what they write while the store is carried is carried afterwards.`]
        : [];
    return await sourceOn(client, schema, settings, notes);
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** The schema a hub with these settings uses. */
export async function currentSchema(client: TransferClient): Promise<string> {
  const found = await client.rows<{ name: string | null }>('select current_schema()::text as name');
  return found[0]?.name ?? 'public';
}

/** 0 where there is no store. */
export async function schemaVersion(client: TransferClient, schema: string): Promise<number> {
  if (!(await tableNames(client, schema)).includes('schema_version')) return 0;
  const found = await client.rows<{ version: number }>(`select version from ${inSchema(schema, 'schema_version')}`);
  return found[0]?.version ?? 0;
}

async function expectSchema(client: TransferClient, schema: string): Promise<void> {
  const version = await schemaVersion(client, schema);
  if (version === SCHEMA_VERSION) return;
  if (version === 0)
    throw failure('not_found', `There is no store in ${client.place}.`, 'Check the name of the database.');
  if (version > SCHEMA_VERSION)
    throw failure(
      'storage_too_new',
      `The store in ${client.place} has schema ${version}; this program knows up to ${SCHEMA_VERSION}.`,
      'Update haivemind on this machine.',
    );
  throw failure(
    'conflict',
    `The store in ${client.place} has schema ${version}, this program ${SCHEMA_VERSION}.`,
    'Let this version of haivemind open it once (`haivemind doctor` with HAIVEMIND_DATABASE_URL): that brings it up to date.',
  );
}

async function sourceOn(
  client: TransferClient,
  schema: string,
  settings: PostgresSettings,
  notes: readonly string[],
): Promise<TransferSource> {
  const [first] = await client.rows<{ origin: string; clock: string }>(
    `select origin, clock from ${inSchema(schema, 'changes')} order by seq limit 1`,
  );
  // Which transactions are over and which were under way: equal only where nothing was written anywhere in between.
  const [snapshot] = await client.rows<{ mark: string }>('select pg_current_snapshot()::text as mark');
  return {
    ...postgresTables(client, schema),
    store_id: first ? `${first.origin} ${first.clock}` : null,
    mark: snapshot?.mark ?? '',
    notes,
    counters: () => readCounters(client, schema),
    async latestChange(when) {
      if (when === 'here') return latestChange(client, schema);
      const now = await connectTransfer(settings);
      try {
        return await latestChange(now, schema);
      } finally {
        await now.end();
      }
    },
    close: () => client.end(),
  };
}

async function latestChange(client: TransferClient, schema: string): Promise<number> {
  const [row] = await client.rows<{ seq: number }>(
    `select coalesce(max(seq), 0) as seq from ${inSchema(schema, 'changes')}`,
  );
  return row?.seq ?? 0;
}

async function readCounters(client: TransferClient, schema: string): Promise<Record<string, number>> {
  const counters: Record<string, number> = {};
  for (const { table, counter } of CARRIED) {
    if (counter === undefined) continue;
    const [row] = await client.rows<{ last: number | null }>(
      'select coalesce(pg_sequence_last_value(pg_get_serial_sequence($1, $2)::regclass), 0) as last',
      [inSchema(schema, table), counter],
    );
    counters[table] = row?.last ?? 0;
  }
  return counters;
}

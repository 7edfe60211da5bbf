// Where a store grows in a PostgreSQL database (a schema of its own) and how it takes its place: all or nothing.
import { toIso } from '../../kernel/clock.ts';
import { failure } from '../../kernel/errors.ts';
import { JOURNAL_TABLE } from './journal.ts';
import type { Present } from './port.ts';
import { connectedHubs, type TransferClient } from './postgres-client.ts';
import { schemaVersion } from './postgres-source.ts';
import { inSchema, quoted, tableNames } from './postgres-tables.ts';
import { CARRIED, isOwnTable, LEFT_OUT } from './registry.ts';

/** The schema in which an unfinished store grows, where no hub looks. */
export const INCOMING = 'haivemind_incoming';

const OURS = new Set([...CARRIED.map(({ table }) => table), ...Object.keys(LEFT_OUT)]);

/** The tables of our store in a schema, whatever else lies there. */
async function ourTables(client: TransferClient, schema: string): Promise<string[]> {
  return (await tableNames(client, schema)).filter((name) => OURS.has(name) || isOwnTable(name));
}

/** Errors: `conflict` where tables of another program have the names of ours. */
export async function presentIn(client: TransferClient, schema: string): Promise<Present> {
  const tables = await ourTables(client, schema);
  if (tables.length === 0) return 'nothing';
  if ((await schemaVersion(client, schema)) === 0)
    throw failure(
      'conflict',
      `${client.place} has tables of another program that are called like those of a store (${tables.join(', ')}).`,
      'Use a database of its own.',
    );
  const [row] = await client.rows<{ used: boolean }>(
    `select exists (select 1 from ${inSchema(schema, 'changes')}) or exists (select 1 from ${inSchema(schema, 'memories')}) as used`,
  );
  return row?.used ? 'used' : 'unused';
}

/** Errors: `unavailable` while a hub is connected: what it knows about the store would be wrong from one moment to the next. */
export async function refuseWhileHubs(client: TransferClient): Promise<void> {
  const hubs = await connectedHubs(client);
  if (hubs === 0) return;
  throw failure(
    'unavailable',
    `haivemind has ${hubs} ${hubs === 1 ? 'connection' : 'connections'} to ${client.place}: a hub or a command uses it.`,
    'Stop every hub and client on that database, then run this again.',
  );
}

/**
 * Moves what is there aside and the incoming store in, in one transaction. Returns where the earlier one lies. Errors:
 * `conflict` where there is a store by now and `replace` is false, `unavailable` while hubs are connected.
 */
export async function takePlace(client: TransferClient, schema: string, replace: boolean): Promise<string | undefined> {
  return client.transaction(async () => {
    await refuseWhileHubs(client);
    if (!replace && (await presentIn(client, schema)) === 'used')
      throw failure('conflict', `${client.place} holds a store by now.`, 'Move into an empty database.');
    await client.rows(`drop table ${inSchema(INCOMING, JOURNAL_TABLE)}`);
    const earlier = await ourTables(client, schema);
    const kept = earlier.length > 0 ? await moveAside(client, schema, earlier) : undefined;
    for (const table of await tableNames(client, INCOMING))
      await client.rows(`alter table ${inSchema(INCOMING, table)} set schema ${quoted(schema)}`);
    await client.rows(`drop schema ${quoted(INCOMING)}`);
    return kept === undefined ? undefined : `schema ${kept} of ${client.place}`;
  });
}

async function moveAside(client: TransferClient, schema: string, tables: readonly string[]): Promise<string> {
  const kept = `haivemind_before_${toIso(Date.now()).replaceAll(/[-:.]/g, '').toLowerCase()}`;
  await client.rows(`create schema ${quoted(kept)}`);
  for (const table of tables) await client.rows(`alter table ${inSchema(schema, table)} set schema ${quoted(kept)}`);
  return kept;
}

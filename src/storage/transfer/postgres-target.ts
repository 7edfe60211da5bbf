// A PostgreSQL database as the target of a transfer: filled in a schema of its own, which then takes the store's place.
import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import { failure } from '../../kernel/errors.ts';
import { migratePostgres } from '../postgres/migrate.ts';
import type { PostgresSettings } from '../postgres/pool.ts';
import { HEADER, JOURNAL_DDL, JOURNAL_TABLE } from './journal.ts';
import type { JournalHeader, TableProgress, TransferTarget } from './port.ts';
import { connectTransfer, type TransferClient } from './postgres-client.ts';
import { INCOMING, takePlace } from './postgres-place.ts';
import { currentSchema } from './postgres-source.ts';
import { inSchema, postgresTables, quoted, tableNames } from './postgres-tables.ts';
import { removeRows, writeRows, writeTexts } from './postgres-writes.ts';
import { CARRIED } from './registry.ts';
import { searchedRows } from './texts.ts';

export interface PostgresTargetOptions {
  /** Throws what an earlier, unfinished run left away. */
  readonly fresh: boolean;
  /** Sets a store that is used aside; else that is refused. */
  readonly replace: boolean;
}

/** Connects and opens or goes on with an unfinished store. Errors: `unavailable` where another transfer fills it. */
export async function openPostgresTarget(
  settings: PostgresSettings,
  { fresh, replace }: PostgresTargetOptions,
): Promise<TransferTarget> {
  const client = await connectTransfer(settings);
  try {
    const schema = await currentSchema(client);
    await refuseSecond(client);
    const begun = (await tableNames(client, INCOMING)).includes(JOURNAL_TABLE);
    if (fresh || !begun) await client.rows(`drop schema if exists ${quoted(INCOMING)} cascade`);
    await client.rows(`create schema if not exists ${quoted(INCOMING)}`);
    await client.rows(`set search_path = ${quoted(INCOMING)}`);
    await client.rows("set maintenance_work_mem = '128MB'");
    const pool = client.pool as unknown as PostgresPool;
    await migratePostgres(new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) }), client.place);
    return targetOn(client, schema, replace);
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** The lock goes with the connection. */
async function refuseSecond(client: TransferClient): Promise<void> {
  const [row] = await client.rows<{ mine: boolean }>(
    "select pg_try_advisory_lock(hashtext('haivemind:transfer')) as mine",
  );
  if (row?.mine) return;
  throw failure(
    'unavailable',
    `Another transfer is filling ${client.place}.`,
    'Wait for it, or stop it and run this again: it goes on where that one was.',
  );
}

function targetOn(client: TransferClient, schema: string, replace: boolean): TransferTarget {
  const tables = postgresTables(client, INCOMING);
  const journal = journalOn(client);
  return {
    ...tables,
    header: () => journal.read<JournalHeader>(HEADER),
    progress: (table) => journal.read<TableProgress>(table),
    async begin(header) {
      await client.transaction(async () => {
        await client.rows(JOURNAL_DDL);
        const before = await journal.read<JournalHeader>(HEADER);
        if (!before) for (const { table, filled } of CARRIED) if (filled) await client.rows(`delete from "${table}"`);
        // A run that was interrupted late has made some of them again.
        const indexes = [...new Set([...(before?.indexes ?? []), ...(await dropIndexes(client))])];
        await client.rows(`delete from ${JOURNAL_TABLE}`);
        await journal.put(HEADER, { ...header, indexes });
      });
    },
    async write({ table, remove, insert, progress }) {
      await client.transaction(async () => {
        await removeRows(client, table, remove);
        await writeRows(client, table, insert);
        if (table.searched) await writeTexts(client, remove, searchedRows(insert));
        await journal.put(table.table, progress);
      });
    },
    async finish(counters) {
      const header = await journal.read<JournalHeader>(HEADER);
      await client.transaction(async () => {
        for (const sql of header?.indexes ?? [])
          await client.rows(sql.replace(/^create (unique )?index /i, 'create $1index if not exists '));
        for (const { table, counter } of CARRIED) {
          const value = counters[table] ?? 0;
          if (counter === undefined || value === 0) continue;
          await client.rows(`select setval(pg_get_serial_sequence($1, $2), $3)`, [
            inSchema(INCOMING, table),
            counter,
            value,
          ]);
        }
      });
      // What the planner knows is nothing until then.
      for (const table of await tableNames(client, INCOMING)) await client.rows(`analyze ${inSchema(INCOMING, table)}`);
    },
    async texts() {
      const [row] = await client.rows<{ rows: number }>('select count(*) as rows from memory_texts');
      return row?.rows ?? 0;
    },
    publish: () => takePlace(client, schema, replace),
    close: () => client.end(),
  };
}

function journalOn(client: TransferClient) {
  return {
    async read<T>(name: string): Promise<T | undefined> {
      if (!(await tableNames(client, INCOMING)).includes(JOURNAL_TABLE)) return undefined;
      const [row] = await client.rows<{ value: string }>(`select value from ${JOURNAL_TABLE} where name = $1`, [name]);
      return row ? (JSON.parse(row.value) as T) : undefined;
    },
    put: (name: string, value: unknown) =>
      client.rows(
        `insert into ${JOURNAL_TABLE} (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value`,
        [name, JSON.stringify(value)],
      ),
  };
}

/** Returns the statements that make them again. Those behind a constraint stay. */
async function dropIndexes(client: TransferClient): Promise<string[]> {
  const found = await client.rows<{ name: string; sql: string }>(
    `select i.relname::text as name, pg_get_indexdef(i.oid) as sql from pg_index x
     join pg_class i on i.oid = x.indexrelid join pg_namespace n on n.oid = i.relnamespace
     where n.nspname = $1 and not exists (select 1 from pg_constraint c where c.conindid = i.oid)`,
    [INCOMING],
  );
  for (const { name } of found) await client.rows(`drop index ${inSchema(INCOMING, name)}`);
  return found.map(({ sql }) => sql);
}

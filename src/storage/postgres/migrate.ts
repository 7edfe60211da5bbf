// Brings a PostgreSQL store to the schema of this program: under an advisory lock, all missing migrations in one
// transaction, so that a failure leaves everything as it was. A copy beforehand is the database's own business (pg_dump).
import { type Kysely, sql } from 'kysely';
import { failure } from '../../kernel/errors.ts';
import { migrations, SCHEMA_VERSION } from '../migrations/index.ts';
import { postgresFragments, postgresSchema } from './fragments.ts';

const VERSION_MIN = 150_000;

/** Throws `storage_too_new` for a store of a later program, `config_invalid` for a server that is too old or not UTF-8. */
export async function migratePostgres(db: Kysely<unknown>, place: string): Promise<void> {
  await refuseServer(db, place);
  if ((await readVersion(db, place)) === SCHEMA_VERSION) return;
  await db.transaction().execute(async (trx) => {
    await sql`set local lock_timeout = 0`.execute(trx);
    await sql`set local statement_timeout = 0`.execute(trx);
    await postgresFragments.serialise(trx, 'migrations');
    // Another process may have migrated while this one waited for the lock.
    const found = await readVersion(trx, place);
    if (found > SCHEMA_VERSION) throw tooNew(place, found);
    await sql`create table if not exists schema_version (version bigint not null)`.execute(trx);
    for (const migration of migrations.slice(found)) await migration.up(trx, postgresSchema);
    await sql`delete from schema_version`.execute(trx);
    await sql`insert into schema_version (version) values (${SCHEMA_VERSION})`.execute(trx);
  });
}

/**
 * 0 where there is no store yet. Looked for in the schema where it would be made, and nowhere else on the search path:
 * two stores of one database must not become one. Throws `conflict` for a table of that name that is another program's.
 */
async function readVersion(db: Kysely<unknown>, place: string): Promise<number> {
  // Not by to_regclass: what it found missing before the lock was had, it may go on to miss.
  const found = await sql<{ name: string }>`
    select c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = current_schema() and c.relname in ('schema_version', 'changes')`.execute(db);
  const [version, store] = ['schema_version', 'changes'].map((table) => found.rows.some(({ name }) => name === table));
  if (!version) return 0;
  if (!store)
    throw failure(
      'conflict',
      `${place} has a table schema_version of another program.`,
      'Use a database of its own, or a schema of its own that comes first on the search path of its user.',
    );
  const row = await sql<{ version: number }>`select version from schema_version`.execute(db);
  return row.rows[0]?.version ?? 0;
}

async function refuseServer(db: Kysely<unknown>, place: string): Promise<void> {
  const answer = await sql<{ number: string; name: string; encoding: string }>`
    select current_setting('server_version_num') as number, current_setting('server_version') as name,
      current_setting('server_encoding') as encoding`.execute(db);
  const { number = '0', name = 'unknown', encoding = 'unknown' } = answer.rows[0] ?? {};
  if (Number(number) < VERSION_MIN)
    throw failure(
      'config_invalid',
      `PostgreSQL at ${place} is version ${name}; haivemind needs 15 or later.`,
      'Upgrade the server, or use another one.',
    );
  // Memories hold any character; another encoding would refuse some of them, one write at a time.
  if (encoding === 'UTF8') return;
  throw failure(
    'config_invalid',
    `The database at ${place} keeps text as ${encoding}; haivemind needs UTF8.`,
    'Use another database: createdb --owner <user> --template template0 --encoding UTF8 --locale C.UTF-8 <name>.',
  );
}

function tooNew(place: string, found: number) {
  return failure(
    'storage_too_new',
    `The store in ${place} has schema ${found}; this program knows up to ${SCHEMA_VERSION}.`,
    'Update haivemind on this machine; the store was not touched.',
    { details: { found, known: SCHEMA_VERSION } },
  );
}

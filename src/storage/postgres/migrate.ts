// Brings a PostgreSQL store to the schema of this program: under an advisory lock, all missing migrations in one
// transaction, so that a failure leaves everything as it was. A copy beforehand is the database's own business (pg_dump).
import { type Kysely, sql } from 'kysely';
import { failure } from '../../kernel/errors.ts';
import { migrations, SCHEMA_VERSION } from '../migrations/index.ts';
import { postgresFragments, postgresSchema } from './fragments.ts';

const VERSION_MIN = 150_000;

/** Throws `storage_too_new` for a store of a later program, `config_invalid` for a server that is too old. */
export async function migratePostgres(db: Kysely<unknown>, place: string): Promise<void> {
  await refuseOldServer(db, place);
  if ((await readVersion(db)) === SCHEMA_VERSION) return;
  await db.transaction().execute(async (trx) => {
    await sql`set local lock_timeout = 0`.execute(trx);
    await sql`set local statement_timeout = 0`.execute(trx);
    await postgresFragments.serialise(trx, 'migrations');
    await sql`create table if not exists schema_version (version bigint not null)`.execute(trx);
    // Another process may have migrated while this one waited for the lock.
    const found = await readVersion(trx);
    if (found > SCHEMA_VERSION) throw tooNew(place, found);
    for (const migration of migrations.slice(found)) await migration.up(trx, postgresSchema);
    await sql`delete from schema_version`.execute(trx);
    await sql`insert into schema_version (version) values (${SCHEMA_VERSION})`.execute(trx);
  });
}

/** 0 where there is no store yet. */
async function readVersion(db: Kysely<unknown>): Promise<number> {
  const there = await sql<{ found: string | null }>`select to_regclass('schema_version')::text as found`.execute(db);
  if (!there.rows[0]?.found) return 0;
  const row = await sql<{ version: number }>`select version from schema_version`.execute(db);
  return row.rows[0]?.version ?? 0;
}

async function refuseOldServer(db: Kysely<unknown>, place: string): Promise<void> {
  const answer = await sql<{ number: string; name: string }>`
    select current_setting('server_version_num') as number, current_setting('server_version') as name`.execute(db);
  const { number = '0', name = 'unknown' } = answer.rows[0] ?? {};
  if (Number(number) >= VERSION_MIN) return;
  throw failure(
    'config_invalid',
    `PostgreSQL at ${place} is version ${name}; haivemind needs 15 or later.`,
    'Upgrade the server, or use another one.',
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

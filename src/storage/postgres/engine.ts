// PostgreSQL as the store's engine: a bounded pool, reads that are asked again, writes that are run again.
import { Kysely, PostgresDialect, sql } from 'kysely';
import { failure } from '../../kernel/errors.ts';
import { postgresNowMs } from '../coordination/leases.ts';
import type { Engine } from '../engine.ts';
import type { StorageTables } from '../tables.ts';
import { createPostgresTextIndex } from '../text/postgres/index.ts';
import { backupPostgres } from '../transfer/index.ts';
import { eraseTraces } from './erase-traces.ts';
import { isAbortedTransaction, isConflict, isLostRace, postgresError } from './errors.ts';
import { postgresFragments } from './fragments.ts';
import { migratePostgres } from './migrate.ts';
import { createPool, type PostgresSettings, placeOf } from './pool.ts';
import { createAsk } from './prepared.ts';
import { readingPool } from './reading.ts';
import { createServerClock, type ServerClock } from './server-clock.ts';
import { readSnapshot } from './snapshot.ts';
import { createTransact } from './transact.ts';
import { forgetOldMarks, writingPool } from './writing.ts';

export type { PostgresSettings } from './pool.ts';

/**
 * Connects and brings the schema up to date. Errors: `unavailable` where the server does not answer, `config_invalid`
 * where it refuses the user or lacks the database, `storage_too_new`.
 */
export async function openPostgresEngine(settings: PostgresSettings): Promise<Engine> {
  const pool = createPool(settings);
  const place = placeOf(settings.url);
  const ask = createAsk();
  const writer = new Kysely<StorageTables>({ dialect: new PostgresDialect({ pool: writingPool(pool, ask) }) });
  const db = new Kysely<StorageTables>({ dialect: new PostgresDialect({ pool: readingPool(pool, place, ask) }) });
  let clock: ServerClock;
  let store_id: string;
  try {
    await migratePostgres(new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) }), place);
    await forgetOldMarks(pool);
    store_id = await only(db, sql<{ value: string }>`select store_id as value from store_identity`);
    clock = await createServerClock(() => only(db, sql<{ value: number }>`select ${postgresNowMs} as value`));
  } catch (error) {
    await pool.end();
    throw postgresError(error, place);
  }
  return {
    kind: 'postgres',
    place,
    file: undefined,
    store_id,
    db,
    snapshot: (read) => readSnapshot(pool, place, read),
    writing: {
      transact: createTransact(writer),
      lostRace: isLostRace,
      deadlocked: isConflict,
      wasAborted: isAbortedTransaction,
      savepoints: 'after_failure',
      readable: (error) => readable(error, place),
    },
    dialect: postgresFragments,
    text: createPostgresTextIndex({ db: db as Kysely<unknown> }),
    clock,
    version: () => only(db, sql<{ value: string }>`select current_setting('server_version') as value`),
    size: async () =>
      Number(
        await only(
          db,
          sql<{ value: number }>`
            select coalesce(sum(pg_total_relation_size(c.oid)), 0) as value from pg_class c
            join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = current_schema() and c.relkind = 'r'`,
        ),
      ),
    // Statistics are autovacuum's business.
    optimise: () => forgetOldMarks(pool),
    eraseTraces: () => eraseTraces(pool),
    verify: () => verify(db),
    backup: (path) => backupPostgres(settings, path),
    async close() {
      clock[Symbol.dispose]();
      await db.destroy();
      await pool.end();
    },
  };
}

function readable(error: unknown, place: string): unknown {
  if (!isLostRace(error)) return postgresError(error, place);
  return failure('unavailable', 'Many change the same at once; nothing was changed.', 'Try again in a moment.', {
    cause: error,
  });
}

async function only<T>(db: Kysely<StorageTables>, query: ReturnType<typeof sql<{ value: T }>>): Promise<T> {
  const [row] = (await query.execute(db)).rows;
  if (!row) throw new Error('PostgreSQL answered without a row.');
  return row.value;
}

/** Damaged pages make the count of a table fail. */
async function verify(db: Kysely<StorageTables>): Promise<string> {
  const memories = await only(
    db,
    sql<{ value: number }>`select count(*) + coalesce(sum(length(content) * 0), 0) as value from memories`,
  );
  return `the text of ${memories} memories reads well`;
}

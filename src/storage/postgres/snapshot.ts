// Reads of one moment of the server: one read-only transaction that sees what was committed when it began.
import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import type { StorageTables } from '../tables.ts';
import { postgresError } from './errors.ts';

/** All that `read` asks is of one moment. A lost connection is not mended: what was read would be of two moments. */
export async function readSnapshot<T>(
  pool: pg.Pool,
  place: string,
  read: (db: Kysely<StorageTables>) => Promise<T>,
): Promise<T> {
  const ours = { connect: () => pool.connect(), end: async () => {} };
  const db = new Kysely<StorageTables>({ dialect: new PostgresDialect({ pool: ours as never }) });
  try {
    return await db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(read);
  } catch (error) {
    throw postgresError(error, place);
  } finally {
    await db.destroy();
  }
}

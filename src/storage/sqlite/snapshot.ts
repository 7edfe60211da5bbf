// Reads of one moment of the file: a connection of their own in one deferred transaction, which writers do not wait for.
import { Kysely } from 'kysely';
import type { StorageTables } from '../tables.ts';
import { nodeSqliteDialect } from './dialect.ts';
import { storageError } from './errors.ts';
import { openReader } from './open.ts';

/** All that `read` asks is of the moment of its first question. */
export async function readSnapshot<T>(file: string, read: (db: Kysely<StorageTables>) => Promise<T>): Promise<T> {
  const raw = openReader(file);
  const db = new Kysely<StorageTables>({ dialect: nodeSqliteDialect(raw, file) });
  try {
    raw.exec('begin');
    return await read(db);
  } catch (error) {
    throw storageError(error, file);
  } finally {
    if (raw.isTransaction) raw.exec('rollback');
    await db.destroy();
    raw.close();
  }
}

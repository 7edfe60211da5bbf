// Brings a store to the schema of this program: backup first, then every missing migration in one transaction.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { type Kysely, sql } from 'kysely';
import { failure } from '../../kernel/errors.ts';
import { migrations, SCHEMA_VERSION } from '../migrations/index.ts';
import { sqliteSchema } from './fragments.ts';
import { retryWhileBusy } from './open.ts';

export interface MigrationReport {
  readonly from_version: number;
  readonly to_version: number;
  /** The copy made before an existing store was changed. */
  readonly backup: string | undefined;
}

/** Migrates under the write lock. Throws `storage_too_new` for a store of a later program and leaves it untouched. */
export async function migrateSqlite(db: Kysely<unknown>, raw: DatabaseSync, file: string): Promise<MigrationReport> {
  const found = readVersion(raw);
  if (found === SCHEMA_VERSION) return { from_version: found, to_version: found, backup: undefined };
  if (found > SCHEMA_VERSION) throw tooNew(file, found);
  const backup = found > 0 ? backupBefore(raw, file, found) : undefined;
  await db.transaction().execute(async (trx) => {
    // Another process may have migrated while this one waited for the lock.
    const current = await versionWithin(trx);
    if (current > SCHEMA_VERSION) throw tooNew(file, current);
    for (const migration of migrations.slice(current)) await migration.up(trx, sqliteSchema);
    await sql.raw(`pragma user_version = ${SCHEMA_VERSION}`).execute(trx);
  });
  return { from_version: found, to_version: SCHEMA_VERSION, backup };
}

/** Throws `storage_too_new` for a store of a later program. Only reads. */
export function refuseNewer(raw: DatabaseSync, file: string): void {
  const found = readVersion(raw);
  if (found > SCHEMA_VERSION) throw tooNew(file, found);
}

function readVersion(raw: DatabaseSync): number {
  const row = retryWhileBusy(() => raw.prepare('pragma user_version').get()) as { user_version: number };
  return row.user_version;
}

async function versionWithin(trx: Kysely<unknown>): Promise<number> {
  const result = await sql<{ user_version: number }>`pragma user_version`.execute(trx);
  return result.rows[0]?.user_version ?? 0;
}

function backupBefore(raw: DatabaseSync, file: string, version: number): string {
  const folder = join(dirname(file), 'backups');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const target = join(folder, `before-schema-${SCHEMA_VERSION}-from-${version}.db`);
  if (existsSync(target)) return target;
  // Under a name of its own until it is whole: a copy cut short must not pass for the backup at the next start.
  const unfinished = `${target}.${process.pid}`;
  rmSync(unfinished, { force: true });
  raw.prepare('vacuum into ?').run(unfinished);
  renameSync(unfinished, target);
  return target;
}

function tooNew(file: string, found: number) {
  return failure(
    'storage_too_new',
    `The store ${file} has schema ${found}; this program knows up to ${SCHEMA_VERSION}.`,
    'Update haivemind on this machine; the store was not touched.',
    { details: { found, known: SCHEMA_VERSION } },
  );
}

// Backups of a store on PostgreSQL: one SQLite file that any haivemind can open, and back.
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { failure } from '../../kernel/errors.ts';
import { inspectBackup, type RestoreReport } from '../backup.ts';
import type { BackupReport } from '../engine.ts';
import type { PostgresSettings } from '../postgres/pool.ts';
import { connectTransfer } from './postgres-client.ts';
import { presentIn, refuseWhileHubs } from './postgres-place.ts';
import { currentSchema, openPostgresSource } from './postgres-source.ts';
import { openPostgresTarget } from './postgres-target.ts';
import { openSqliteSource } from './sqlite-source.ts';
import { openSqliteTarget } from './sqlite-target.ts';
import { type TransferEvent, transfer } from './transfer.ts';

export interface BackupOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: TransferEvent) => void) | undefined;
}

/** Writes one moment of the store to a new file of its owner's alone. Errors: `conflict` where the file exists. */
export async function backupPostgres(
  settings: PostgresSettings,
  path: string,
  options: BackupOptions = {},
): Promise<BackupReport> {
  const file = resolve(path);
  const refuse = () => {
    if (!existsSync(file)) return undefined;
    throw failure('conflict', `${file} exists already.`, 'Choose another name; a backup overwrites nothing.');
  };
  refuse();
  const { memories } = await transfer({
    ...options,
    openSource: () => openPostgresSource(settings),
    openTarget: (fresh) => openSqliteTarget({ file, fresh, setAside: refuse }),
    unfinished: 'restart',
    follow: false,
  });
  return { bytes: statSync(file).size, memories };
}

/**
 * Puts a backup in the place of a store on PostgreSQL, all or nothing; the earlier one moves to a schema of its own.
 * Errors: `confirmation_required` where there is a store and `replace` is false, `unavailable` while hubs are connected.
 */
export async function restorePostgres(
  settings: PostgresSettings,
  path: string,
  { replace, ...options }: BackupOptions & { readonly replace: boolean },
): Promise<RestoreReport> {
  const file = resolve(path);
  if (!existsSync(file)) throw failure('not_found', `There is no backup ${file}.`, 'Check the path.');
  inspectBackup(file);
  await expectPlaceFor(settings, file, replace);
  const { memories, kept } = await transfer({
    ...options,
    openSource: () => openSqliteSource(file),
    openTarget: (fresh) => openPostgresTarget(settings, { fresh, replace }),
    unfinished: 'resume_own',
    follow: false,
  });
  return { memories, kept };
}

async function expectPlaceFor(settings: PostgresSettings, file: string, replace: boolean): Promise<void> {
  const client = await connectTransfer(settings);
  try {
    await refuseWhileHubs(client);
    const present = await presentIn(client, await currentSchema(client));
    if (present !== 'used' || replace) return;
    throw failure(
      'confirmation_required',
      `This replaces the store in ${client.place} by ${file}.`,
      'Add --yes to do it; the present store is kept in a schema of its own.',
    );
  } finally {
    await client.end();
  }
}

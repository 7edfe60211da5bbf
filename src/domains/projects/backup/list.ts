// Backups of projects the caller may use: those the store knows of, and files that somebody put into the directory.

import type { Principal } from '../../../kernel/operation.ts';
import { isAdmin } from '../../access/index.ts';
import type { BackupDeps } from './deps.ts';
import type { FoundFile } from './files.ts';
import { chunksOf } from './parts/columns.ts';
import type { Counts } from './read-container.ts';

export interface ListedBackup {
  readonly backup_id: string;
  readonly project_id: string;
  readonly kind: string;
  readonly backup_type: string;
  readonly base_backup_id: string | null;
  readonly include_history: boolean;
  readonly encryption: string;
  readonly bytes: number;
  readonly records: number | null;
  readonly made_by: string;
  readonly machine_id: string;
  readonly created_at: string;
  /** The file is on this machine. */
  readonly available: boolean;
}

export interface ListRequest {
  readonly project_id?: string | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function listBackups(
  { store, files }: BackupDeps,
  principal: Principal,
  { project_id, limit }: ListRequest,
): Promise<readonly ListedBackup[]> {
  const everything = isAdmin(principal);
  let query = store.db.selectFrom('project_backups').selectAll();
  if (!everything) query = query.where('user_id', '=', principal.user_id);
  if (project_id !== undefined) query = query.where('project_id', '=', project_id);
  const rows = await query.orderBy('backup_id', 'desc').limit(limit).execute();
  const found = await files.list();
  const here = new Map(found.map((file) => [file.about.backup_id, file]));
  const known = rows.map(
    (row): ListedBackup => ({
      ...row,
      include_history: row.include_history === 1,
      records: sumOf(JSON.parse(row.counts) as Counts),
      made_by: row.user_id,
      available: here.has(row.backup_id),
    }),
  );
  // A file with a row is that row's user's, whatever it says of its maker.
  const ids = await idsWithRows(store, [...here.keys()]);
  const others = found.filter(({ about }) => {
    const usable = everything || about.made_by.user_id === principal.user_id;
    return usable && !ids.has(about.backup_id) && (project_id === undefined || about.project_id === project_id);
  });
  const all = [...known, ...others.map(listed)];
  return all.sort((a, b) => (a.backup_id < b.backup_id ? 1 : -1)).slice(0, limit);
}

async function idsWithRows(store: BackupDeps['store'], ids: readonly string[]): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for (const some of chunksOf(ids, 500)) {
    const rows = await store.db
      .selectFrom('project_backups')
      .select('backup_id')
      .where('backup_id', 'in', some)
      .execute();
    for (const { backup_id } of rows) known.add(backup_id);
  }
  return known;
}

function listed({ about, encryption, counts, bytes }: FoundFile): ListedBackup {
  const { backup_id, project_id, backup_type, include_history, created_at, made_by } = about;
  return {
    ...{ backup_id, project_id, backup_type, include_history, created_at, encryption, bytes },
    kind: 'found',
    base_backup_id: about.base?.backup_id ?? null,
    records: counts ? sumOf(counts) : null,
    made_by: made_by.user_id,
    machine_id: made_by.machine_id,
    available: true,
  };
}

const sumOf = (counts: Counts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

// Files of backups on their way out of a hub and into one: what the command line's --out and --file do. The hub chooses
// the place of what comes in; nobody names a path.
import { createReadStream } from 'node:fs';
import { failure } from '../../../kernel/errors.ts';
import { limits } from '../../../kernel/limits.ts';
import type { Principal } from '../../../kernel/operation.ts';
import type { Trx } from '../../../storage/database.ts';
import type { AuditTables } from '../../audit/index.ts';
import type { ProjectTables } from '../tables.ts';
import { keyOpener, ownFile } from './chain.ts';
import type { BackupDeps, BackupStore } from './deps.ts';
import { writeDraft } from './files.ts';
import { countsOf, type ReadBackup, readContainer } from './read-container.ts';

export interface OutgoingFile {
  readonly bytes: number;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/**
 * The file as it lies there, for its user alone: it may hold memories that are nobody else's, an administrator's neither.
 * Errors: `not_found`, `unavailable` where it is on another machine.
 */
export async function takeOut(deps: BackupDeps, principal: Principal, backup_id: string): Promise<OutgoingFile> {
  const { file, bytes, about } = await ownFile(deps, principal, backup_id);
  await deps.audit.record(principal, {
    action: 'project.backup_taken_out',
    target_type: 'project',
    target_id: about.project_id,
    result: 'ok',
    details: { backup_id, bytes },
  });
  return { bytes, pieces: deps.files.read(file) };
}

type Taken = { readonly backup_id: string; readonly project_id: string };

/**
 * Takes a file in once it has been read to its end. It is then the caller's to restore, whatever it says of its maker. One
 * that the caller has here already, the very same, is taken for done. Errors: `storage_corrupt` with the part, `conflict`
 * for an id that is another file's or another user's, `limit_exceeded`.
 */
export async function takeIn(
  deps: BackupDeps,
  principal: Principal,
  pieces: AsyncIterable<Uint8Array>,
): Promise<Taken> {
  const { store, files } = deps;
  const room_bytes = await roomOf(deps, store.db, principal);
  let is_here: Taken | undefined;
  let claimed: string | undefined;
  try {
    const { backup_id, project_id } = await files.create(async (draft) => {
      await writeDraft(draft, pieces, room_bytes);
      const read = await wholeFile(deps, createReadStream(draft));
      const { backup_id, project_id } = read.manifest;
      const same = await isSameFile(deps, backup_id, read.sha256);
      // The row first: a file without one would belong to whom its head names.
      if (same !== false && (await claim(deps, principal, read))) claimed = backup_id;
      if (same) is_here = { backup_id, project_id };
      return { backup_id, project_id };
    });
    return { backup_id, project_id };
  } catch (error) {
    if (is_here) return is_here;
    if (claimed !== undefined) await store.db.deleteFrom('project_backups').where('backup_id', '=', claimed).execute();
    throw error;
  }
}

async function wholeFile(deps: BackupDeps, pieces: AsyncIterable<Uint8Array>): Promise<ReadBackup> {
  const reading = readContainer(pieces, keyOpener(deps));
  for (;;) {
    const step = await reading.next();
    if (step.done) return step.value;
  }
}

/** Whether the file that is here under this id is this one; undefined: there is none. */
async function isSameFile(deps: BackupDeps, backup_id: string, sha256: string): Promise<boolean | undefined> {
  const found = await deps.files.find(backup_id);
  return found && (await wholeFile(deps, deps.files.read(found.file))).sha256 === sha256;
}

type ExchangeTrx = Trx<ProjectTables & AuditTables>;

/** The row that says whose it is. False where it was there: of this user, for this file. */
function claim(deps: BackupDeps, principal: Principal, read: ReadBackup): Promise<boolean> {
  const { manifest, sha256, bytes, encryption } = read;
  const { backup_id, project_id, backup_type, created_at } = manifest;
  const { user_id, agent_id } = principal;
  const { machine_id } = deps.store;
  return deps.store.write(async (trx) => {
    const known = await trx
      .selectFrom('project_backups')
      .select(['user_id', 'sha256'])
      .where('backup_id', '=', backup_id)
      .executeTakeFirst();
    if (known && (known.user_id !== user_id || known.sha256 !== sha256))
      throw failure(
        'conflict',
        `The id ${backup_id} is that of another backup here.`,
        'Restore that one, or ask whose it is.',
        {
          details: { backup_id },
        },
      );
    if (!known) {
      await roomOf(deps, trx, principal, bytes);
      await trx
        .insertInto('project_backups')
        .values({
          ...{ backup_id, project_id, kind: 'found', backup_type, encryption, sha256, bytes, user_id, agent_id },
          file: deps.files.nameOf(backup_id),
          base_backup_id: manifest.base?.backup_id ?? null,
          include_history: manifest.include_history ? 1 : 0,
          counts: JSON.stringify(countsOf(manifest)),
          position: '{}',
          ...{ machine_id, created_at },
        })
        .execute();
    }
    await deps.audit.append(trx as ExchangeTrx, principal, {
      action: 'project.backup_taken_in',
      target_type: 'project',
      target_id: project_id,
      result: 'ok',
      details: { backup_id, sha256, bytes },
    });
    return !known;
  });
}

/** Bytes this user may still bring here. Files that were removed since do not count. Errors: `limit_exceeded`. */
async function roomOf(
  { files, store }: BackupDeps,
  db: Pick<BackupStore['db'], 'selectFrom'>,
  { user_id }: Principal,
  more_bytes = 0,
): Promise<number> {
  const rows = await db
    .selectFrom('project_backups')
    .select(['file', 'bytes'])
    .where('user_id', '=', user_id)
    .where('kind', '=', 'found')
    .where('machine_id', '=', store.machine_id)
    .execute();
  const here = await files.present(rows.map(({ file }) => file));
  const kept = rows.filter(({ file }) => here.has(file));
  const max_count = limits.project_backup_uploads_per_user_max_count;
  const max_bytes = limits.project_backup_uploads_per_user_max_bytes;
  const room = kept.reduce((left, { bytes }) => left - Number(bytes), max_bytes - more_bytes);
  if (kept.length < max_count && room > 0) return room;
  throw failure(
    'limit_exceeded',
    `You have brought ${kept.length} backups here; a user may bring ${max_count} files of ${max_bytes} bytes together.`,
    'Have those that are no longer needed removed from backups/projects of this hub, then try again.',
  );
}

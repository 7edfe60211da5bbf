// Files of backups on their way out of a hub and into one: what the command line's --out and --file do. The hub chooses
// the place of what comes in; nobody names a path.
import { createReadStream } from 'node:fs';
import type { Principal } from '../../../kernel/operation.ts';
import { keyOpener, usableFile } from './chain.ts';
import type { BackupDeps } from './deps.ts';
import { writeDraft } from './files.ts';
import { countsOf, readContainer } from './read-container.ts';

export interface OutgoingFile {
  readonly bytes: number;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** The file as it lies there. Errors: `not_found`, `unavailable` where it is on another machine. */
export async function takeOut(deps: BackupDeps, principal: Principal, backup_id: string): Promise<OutgoingFile> {
  const { file, bytes, about } = await usableFile(deps, principal, backup_id);
  await deps.audit.record(principal, {
    action: 'project.backup_taken_out',
    target_type: 'project',
    target_id: about.project_id,
    result: 'ok',
    details: { backup_id, bytes },
  });
  return { bytes, pieces: deps.files.read(file) };
}

/**
 * Takes a file in once it has been read to its end. It is then the caller's to restore. One that is here already, the
 * very same, is taken for done. Errors: `storage_corrupt` with the part, `conflict` for another file of the same id.
 */
export async function takeIn(
  deps: BackupDeps,
  principal: Principal,
  pieces: AsyncIterable<Uint8Array>,
): Promise<{ readonly backup_id: string; readonly project_id: string }> {
  let known: string | undefined;
  const taken = await deps.files
    .create(async (draft) => {
      await writeDraft(draft, pieces);
      const reading = readContainer(createReadStream(draft), keyOpener(deps));
      for (;;) {
        const step = await reading.next();
        if (!step.done) continue;
        const { manifest, sha256, bytes, encryption } = step.value;
        known = await sameFile(deps, manifest.backup_id, sha256);
        return { backup_id: manifest.backup_id, manifest, sha256, bytes, encryption };
      }
    })
    .catch((error: unknown) => {
      if (known === undefined) throw error;
    });
  if (!taken) {
    const { about } = await usableFile(deps, principal, known ?? '');
    return about;
  }
  const { manifest, sha256, bytes, encryption, file } = taken;
  const { backup_id, project_id, backup_type, created_at } = manifest;
  const { user_id, agent_id } = principal;
  const { machine_id } = deps.store;
  await deps.store.write(async (trx) => {
    await trx.deleteFrom('project_backups').where('backup_id', '=', backup_id).where('kind', '=', 'found').execute();
    await trx
      .insertInto('project_backups')
      .values({
        ...{ backup_id, project_id, kind: 'found', backup_type, encryption, file, sha256, bytes, user_id, agent_id },
        base_backup_id: manifest.base?.backup_id ?? null,
        include_history: manifest.include_history ? 1 : 0,
        counts: JSON.stringify(countsOf(manifest)),
        position: '{}',
        ...{ machine_id, created_at },
      })
      .onConflict((conflict) => conflict.column('backup_id').doNothing())
      .execute();
    await deps.audit.append(trx, principal, {
      action: 'project.backup_taken_in',
      target_type: 'project',
      target_id: project_id,
      result: 'ok',
      details: { backup_id, sha256, bytes },
    });
  });
  return { backup_id, project_id };
}

/** The id, where this very file is here under it. */
async function sameFile(deps: BackupDeps, backup_id: string, sha256: string): Promise<string | undefined> {
  const found = await deps.files.find(backup_id);
  if (!found) return undefined;
  const reading = readContainer(deps.files.read(found.file), keyOpener(deps));
  for (;;) {
    const step = await reading.next();
    if (step.done) return step.value.sha256 === sha256 ? backup_id : undefined;
  }
}

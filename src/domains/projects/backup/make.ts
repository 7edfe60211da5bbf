// Makes a backup of a project: one moment of the store, written, read back by the reader that restores, and then put down.
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { toIso } from '../../../kernel/clock.ts';
import { failure } from '../../../kernel/errors.ts';
import { newId } from '../../../kernel/ids.ts';
import type { Principal } from '../../../kernel/operation.ts';
import { SEALING_KEY_BYTES, seal } from '../../../kernel/sealing.ts';
import { wrappingKey } from '../../../storage/keyring/named-keys.ts';
import { assertAllowed, mayManageWork, mayUseVault } from '../../access/index.ts';
import { projectNotFound } from '../errors.ts';
import type { ProjectRow } from '../record.ts';
import { findNamed } from '../repository.ts';
import type { JsonRecord } from './canonical.ts';
import { assertForm, type Chain, keyOpener, openChain, recordHash } from './chain.ts';
import type { BackupDeps } from './deps.ts';
import { damaged } from './errors.ts';
import { type About, REMOVED_PART } from './manifest.ts';
import { compareKeys, keyName } from './parts/columns.ts';
import { partsFor } from './parts/index.ts';
import type { AnyReader, Key, ProjectPart, ProjectScope } from './parts/part.ts';
import { mayReadPart } from './parts/permissions.ts';
import { type Counts, countsOf, readContainer } from './read-container.ts';
import { type FileKey, type PartSource, writeContainer } from './write-container.ts';

export interface BackupRequest {
  /** Id or name. */
  readonly project_id: string;
  readonly backup_type: 'full' | 'incremental';
  readonly include_history: boolean | undefined;
  readonly encryption: 'none' | 'keyring';
  /** What an increment adds to; absent: the caller's newest backup of the project that is here. */
  readonly base_backup_id?: string | undefined;
}

export interface MadeBackup {
  readonly about: About;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly encryption: 'none' | 'keyring';
  readonly counts: Counts;
  /** How far the change record was at its moment. */
  readonly position: number;
}

type How = { readonly kind: 'made' | 'before_restore'; readonly signal?: AbortSignal };

/**
 * Errors: `not_found` and `forbidden` for the project, `not_found` for an increment without anything to add to, those of
 * opening what it adds to, of the key ring and of the disk.
 */
export async function makeBackup(
  deps: BackupDeps,
  principal: Principal,
  request: BackupRequest,
  { kind, signal }: How = { kind: 'made' },
): Promise<MadeBackup> {
  const { store, files } = deps;
  const project = await managedProject(deps, principal, request.project_id);
  const base = request.backup_type === 'full' ? undefined : await baseOf(deps, principal, project, request);
  const include_history = base?.about.include_history ?? request.include_history ?? true;
  const scope = await scopeOf(deps, principal, project, include_history);
  const { user_id, agent_id, machine_id } = principal;
  const about: About = {
    backup_id: newId('backup', store.clock.now()),
    project_id: project.project_id,
    kind,
    backup_type: request.backup_type,
    base: base ? { backup_id: base.about.backup_id, sha256: base.sha256 } : null,
    include_history,
    created_at: scope.now,
    made_by: { user_id, agent_id, machine_id },
  };
  const file_key = request.encryption === 'none' ? undefined : await newFileKey(deps, about.backup_id);
  let position = 0;
  const written = await files.create(async (draft) => {
    const made = await store.engine.snapshot(async (db) => {
      position = await positionOf(db as never);
      return writeContainer(draft, about, partSources(db as never, scope, base, signal), file_key);
    });
    await readBack(deps, draft, made.sha256);
    return { ...made, backup_id: about.backup_id };
  });
  const counts = countsOf(written.manifest);
  const { file, sha256, bytes } = written;
  const made: MadeBackup = { about, file, sha256, bytes, encryption: request.encryption, counts, position };
  await noteBackup(deps, principal, made);
  return made;
}

/** The project, where the caller may do to it what this needs. */
export async function managedProject(deps: BackupDeps, principal: Principal, id_or_name: string): Promise<ProjectRow> {
  const project = await findNamed(deps.store.db as never, id_or_name, principal);
  assertAllowed(mayManageWork(principal, project), () => projectNotFound(id_or_name));
  return project;
}

export async function scopeOf(
  { store, vaults }: BackupDeps,
  principal: Principal,
  { project_id, name, scope, team_id, user_id }: ProjectRow,
  include_history: boolean,
): Promise<ProjectScope> {
  const now = toIso(store.clock.now());
  const found = await store
    .withTables<{ vaults: { vault_id: string; project_id: string | null; destroyed_at: string | null } }>()
    .db.selectFrom('vaults')
    .select('vault_id')
    .where('project_id', '=', project_id)
    .where('destroyed_at', 'is', null)
    .execute();
  const vault_ids: string[] = [];
  for (const { vault_id } of found) {
    const facts = await vaults.facts(vault_id);
    if (facts && mayUseVault(principal, facts, 'admin', now).allowed) vault_ids.push(vault_id);
  }
  return { project_id, name, principal, now, place: { scope, team_id, user_id }, include_history, vault_ids };
}

async function baseOf(
  deps: BackupDeps,
  principal: Principal,
  { project_id }: ProjectRow,
  { base_backup_id, include_history }: BackupRequest,
): Promise<Chain> {
  const wanted = base_backup_id ?? (await newestOf(deps, principal, project_id));
  if (wanted === undefined)
    throw failure(
      'not_found',
      `There is no backup of ${project_id} here to add to.`,
      'Make a full one first: backup_project backup_type=full.',
    );
  const chain = await openChain(deps, principal, wanted);
  if (chain.about.project_id !== project_id)
    throw failure('invalid_input', `${wanted} is a backup of another project.`, 'Leave base_backup_id out.');
  if (include_history !== undefined && include_history !== chain.about.include_history)
    throw failure(
      'invalid_input',
      `${wanted} was made ${chain.about.include_history ? 'with' : 'without'} history, and so is what adds to it.`,
      'Leave include_history out, or make a full backup.',
    );
  // What the base has of a user who may see less now would be taken for deleted.
  if (chain.about.made_by.user_id !== principal.user_id)
    throw failure('invalid_input', `${wanted} was made by another user.`, 'Make a full backup of your own first.');
  return chain;
}

async function newestOf(deps: BackupDeps, principal: Principal, project_id: string): Promise<string | undefined> {
  const rows = await deps.store.db
    .selectFrom('project_backups')
    .select('backup_id')
    .where('project_id', '=', project_id)
    .where('user_id', '=', principal.user_id)
    .where('kind', '=', 'made')
    .where('machine_id', '=', deps.store.machine_id)
    .orderBy('backup_id', 'desc')
    .limit(20)
    .execute();
  for (const { backup_id } of rows) if (await deps.files.find(backup_id)) return backup_id;
  return undefined;
}

async function newFileKey({ store, keyring }: BackupDeps, backup_id: string): Promise<FileKey> {
  const master = await wrappingKey(store, keyring);
  const key = randomBytes(SEALING_KEY_BYTES);
  const wrapped = Buffer.from(seal(master.key, key, ['project-backup-key', backup_id])).toString('base64');
  return { key, said: { master_key_id: master.id, wrapped } };
}

async function positionOf(db: AnyReader): Promise<number> {
  const row = await db
    .selectFrom('changes')
    .select((eb) => eb.fn.max('seq').as('seq'))
    .executeTakeFirst();
  return Number(row?.seq ?? 0);
}

function* partSources(
  db: AnyReader,
  scope: ProjectScope,
  base: Chain | undefined,
  signal: AbortSignal | undefined,
): Generator<PartSource> {
  const gone: JsonRecord[] = [];
  for (const part of partsFor(scope.include_history).filter(({ name }) => mayReadPart(scope.principal, name)))
    yield { name: part.name, records: changedSince(part, part.read(db, scope), base, gone, signal) };
  if (base) yield { name: REMOVED_PART, records: once(gone) };
}

/** All records, or those that the base has otherwise or not at all; what is gone since is added to the list. */
async function* changedSince(
  part: ProjectPart,
  all: AsyncIterable<readonly JsonRecord[]>,
  base: Chain | undefined,
  gone: JsonRecord[],
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly JsonRecord[]> {
  const before = base?.index.get(part.name);
  const left = new Set(before?.keys());
  for await (const records of all) {
    signal?.throwIfAborted();
    if (!before) {
      yield records;
      continue;
    }
    yield records.filter((record) => {
      const key = keyName(part.keyOf(record));
      left.delete(key);
      return before.get(key)?.hash !== recordHash(record);
    });
  }
  const keys = [...left].map((key) => JSON.parse(key) as Key).sort(compareKeys);
  gone.push(...keys.map((key) => ({ part: part.name, key: [...key] })));
}

async function* once(records: readonly JsonRecord[]): AsyncGenerator<readonly JsonRecord[]> {
  yield records;
}

/** A backup that cannot be read is found out now, and not when it is needed. */
async function readBack(deps: BackupDeps, draft: string, sha256: string): Promise<void> {
  const parts = new Map(partsFor(true).map((part) => [part.name, part]));
  const reading = readContainer(createReadStream(draft), keyOpener(deps));
  for (;;) {
    const step = await reading.next();
    if (step.done) {
      if (step.value.sha256 !== sha256) throw damaged('end', 'the disk gives back something else than was written');
      return;
    }
    const part = parts.get(step.value.part);
    if (part) for (const record of step.value.records) assertForm(part, record);
  }
}

/** The row that lists it, and the row of the audit log. */
async function noteBackup({ store, audit }: BackupDeps, principal: Principal, made: MadeBackup): Promise<void> {
  const { about, file, sha256, bytes, encryption, counts, position } = made;
  const { backup_id, project_id, kind, backup_type, include_history } = about;
  const { user_id, agent_id } = principal;
  await store.write(async (trx) => {
    await trx
      .insertInto('project_backups')
      .values({
        ...{ backup_id, project_id, kind, backup_type, encryption, file, sha256, bytes, user_id, agent_id },
        base_backup_id: about.base?.backup_id ?? null,
        include_history: include_history ? 1 : 0,
        counts: JSON.stringify(counts),
        position: JSON.stringify({ seq: position }),
        // Whose disk it is on.
        machine_id: store.machine_id,
        created_at: about.created_at,
      })
      .execute();
    await audit.append(trx, principal, {
      action: kind === 'made' ? 'backup_project' : 'project.kept_before_restore',
      target_type: 'project',
      target_id: project_id,
      result: 'ok',
      details: { backup_id, backup_type, encryption, sha256, bytes },
    });
  });
}

// A backup with all it adds to, every file of it read and checked before anything is done with it. What is kept of it in
// memory is keys and hashes, never the records.
import { createHash } from 'node:crypto';
import { failure } from '../../../kernel/errors.ts';
import { limits } from '../../../kernel/limits.ts';
import type { Principal } from '../../../kernel/operation.ts';
import { unseal } from '../../../kernel/sealing.ts';
import { assertWellFormed } from '../../../kernel/text-safety.ts';
import { masterKeysMissing } from '../../../storage/keyring/index.ts';
import { isAdmin } from '../../access/index.ts';
import { canonicalJson, type JsonRecord } from './canonical.ts';
import type { BackupDeps } from './deps.ts';
import { backupElsewhere, backupNotFound, damaged } from './errors.ts';
import type { FoundFile } from './files.ts';
import { type About, REMOVED_PART, type Removed, removedSchema } from './manifest.ts';
import { keyName } from './parts/columns.ts';
import { PARTS } from './parts/index.ts';
import type { Key, ProjectPart } from './parts/part.ts';
import { assertSize, type OpenKey, type ReadBackup, readContainer } from './read-container.ts';

interface Entry {
  /** The file that has the record as it counts. */
  readonly link: number;
  readonly hash: string;
}

interface Link extends ReadBackup {
  readonly file: string;
}

export interface Chain {
  readonly about: About;
  readonly encryption: 'none' | 'keyring';
  readonly sha256: string;
  /** By part and name of the key. */
  readonly index: ReadonlyMap<string, ReadonlyMap<string, Entry>>;
  /** Its files, oldest first, and the parts that each has. */
  readonly files: readonly { readonly backup_id: string; readonly sha256: string; readonly parts: readonly string[] }[];
  has(part: string, key: Key): boolean;
  /** The records of a part as they were when the backup was made, in batches. */
  records(part: ProjectPart): AsyncIterable<readonly JsonRecord[]>;
  /** The part whose records were asked for last. */
  readonly reading: { part: string };
}

export const recordHash = (record: JsonRecord): string =>
  createHash('sha256').update(canonicalJson(record)).digest('base64url').slice(0, 22);

/** A file, and what its row says it has to be; undefined where nobody but the file itself speaks. */
export interface UsableFile extends FoundFile {
  readonly known_sha256: string | undefined;
}

/** A backup the principal may use: made or brought here by its user, or any for an administrator. Errors: `not_found`. */
export function usableFile(deps: BackupDeps, principal: Principal, backup_id: string): Promise<UsableFile> {
  return fileFor(deps, principal, backup_id, isAdmin(principal));
}

/** One that the principal's user made or brought here. Errors: `not_found`. */
export function ownFile(deps: BackupDeps, principal: Principal, backup_id: string): Promise<UsableFile> {
  return fileFor(deps, principal, backup_id, false);
}

async function fileFor(
  deps: BackupDeps,
  { user_id }: Principal,
  backup_id: string,
  anybodys: boolean,
): Promise<UsableFile> {
  const row = await deps.store.db
    .selectFrom('project_backups')
    .select(['user_id', 'machine_id', 'sha256'])
    .where('backup_id', '=', backup_id)
    .executeTakeFirst();
  const found = await deps.files.find(backup_id).catch((error: unknown) => {
    // Who made a damaged file, only its row can say.
    throw anybodys || row?.user_id === user_id ? error : backupNotFound(backup_id);
  });
  // What a file says of its maker counts only where it was put into the directory by hand: nothing else has no row.
  const owner = row ? row.user_id : found?.about.made_by.user_id;
  if (anybodys || owner === user_id) {
    if (found) return { ...found, known_sha256: row?.sha256 };
    if (row && row.machine_id !== deps.store.machine_id) throw backupElsewhere(backup_id, row.machine_id);
  }
  throw backupNotFound(backup_id);
}

/** Gives the data key of a sealed file by the key ring. */
export function keyOpener({ keyring }: Pick<BackupDeps, 'keyring'>): OpenKey {
  return async ({ backup_id, key }) => {
    const master = await keyring.find(key.master_key_id);
    if (!master) throw masterKeysMissing([key.master_key_id], keyring.place);
    try {
      return unseal(master.key, Buffer.from(key.wrapped, 'base64'), ['project-backup-key', backup_id]);
    } catch (cause) {
      throw damaged('header', 'its key does not open', cause);
    }
  };
}

/** Errors: `not_found`, `unavailable` for a file that is elsewhere or a key that is missing, `storage_corrupt` by part. */
export async function openChain(deps: BackupDeps, principal: Principal, backup_id: string): Promise<Chain> {
  const files = await filesOf(deps, principal, backup_id);
  const index = new Map<string, Map<string, Entry>>(PARTS.map(({ name }) => [name, new Map<string, Entry>()]));
  const links: Link[] = [];
  const size = { bytes: 0, records: 0 };
  for (const [number, { file, known_sha256 }] of files.entries()) {
    const read = await readLink(deps, file, number, index, size);
    if (known_sha256 !== undefined && read.sha256 !== known_sha256)
      throw damaged('end', 'it is another file than the one that was made or brought here');
    assertLinked(read, links.at(-1));
    links.push({ ...read, file });
  }
  const last = links.at(-1);
  if (!last) throw backupNotFound(backup_id);
  const has = (part: string, key: Key) => index.get(part)?.has(keyName(key)) ?? false;
  const { parts: _, ...about } = last.manifest;
  const reading = { part: 'manifest' };
  if (index.get('project')?.size !== 1 || !has('project', [about.project_id]))
    throw damaged('project', 'it is not of one project, the one it says it is of');
  const filesRead = links.map(({ manifest: { backup_id: id, parts }, sha256 }) => ({
    ...{ backup_id: id, sha256 },
    parts: parts.map(({ name }) => name),
  }));
  return {
    about,
    files: filesRead,
    encryption: last.encryption,
    sha256: last.sha256,
    index,
    has,
    reading,
    records(part) {
      reading.part = part.name;
      return recordsOf(deps, links, index, has, part);
    },
  };
}

/** Oldest first. */
async function filesOf(deps: BackupDeps, principal: Principal, backup_id: string): Promise<UsableFile[]> {
  const files: UsableFile[] = [];
  for (let next: string | undefined = backup_id; next !== undefined; ) {
    if (files.length >= limits.project_backup_chain_max_count || files.some(({ about }) => about.backup_id === next))
      throw damaged('manifest', 'what it adds to has no end');
    const found: UsableFile = await usableFile(deps, principal, next);
    files.unshift(found);
    next = found.about.base?.backup_id;
  }
  return files;
}

function assertLinked({ manifest, encryption: _ }: ReadBackup, before: Link | undefined): void {
  const { base, backup_type } = manifest;
  if ((base === null) !== (backup_type === 'full') || (base === null) !== (before === undefined))
    throw damaged('manifest', 'it does not say what it adds to');
  if (!base || !before) return;
  if (base.backup_id !== before.manifest.backup_id || base.sha256 !== before.sha256)
    throw damaged('manifest', `${before.manifest.backup_id} is not the file it was made upon`);
  if (
    before.manifest.project_id !== manifest.project_id ||
    before.manifest.include_history !== manifest.include_history
  )
    throw damaged('manifest', 'what it adds to is of another kind');
}

async function readLink(
  deps: BackupDeps,
  file: string,
  link: number,
  index: ReadonlyMap<string, Map<string, Entry>>,
  size: { bytes: number; records: number },
): Promise<ReadBackup> {
  const reading = readContainer(deps.files.read(file), keyOpener(deps), {
    manifest({ parts }) {
      assertKnown(
        parts.map(({ name }) => name),
        link,
      );
      // Of all files together: keys of all of them are in memory at once.
      for (const { bytes, records } of parts) {
        size.bytes += bytes;
        size.records += records;
      }
      assertSize(size);
    },
  });
  for (;;) {
    const step = await reading.next();
    if (step.done) return step.value;
    const { part: name, records } = step.value;
    if (name === REMOVED_PART) forget(index, records);
    else note(partNamed(name), records, { index: index.get(name) ?? new Map(), link });
  }
}

interface Noted {
  readonly index: Map<string, Entry>;
  readonly link: number;
}

function note(part: ProjectPart, records: readonly JsonRecord[], { index, link }: Noted): void {
  for (const record of records) {
    assertForm(part, record);
    const key = keyName(part.keyOf(record));
    if (index.get(key)?.link === link) throw damaged(part.name, 'a record is in it twice');
    index.set(key, { link, hash: recordHash(record) });
  }
}

export function assertForm(part: ProjectPart, record: JsonRecord): void {
  try {
    // Before any schema walks it: what no call could have brought in.
    assertWellFormed(record);
  } catch (cause) {
    throw damaged(part.name, 'a record has text that cannot be stored, or too many levels', cause);
  }
  const result = part.schema.safeParse(record);
  if (result.success) return;
  const [issue] = result.error.issues;
  throw damaged(part.name, `field ${issue?.path.join('.') || '?'} of a record is not as it has to be`, result.error);
}

function partNamed(name: string): ProjectPart {
  const part = PARTS.find((known) => known.name === name);
  if (part) return part;
  throw failure(
    'storage_too_new',
    `The backup has a part ${name.slice(0, 60)}, which this program does not know.`,
    'Update haivemind on this machine.',
    { details: { part: name } },
  );
}

/** Their order is that in which they are put back. Only an increment takes something away. */
function assertKnown(names: readonly string[], link: number): void {
  const order = names.map((name) => (name === REMOVED_PART ? PARTS.length : PARTS.indexOf(partNamed(name))));
  if (order.some((place, i) => i > 0 && place <= (order[i - 1] ?? -1)))
    throw damaged('manifest', 'its parts are not in order');
  if (link === 0 && names.includes(REMOVED_PART)) throw damaged('manifest', 'a whole backup takes nothing away');
}

function forget(index: ReadonlyMap<string, Map<string, Entry>>, records: readonly JsonRecord[]): void {
  for (const record of records) {
    const parsed = removedSchema.safeParse(record);
    if (!parsed.success) throw damaged(REMOVED_PART, 'one of its lines is not as it has to be', parsed.error);
    const { part, key }: Removed = parsed.data;
    if (!index.get(part)?.delete(keyName(key))) throw damaged(REMOVED_PART, 'it takes away what is not there');
  }
}

async function* recordsOf(
  deps: BackupDeps,
  links: readonly Link[],
  index: Chain['index'],
  has: Chain['has'],
  part: ProjectPart,
): AsyncGenerator<readonly JsonRecord[]> {
  const entries = index.get(part.name);
  for (const [number, { file, sha256 }] of links.entries()) {
    const reading = readContainer(deps.files.read(file), keyOpener(deps), { only: part.name });
    for (;;) {
      const step = await reading.next();
      if (step.done) {
        if (step.value.sha256 !== sha256) throw damaged('end', 'the file changed while it was read');
        break;
      }
      const counting = step.value.records.filter((record) => {
        const entry = entries?.get(keyName(part.keyOf(record)));
        return entry?.link === number && entry.hash === recordHash(record);
      });
      assertWhole(part, counting, has);
      yield counting;
    }
  }
}

function assertWhole(part: ProjectPart, records: readonly JsonRecord[], has: Chain['has']): void {
  for (const record of records)
    for (const need of part.needs(record))
      if (!has(need.part, need.key))
        throw damaged(part.name, `a record belongs to a record of ${need.part} that is not in the backup`);
}

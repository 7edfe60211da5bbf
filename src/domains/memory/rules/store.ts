// Storing: redact, recognise the same text, hint at a near-duplicate, write row, text, signature and queue in one commit.
import { toIso } from '../../../kernel/clock.ts';
import { newId } from '../../../kernel/ids.ts';
import { mayChangeMemory } from '../../access/index.ts';
import { detectFormat } from '../../format/index.ts';
import { memoryNotFound } from '../errors.ts';
import { isVisibleTo } from '../filters.ts';
import type { MemoryRow, NewMemoryRow } from '../record.ts';
import {
  findByExternalId,
  findLivingByIdentity,
  findVisible,
  insertRow,
  listVersions,
  type MemoryTrx,
  updateRow,
} from '../repository.ts';
import type { NewMemory } from '../schema.ts';
import { visibleIds } from '../shown.ts';
import { announce, renewVectors } from './change.ts';
import type { Caller, RuleDeps } from './deps.ts';
import { identityHash } from './identity.ts';
import { type Place, placeOf } from './place.ts';
import { redactMetadata, redactText } from './redacted-fields.ts';
import { assertReplaceable, assertWindow, restate } from './replacing.ts';
import { noteInTeam } from './team-activity.ts';
import { findTwin, saveSignature, type Twin } from './twins.ts';

/** Changes that leave a text as its source has it. */
const FOLLOWS_SOURCE: ReadonlySet<string> = new Set(['import', 'superseded', 'supersedes']);

export interface StoreExtras {
  /** `agent` unless an import or a domain says otherwise. */
  readonly source?: string;
  /** Stable id in the system it was imported from: the second import finds it again. */
  readonly external_id?: string;
  /** Id of the memory it was exported from: where that is still here as it was, it is the same one. */
  readonly exported_memory_id?: string;
  /** External id of what it replaces, which has another memory_id here than where it comes from. */
  readonly supersedes_external_id?: string;
  /** The team it goes to where scope is team; without it that of the caller's mode. */
  readonly team_id?: string;
  /** Imports do not need twin hints. */
  readonly skip_twin?: boolean;
}

export interface StoreResult {
  readonly memory_id: string;
  readonly row_id: number;
  /** False where the same text was already there. */
  readonly created: boolean;
  /** True where an import brought a newer text of a memory it had stored before. */
  readonly changed: boolean;
  readonly created_at: string;
  readonly format_version: 'v1' | 'v2';
  readonly twin: Twin | undefined;
  readonly redacted: readonly string[];
  /** The text as it is kept, without its secrets. */
  readonly content: string;
  /** What replaced the memory since, where the same text was there already. */
  readonly superseded_by: string | null;
  /** The memory that this one replaced just now. */
  readonly replaced: MemoryRow | undefined;
}

/**
 * Stores one memory. Errors: `not_found` for an unknown `supersedes`, `forbidden` for a team the caller only reads in,
 * `invalid_input` for a team where none is chosen, for a replacement that fewer people would see than what it replaces,
 * and for a validity that ends before it begins.
 */
export async function storeMemory(
  deps: RuleDeps,
  input: NewMemory,
  caller: Caller,
  extras: StoreExtras = {},
): Promise<StoreResult> {
  const staged = await stageMemory(deps, input, caller, extras);
  const result = await deps.store.write(staged.write);
  staged.stored(result);
  return result;
}

export interface StagedMemory {
  /** The text as it will be kept, without its secrets. */
  readonly content: string;
  /** Where it goes. */
  readonly place: Place;
  /** Stores it in the transaction of what it belongs to; may run again with another transaction. */
  write(trx: MemoryTrx): Promise<StoreResult>;
  /** After the commit. */
  stored(result: StoreResult): void;
}

/** A memory that is stored together with something else. Errors as of `storeMemory`. */
export async function stageMemory(
  deps: RuleDeps,
  input: NewMemory,
  caller: Caller,
  extras: StoreExtras = {},
): Promise<StagedMemory> {
  const prepared = await prepare(deps, input, caller, extras);
  return {
    content: prepared.row.content,
    place: prepared.row as Place,
    write: (trx) => writePrepared(deps, trx, prepared, caller, extras),
    stored: (result) => afterStore(deps, [result]),
  };
}

/** Stores many in one commit: for imports. Order is kept; each item fails or succeeds with the whole batch. */
export async function storeBatch(
  deps: RuleDeps,
  items: readonly { input: NewMemory; extras: StoreExtras }[],
  caller: Caller,
): Promise<StoreResult[]> {
  const prepared: Prepared[] = [];
  for (const { input, extras } of items) prepared.push(await prepare(deps, input, caller, extras));
  const results = await deps.store.write(async (trx) => {
    const written: StoreResult[] = [];
    for (const [i, item] of prepared.entries())
      written.push(await writePrepared(deps, trx, item, caller, items[i]?.extras ?? {}));
    return written;
  });
  afterStore(deps, results);
  return results;
}

function afterStore(deps: RuleDeps, results: readonly StoreResult[]): void {
  // A replaced row changed too: its vector, if it still waits for one, is made for the row as it is now.
  for (const { replaced } of results) if (replaced) announce(deps, replaced);
  const written = results.filter((result) => result.created || result.changed);
  if (written.length === 0) return;
  deps.vectors.follow(written.map((result) => result.row_id));
  for (const result of written) deps.changed(result.memory_id);
}

interface Prepared {
  readonly row: NewMemoryRow;
  /** Looked for before the write: a hint is not worth making others wait for the write lock. */
  readonly twin: Twin | undefined;
  readonly redacted: readonly string[];
}

async function prepare(deps: RuleDeps, input: NewMemory, caller: Caller, extras: StoreExtras): Promise<Prepared> {
  assertWindow(input.valid_from, input.valid_until);
  const redacted: string[] = [];
  const content = await redactText(deps.redact, input.content, redacted);
  const context = input.context === undefined ? null : await redactText(deps.redact, input.context, redacted);
  const metadata = await redactMetadata(deps.redact, input.metadata ?? {}, redacted);
  const now = toIso(deps.store.clock.now());
  const place = {
    ...placeOf(caller, input.scope, extras.team_id),
    user_id: caller.principal.user_id,
    ...projectOf(input, caller),
    session_id: input.session_id ?? null,
    sequence: input.sequence ?? null,
  };
  const row: NewMemoryRow = {
    ...place,
    memory_id: newId('mem', deps.store.clock.now()),
    content,
    // A project that only follows from where the caller works does not tell memories apart.
    identity_hash: identityHash({
      ...place,
      content,
      project: input.project ?? null,
      project_id: input.project_id ?? null,
    }),
    category: input.category,
    context,
    tags: JSON.stringify(input.tags ?? []),
    metadata: JSON.stringify(metadata),
    importance: input.importance ?? 0.5,
    external_id: extras.external_id ?? null,
    occurred_at: input.occurred_at ?? null,
    valid_from: input.valid_from ?? null,
    valid_until: input.valid_until ?? null,
    supersedes: input.supersedes ?? null,
    superseded_by: null,
    agent_id: caller.principal.agent_id,
    machine_id: caller.principal.machine_id,
    source: extras.source ?? 'agent',
    format_version: detectFormat(content),
    version: 1,
    created_at: now,
    updated_at: now,
    deleted_at: null,
    deleted_by: null,
    delete_reason: null,
    purge_at: null,
    merged_into: null,
  };
  const twin = extras.skip_twin ? undefined : await findTwin(deps.store.db, content, caller.principal);
  return { row, twin, redacted };
}

/** The project as it is given, else the one the caller works in: name and id are of the same one. */
function projectOf({ project, project_id }: NewMemory, caller: Caller) {
  const other =
    (project !== undefined && project !== caller.project) ||
    (project_id !== undefined && caller.project_id !== undefined && project_id !== caller.project_id);
  const here = other ? { project: undefined, project_id: undefined } : caller;
  return { project: project ?? here.project ?? null, project_id: project_id ?? here.project_id ?? null };
}

async function writePrepared(
  deps: RuleDeps,
  trx: MemoryTrx,
  prepared: Prepared,
  caller: Caller,
  extras: StoreExtras,
): Promise<StoreResult> {
  const { redacted } = prepared;
  const superseded = await findReplaced(trx, prepared.row, caller, extras);
  if (superseded) assertReplaceable(superseded, prepared.row as Place, caller);
  const before =
    extras.external_id === undefined
      ? undefined
      : await findByExternalId(trx, prepared.row.user_id, extras.external_id);
  // An import into a team that the caller has left since is out of their sight: this one begins anew.
  const imported = before && isVisibleTo(before, caller.principal) ? before : undefined;
  const row: NewMemoryRow = {
    ...prepared.row,
    supersedes: superseded?.memory_id ?? null,
    external_id: before && !imported ? null : (extras.external_id ?? null),
  };
  const grown = imported && (await renewImported(deps, trx, imported, row, caller));
  if (grown) return { ...resultOf(grown, redacted), created: false, changed: true, replaced: undefined };
  const known =
    imported ??
    (await findLivingByIdentity(trx, row.identity_hash)) ??
    (await findItself(trx, row, caller, extras.exported_memory_id));
  if (known) {
    const restated =
      superseded && extras.external_id === undefined ? await restate(deps, trx, known, superseded, caller) : undefined;
    const there = restated?.known ?? known;
    const seen = await visibleIds(trx, [there.superseded_by], caller.principal);
    return {
      ...resultOf(there, redacted),
      superseded_by: there.superseded_by !== null && seen.has(there.superseded_by) ? there.superseded_by : null,
      created: false,
      changed: false,
      replaced: restated?.replaced,
    };
  }
  const row_id = await insertRow(deps.store, trx, row);
  await saveSignature(trx, row_id, row.content);
  await trx
    .insertInto('memory_vector_queue')
    .values({ row_id, attempts: 0, claimed_until: deps.vectors.claimUntil() })
    .execute();
  await noteInTeam(deps, trx, { ...row, team_id: row.team_id ?? null }, 'memory.stored', caller);
  const note = { change: 'superseded', changed_at: row.created_at, changed_by: caller.principal.user_id };
  const replaced = superseded && (await updateRow(deps.store, trx, superseded, { superseded_by: row.memory_id }, note));
  const twin = prepared.twin?.memory_id === row.supersedes ? undefined : prepared.twin;
  return {
    ...resultOf({ ...row, row_id, superseded_by: null }, redacted),
    created: true,
    changed: false,
    twin,
    replaced,
  };
}

/**
 * The living memory an export was made of, as it was then. Its identity may differ from that of the record, which names
 * the project also where that only followed from where its author worked.
 */
async function findItself(
  trx: MemoryTrx,
  row: NewMemoryRow,
  { principal }: Caller,
  memory_id: string | undefined,
): Promise<MemoryRow | undefined> {
  const found = memory_id === undefined ? undefined : await findVisible(trx, memory_id, principal);
  if (!found || found.deleted_at !== null || found.content.trim() !== row.content.trim()) return undefined;
  const same = found.scope === row.scope && found.team_id === row.team_id && found.project === row.project;
  return same ? found : undefined;
}

/** What a new memory replaces. An import goes on without it where it was left behind; anybody else gets `not_found`. */
async function findReplaced(
  trx: MemoryTrx,
  row: NewMemoryRow,
  caller: Caller,
  extras: StoreExtras,
): Promise<MemoryRow | undefined> {
  if (!row.supersedes) return undefined;
  const { principal } = caller;
  const found = await findVisible(trx, row.supersedes, principal);
  if (found) return found;
  if (extras.external_id === undefined) throw memoryNotFound(row.supersedes);
  if (extras.supersedes_external_id === undefined) return undefined;
  const imported = await findByExternalId(trx, principal.user_id, extras.supersedes_external_id);
  return imported?.deleted_at === null && isVisibleTo(imported, principal) ? imported : undefined;
}

/**
 * What an import finds again may have grown since: a conversation that went on, an edited page. A living memory follows
 * its source, as a new version, unless somebody edited it here; undefined where there is nothing to change.
 */
async function renewImported(
  deps: RuleDeps,
  trx: MemoryTrx,
  known: MemoryRow,
  row: NewMemoryRow,
  caller: Caller,
): Promise<MemoryRow | undefined> {
  if (known.deleted_at !== null || known.content === row.content) return undefined;
  if (!mayChangeMemory(caller.principal, known).allowed) return undefined;
  if ((await listVersions(trx, known.memory_id)).some(({ change }) => !FOLLOWS_SOURCE.has(change))) return undefined;
  if (await findLivingByIdentity(trx, row.identity_hash)) return undefined;
  const { content, context, metadata, identity_hash, format_version } = row;
  const note = { change: 'import', changed_at: row.updated_at, changed_by: caller.principal.user_id };
  const values = { content, context: context ?? null, metadata, identity_hash, format_version };
  const next = await updateRow(deps.store, trx, known, values, note);
  await renewVectors(deps, trx, next);
  return next;
}

function resultOf(
  row: Pick<MemoryRow, 'memory_id' | 'row_id' | 'created_at' | 'format_version' | 'content' | 'superseded_by'>,
  redacted: readonly string[],
): Omit<StoreResult, 'created' | 'changed' | 'replaced'> {
  const { memory_id, row_id, created_at, content, superseded_by } = row;
  const format_version = row.format_version === 'v2' ? 'v2' : 'v1';
  return { memory_id, row_id, created_at, content, superseded_by, format_version, redacted, twin: undefined };
}

// Changing a memory: by those who may, earlier versions kept, undo, and refusal when somebody else was faster.
import { toIso } from '../../../kernel/clock.ts';
import { failure, type HaivemindError } from '../../../kernel/errors.ts';
import { detectFormat } from '../../format/index.ts';
import { memoryNotFound, notChangeable, versionConflict } from '../errors.ts';
import { isVisibleTo } from '../filters.ts';
import { type MemoryRow, type NewMemoryRow, readSnapshot, type Snapshot, snapshotOf } from '../record.ts';
import { findLivingByIdentity, findVisible, listVersions, type MemoryTrx, updateRow } from '../repository.ts';
import type { NewMemory } from '../schema.ts';
import type { Caller, RuleDeps } from './deps.ts';
import { identityHash } from './identity.ts';
import { assertMayAdd, assertMayChange, type Place, placeOf } from './place.ts';
import { redactMetadata, redactText } from './redacted-fields.ts';
import { assertWindow } from './replacing.ts';
import { noteInTeam } from './team-activity.ts';
import { renewSignature } from './twins.ts';

export type MemoryPatch = { readonly [Key in keyof NewMemory]?: NewMemory[Key] | null | undefined };

export interface ChangeResult {
  readonly row: MemoryRow;
  readonly changed_fields: readonly string[];
  readonly redacted: readonly string[];
}

/** Fields that `null` clears. */
export const CLEARABLE_FIELDS = [
  'context',
  'project',
  'project_id',
  'session_id',
  'sequence',
  'occurred_at',
  'valid_from',
  'valid_until',
] as const;

const CLEARABLE: ReadonlySet<string> = new Set(CLEARABLE_FIELDS);

/** Applies a patch. `null` clears a field. Errors: not_found, forbidden, conflict (`expected_version`). */
export async function changeMemory(
  deps: RuleDeps,
  memory_id: string,
  patch: MemoryPatch,
  caller: Caller,
  options: { readonly expected_version?: number | undefined; readonly merge_metadata?: boolean } = {},
): Promise<ChangeResult> {
  const redacted: string[] = [];
  const clean = await redactPatch(deps, patch, redacted);
  const result = await deps.store.write(async (trx) => {
    const row = await changeableRow(trx, memory_id, caller);
    assertVersion(row, options.expected_version);
    const place = patch.scope == null ? {} : newPlace(row, patch.scope, caller);
    const values: Partial<MemoryRow> = { ...patchedColumns(row, clean, options.merge_metadata ?? true), ...place };
    const changed_fields = Object.keys(values).filter(
      (key) => values[key as keyof MemoryRow] !== row[key as keyof MemoryRow],
    );
    if (changed_fields.length === 0) return { row, changed_fields };
    const next = { ...row, ...values };
    assertWindow(next.valid_from, next.valid_until);
    return { row: await writeChange(deps, trx, row, values, 'update', caller), changed_fields };
  });
  if (result.changed_fields.length > 0) announce(deps, result.row);
  return { ...result, redacted };
}

/**
 * Takes the latest change back: the record says again what it said before. Undoing twice goes back two changes.
 * Deleting, recovering and being replaced are no changes of what it says and are passed over.
 */
export async function undoChange(
  deps: RuleDeps,
  memory_id: string,
  caller: Caller,
  expected_version?: number,
): Promise<MemoryRow> {
  const row = await deps.store.write(async (trx) => {
    const current = await changeableRow(trx, memory_id, caller);
    assertVersion(current, expected_version);
    const target = undoTarget(await listVersions(trx, memory_id), saying(snapshotOf(current)));
    // What it said while it was out of the caller's sight (private, in a team they left) is not theirs to bring back.
    const there = target && { scope: target.snapshot.scope, team_id: target.snapshot.team_id };
    if (!there || !isVisibleTo({ ...there, user_id: current.user_id }, caller.principal))
      throw failure('conflict', `Memory ${memory_id} has no earlier version.`, 'There is nothing to undo.');
    if (there.scope !== current.scope || there.team_id !== current.team_id)
      assertMayMove(current, there as Place, caller);
    return writeChange(deps, trx, current, saying(target.snapshot), `undo:${target.version}`, caller);
  });
  announce(deps, row);
  return row;
}

function assertVersion(row: MemoryRow, expected_version: number | undefined): void {
  if (expected_version !== undefined && row.version !== expected_version)
    throw versionConflict(row.memory_id, expected_version, row.version);
}

/** What a version says, without what other memories say about it. */
function saying(snapshot: Snapshot): Omit<Snapshot, 'supersedes' | 'superseded_by'> {
  const { supersedes: _supersedes, superseded_by: _superseded_by, ...rest } = snapshot;
  return rest;
}

/** The version to go back to: skips changes and undos that cancel each other, and versions that say what it says now. */
function undoTarget(
  versions: readonly { version: number; change: string; snapshot: string }[],
  current: object,
): { version: number; snapshot: Snapshot } | undefined {
  const now = JSON.stringify(current);
  let before = Number.POSITIVE_INFINITY;
  for (const { version, change, snapshot } of versions) {
    if (version >= before) continue;
    if (change.startsWith('undo:')) {
      before = Number(change.slice('undo:'.length));
      continue;
    }
    const parsed = readSnapshot(snapshot);
    if (JSON.stringify(saying(parsed)) !== now) return { version, snapshot: parsed };
  }
  return undefined;
}

/** A living row the caller may change. Hidden and absent ones answer alike. */
export async function changeableRow(trx: MemoryTrx, memory_id: string, caller: Caller): Promise<MemoryRow> {
  const row = await findVisible(trx, memory_id, caller.principal);
  if (!row) throw memoryNotFound(memory_id);
  assertMayChange(caller.principal, row);
  return row;
}

/** The columns that a scope given for a memory stands for. Saying what is so already moves nothing. */
function newPlace(row: MemoryRow, scope: Place['scope'], caller: Caller): Partial<Place> {
  if (scope === row.scope && (scope !== 'team' || (row.team_id !== null && caller.mode?.mode !== 'team'))) return {};
  const place = placeOf(caller, scope);
  if (place.scope === row.scope && place.team_id === row.team_id) return {};
  assertMayMove(row, place, caller);
  return place;
}

/** Moderators mend and delete what others wrote in their team; who else sees it is for its author to say. */
function assertMayMove(row: MemoryRow, place: Place, caller: Caller): void {
  if (row.user_id !== caller.principal.user_id)
    throw notChangeable(row.memory_id, 'Only its author may say who sees it.');
  assertMayAdd(caller.principal, place);
}

async function redactPatch(deps: RuleDeps, patch: MemoryPatch, redacted: string[]): Promise<MemoryPatch> {
  const clean = { ...patch };
  for (const field of ['content', 'context'] as const) {
    const text = patch[field];
    if (typeof text === 'string') clean[field] = await redactText(deps.redact, text, redacted);
  }
  if (patch.metadata) clean.metadata = await redactMetadata(deps.redact, patch.metadata, redacted);
  return clean;
}

function patchedColumns(row: MemoryRow, patch: MemoryPatch, mergeMetadata: boolean): Partial<MemoryRow> {
  const columns: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === undefined || field === 'tags' || field === 'metadata' || field === 'scope') continue;
    if (value === null && !CLEARABLE.has(field)) {
      throw failure('invalid_input', `update_memory: ${field} cannot be cleared.`, 'Give it a value, or leave it out.');
    }
    columns[field] = value;
  }
  if (patch.tags) columns.tags = JSON.stringify(patch.tags);
  if (patch.metadata) {
    const kept = mergeMetadata ? (JSON.parse(row.metadata) as Record<string, unknown>) : {};
    columns.metadata = JSON.stringify(withoutNulls({ ...kept, ...patch.metadata }));
  }
  return columns;
}

function withoutNulls(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== null));
}

async function writeChange(
  deps: RuleDeps,
  trx: MemoryTrx,
  row: MemoryRow,
  values: Partial<NewMemoryRow>,
  change: string,
  caller: Caller,
): Promise<MemoryRow> {
  const next = { ...row, ...values };
  // Whether the project was given or only followed from where the caller worked stays as it was at storing.
  const byProject = 'project' in values || identityHash(row) === row.identity_hash;
  const identity_hash = identityHash(byProject ? next : { ...next, project: null });
  const same = identity_hash === row.identity_hash ? undefined : await findLivingByIdentity(trx, identity_hash);
  if (same) {
    throw saysTheSame(same, caller);
  }
  const note = { change, changed_at: toIso(deps.store.clock.now()), changed_by: caller.principal.user_id };
  const textChanged = next.content !== row.content || next.context !== row.context;
  const columns = { ...values, identity_hash, format_version: detectFormat(next.content) };
  const written = await updateRow(deps.store, trx, row, columns, note);
  if (textChanged) await renewVectors(deps, trx, written);
  await noteInTeam(deps, trx, written, 'memory.changed', caller);
  if (row.team_id !== written.team_id) await noteInTeam(deps, trx, row, 'memory.moved_away', caller);
  return written;
}

function saysTheSame(same: MemoryRow, caller: Caller): HaivemindError {
  if (!isVisibleTo(same, caller.principal))
    return failure('conflict', 'The change cannot be made there.', 'Change the text, or leave its place as it is.');
  return failure(
    'conflict',
    `Memory ${same.memory_id} already says exactly this.`,
    'Delete one of the two, or merge them with merge_duplicate_memories.',
    { details: { memory_id: same.memory_id } },
  );
}

/** Old vectors go in the same commit. Other processes keep theirs in memory until they read the new ones, within a second. */
export async function renewVectors(deps: RuleDeps, trx: MemoryTrx, row: MemoryRow): Promise<void> {
  await trx.deleteFrom('memory_vectors').where('row_id', '=', row.row_id).execute();
  await renewSignature(trx, row.row_id, row.content);
  await trx
    .insertInto('memory_vector_queue')
    .values({ row_id: row.row_id, attempts: 0, claimed_until: deps.vectors.claimUntil() })
    .onConflict((conflict) =>
      conflict.column('row_id').doUpdateSet({ attempts: 0, claimed_until: deps.vectors.claimUntil() }),
    )
    .execute();
}

/** Tells followers about a row that changed. */
export function announce(deps: RuleDeps, row: Pick<MemoryRow, 'row_id' | 'memory_id'>): void {
  deps.vectors.follow([row.row_id]);
  deps.changed(row.memory_id);
}

// Storing: redact, recognise the same text, hint at a near-duplicate, write row, text, signature and queue in one commit.
import { toIso } from '../../../kernel/clock.ts';
import { newId } from '../../../kernel/ids.ts';
import { detectFormat } from '../../format/index.ts';
import { memoryNotFound } from '../errors.ts';
import type { NewMemoryRow } from '../record.ts';
import {
  findByExternalId,
  findLivingByIdentity,
  findVisible,
  insertRow,
  type MemoryTrx,
  updateRow,
} from '../repository.ts';
import type { NewMemory } from '../schema.ts';
import type { Caller, RuleDeps } from './deps.ts';
import { identityHash } from './identity.ts';
import { findTwin, saveSignature, type Twin } from './twins.ts';

export interface StoreExtras {
  /** `agent` unless an import or a domain says otherwise. */
  readonly source?: string;
  /** Stable id in the system it was imported from: the second import finds it again. */
  readonly external_id?: string;
  /** Imports do not need twin hints. */
  readonly skip_twin?: boolean;
}

export interface StoreResult {
  readonly memory_id: string;
  readonly row_id: number;
  /** False where the same text was already there. */
  readonly created: boolean;
  readonly created_at: string;
  readonly format_version: 'v1' | 'v2';
  readonly twin: Twin | undefined;
  readonly redacted: readonly string[];
}

/** Stores one memory. Errors: `not_found` for an unknown `supersedes`. */
export async function storeMemory(
  deps: RuleDeps,
  input: NewMemory,
  caller: Caller,
  extras: StoreExtras = {},
): Promise<StoreResult> {
  const prepared = await prepare(deps, input, caller, extras);
  const result = await deps.store.write((trx) => writePrepared(deps, trx, prepared, caller, extras));
  afterStore(deps, [result]);
  return result;
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
  const created = results.filter((result) => result.created);
  if (created.length === 0) return;
  deps.vectors.follow(created.map((result) => result.row_id));
  for (const result of created) deps.changed(result.memory_id);
}

interface Prepared {
  readonly row: NewMemoryRow;
  readonly redacted: readonly string[];
}

async function prepare(deps: RuleDeps, input: NewMemory, caller: Caller, extras: StoreExtras): Promise<Prepared> {
  const content = await deps.redact(input.content);
  const context = input.context === undefined ? undefined : await deps.redact(input.context);
  const now = toIso(deps.store.clock.now());
  const place = {
    scope: input.scope ?? 'solo',
    user_id: caller.principal.user_id,
    project: input.project ?? caller.project ?? null,
    project_id: input.project_id ?? null,
    session_id: input.session_id ?? null,
    sequence: input.sequence ?? null,
  };
  const row: NewMemoryRow = {
    ...place,
    memory_id: newId('mem', deps.store.clock.now()),
    content: content.text,
    identity_hash: identityHash({ ...place, content: content.text }),
    category: input.category,
    context: context?.text ?? null,
    tags: JSON.stringify(input.tags ?? []),
    metadata: JSON.stringify(input.metadata ?? {}),
    team_id: null,
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
    format_version: detectFormat(content.text),
    version: 1,
    created_at: now,
    updated_at: now,
    deleted_at: null,
    deleted_by: null,
    delete_reason: null,
    purge_at: null,
    merged_into: null,
  };
  return { row, redacted: [...content.findings, ...(context?.findings ?? [])].map((finding) => finding.kind) };
}

async function writePrepared(
  deps: RuleDeps,
  trx: MemoryTrx,
  prepared: Prepared,
  caller: Caller,
  extras: StoreExtras,
): Promise<StoreResult> {
  const { row, redacted } = prepared;
  const known =
    (extras.external_id === undefined ? undefined : await findByExternalId(trx, row.user_id, extras.external_id)) ??
    (await findLivingByIdentity(trx, row.identity_hash));
  if (known) {
    const { memory_id, row_id, created_at, format_version } = known;
    return {
      memory_id,
      row_id,
      created: false,
      created_at,
      format_version: format_version === 'v2' ? 'v2' : 'v1',
      twin: undefined,
      redacted,
    };
  }
  const superseded = row.supersedes ? await findVisible(trx, row.supersedes, caller.principal) : undefined;
  if (row.supersedes && !superseded) throw memoryNotFound(row.supersedes);
  const signature = extras.skip_twin ? undefined : await findTwin(trx, row.content, caller.principal);
  const row_id = await insertRow(deps.store, trx, row);
  await saveSignature(trx, row_id, row.content);
  await trx
    .insertInto('memory_vector_queue')
    .values({ row_id, attempts: 0, claimed_until: deps.vectors.claimUntil() })
    .execute();
  if (superseded) {
    const note = { change: 'superseded', changed_at: row.created_at, changed_by: caller.principal.user_id };
    await updateRow(deps.store, trx, superseded, { superseded_by: row.memory_id }, note);
  }
  const twin = signature?.memory_id === row.supersedes ? undefined : signature;
  return {
    memory_id: row.memory_id,
    row_id,
    created: true,
    created_at: row.created_at,
    format_version: row.format_version === 'v2' ? 'v2' : 'v1',
    twin,
    redacted,
  };
}

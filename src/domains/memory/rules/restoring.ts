// Putting memories back as they were, from a backup: found by words and meaning like any other, in the caller's transaction.
import { type Expression, expressionBuilder, type Insertable, type SqlBool } from 'kysely';
import { toIso } from '../../../kernel/clock.ts';
import type { Principal } from '../../../kernel/operation.ts';
import { visibleTo } from '../filters.ts';
import type { MemoryRow, NewMemoryRow } from '../record.ts';
import { type MemoryTrx, updateRow } from '../repository.ts';
import type { MemoryTable, MemoryTables } from '../tables.ts';
import { announce, renewVectors } from './change.ts';
import type { Caller, RuleDeps } from './deps.ts';
import { identityHash } from './identity.ts';
import { retire } from './lifecycle.ts';
import { bandKeys, shingles } from './signature.ts';
import { noteInTeam } from './team-activity.ts';

/** Which of its fields make a memory the same as another of the same text. */
export const IDENTITIES = ['project', 'text', 'own'] as const;
export type Identity = (typeof IDENTITIES)[number];

type Identified = Parameters<typeof identityHash>[0] & { readonly memory_id: string };

/** `project`: its project, too. `text`: a project that only followed from where its author worked does not. `own`: its id. */
export function identityOf(row: Identified & { readonly identity_hash: string }): Identity {
  return IDENTITIES.find((identity) => identityAs(row, identity) === row.identity_hash) ?? 'own';
}

export function identityAs(row: Identified, identity: Identity): string {
  if (identity === 'text') return identityHash({ ...row, project: null });
  return identityHash(identity === 'project' ? row : { ...row, content: `${row.content}\n${row.memory_id}` });
}

/** Condition on `memories`: rows the principal may see. */
export function visibleMemories(principal: Principal): Expression<SqlBool> {
  return visibleTo(expressionBuilder<MemoryTables, 'memories'>(), principal);
}

/** Few enough for the parameters of one statement of either engine. */
const ROWS_PER_STATEMENT = 50;
const PAIRS_PER_STATEMENT = 500;

export interface MemoriesToRestore {
  readonly add: readonly NewMemoryRow[];
  /** Rows as they are here, and what each shall say. */
  readonly replace: readonly { readonly row: MemoryRow; readonly values: Partial<NewMemoryRow> }[];
  readonly remove: readonly MemoryRow[];
}

export type RestoredRow = Pick<MemoryRow, 'row_id' | 'memory_id'> & { readonly living: boolean };

/**
 * Adds rows as they are, versions and times included; puts back what rows said, as a new version of each (also of one in
 * the recycle bin, which is then out of it); moves rows to the recycle bin. The caller has asked who may. Texts are taken
 * as they are: they were without secrets when they were stored. Returns what to announce after the commit.
 */
export async function restoreMemories(
  deps: RuleDeps,
  trx: MemoryTrx,
  { add, replace, remove }: MemoriesToRestore,
  caller: Caller,
): Promise<RestoredRow[]> {
  const touched: RestoredRow[] = [];
  for (const row of remove) {
    await retire(deps, trx, row, 'It came after the backup that was restored.', caller, null);
    touched.push({ row_id: row.row_id, memory_id: row.memory_id, living: false });
  }
  // Two that change places would each find the other's identity taken.
  for (const { row } of replace)
    await trx
      .updateTable('memories')
      .set({ identity_hash: `restoring ${row.memory_id}` })
      .where('row_id', '=', row.row_id)
      .execute();
  const changed_at = toIso(deps.store.clock.now());
  const note = { change: 'restore', changed_at, changed_by: caller.principal.user_id };
  const living = { deleted_at: null, deleted_by: null, delete_reason: null, purge_at: null, merged_into: null };
  for (const { row, values } of replace) {
    const next = await updateRow(deps.store, trx, row, { ...values, ...living }, note);
    await renewVectors(deps, trx, next);
    await noteInTeam(deps, trx, next, 'memory.changed', caller);
    touched.push({ row_id: row.row_id, memory_id: row.memory_id, living: true });
  }
  touched.push(...(await addRows(deps, trx, add, caller)));
  return touched;
}

/** As `insertRow` and what follows it, for many at once: a statement a row would take most of a restore's time. */
async function addRows(
  deps: RuleDeps,
  trx: MemoryTrx,
  rows: readonly NewMemoryRow[],
  caller: Caller,
): Promise<RestoredRow[]> {
  if (rows.length === 0) return [];
  const { store } = deps;
  const values: Insertable<MemoryTable>[] = [];
  for (const row of rows) {
    const change = { entity: 'memory', entity_id: row.memory_id, kind: 'put', before: {} } as const;
    values.push({ ...row, ...(await store.recordChange(trx, change)) });
  }
  const added = new Map<string, number>();
  for (const some of pieces(values, ROWS_PER_STATEMENT)) {
    const made = await trx.insertInto('memories').values(some).returning(['memory_id', 'row_id']).execute();
    for (const { memory_id, row_id } of made) added.set(memory_id, row_id);
  }
  const tags: { tag: string; row_id: number }[] = [];
  const signatures: { band: number; row_id: number }[] = [];
  const queue: { row_id: number; attempts: number; claimed_until: number }[] = [];
  const claimed_until = deps.vectors.claimUntil();
  for (const row of rows) {
    const row_id = added.get(row.memory_id) ?? 0;
    const own = JSON.parse(row.tags) as string[];
    for (const tag of new Set(own)) tags.push({ tag, row_id });
    for (const band of new Set(bandKeys(shingles(row.content)))) signatures.push({ band, row_id });
    queue.push({ row_id, attempts: 0, claimed_until });
    await store.text.put(trx, row_id, { body: row.content, extra: [row.context ?? '', ...own].join(' ') });
    await noteInTeam(deps, trx, { ...row, team_id: row.team_id ?? null }, 'memory.stored', caller);
  }
  for (const some of pieces(tags, PAIRS_PER_STATEMENT)) await trx.insertInto('memory_tags').values(some).execute();
  for (const some of pieces(signatures, PAIRS_PER_STATEMENT))
    await trx.insertInto('memory_signatures').values(some).execute();
  for (const some of pieces(queue, PAIRS_PER_STATEMENT))
    await trx.insertInto('memory_vector_queue').values(some).execute();
  return rows.map(({ memory_id }) => ({ row_id: added.get(memory_id) ?? 0, memory_id, living: true }));
}

function pieces<T>(items: readonly T[], size: number): T[][] {
  const out: T[][] = [];
  for (let start = 0; start < items.length; start += size) out.push(items.slice(start, start + size));
  return out;
}

/** After the commit: vectors are made, and other processes and subscribers hear of it. */
export function announceRestored(deps: RuleDeps, rows: readonly RestoredRow[]): void {
  for (const row of rows) {
    if (row.living) announce(deps, row);
    else {
      deps.vectors.forget([row.row_id]);
      deps.changed(row.memory_id);
    }
  }
}

// Erasing a person from the whole store: in small commits, in an order that can be interrupted anywhere and run again.
import { toIso } from '../../kernel/clock.ts';
import { failure } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import type { TraceReport } from '../../storage/engine.ts';
import { type ErasureGuard, eraseMemoriesOf, renameInMemories } from '../memory/index.ts';
import type { ErasureCounts, TableCounts } from './counts.ts';
import type { PrivacyDeps } from './deps.ts';
import { assertNoHold } from './holds.ts';
import { takeMemoryMentionsOut, takeMentionsOut } from './mention-rows.ts';
import type { NameMatcher } from './mentions.ts';
import { columnsOf, PERSONAL, type PersonalTable } from './personal-data.ts';
import { newPseudonym } from './pseudonym.ts';
import { type AnyReader, deleteRow, isNamed, isOwn, namingColumns, pageOf, type Row, updateRow } from './rows.ts';
import { endLeftTeams, handTeamsOver, planTeams } from './teams.ts';
import { destroyKeys, handVaultsOver } from './vaults.ts';
import { recorded } from './versioned.ts';

/** Rows in one commit: keeps the write lock short. */
const BATCH_COUNT = 200;
/** The user's agents may still write while the first pass runs. */
const PASSES_MAX_COUNT = 4;

export interface ErasureReport extends ErasureCounts {
  readonly erasure_id: string;
  readonly pseudonym: string;
  readonly traces: TraceReport;
}

export interface ErasureRequest {
  readonly user_id: string;
  /** Given: mentions in texts of others are taken out as well. */
  readonly matcher: NameMatcher | undefined;
}

interface Run extends ErasureRequest {
  readonly deps: PrivacyDeps;
  readonly pseudonym: string;
  readonly guard: ErasureGuard;
  readonly counts: Map<string, { deleted: number; renamed: number; mentions: number }>;
}

/** Throws `conflict` under a legal hold, also one that is placed meanwhile; what was erased before it stays erased. */
export async function eraseUser(
  deps: PrivacyDeps,
  request: ErasureRequest,
  ctx: OperationContext,
): Promise<ErasureReport> {
  const { user_id } = request;
  const pseudonym = newPseudonym();
  const run: Run = {
    ...request,
    deps,
    pseudonym,
    counts: new Map(),
    async guard(trx) {
      ctx.signal.throwIfAborted();
      await assertNoHold(trx as never, user_id, ctx.principal);
    },
  };
  // Calls this process has counted and not yet written, and those that end after this one.
  deps.sessions.forget(user_id);
  const vaults_handed_over = await handVaultsOver(deps, user_id, run.guard);
  add(run, 'vaults', { renamed: vaults_handed_over });
  await destroyKeys(deps, user_id, run.guard);
  const owned = await planTeams(deps.store.db, user_id, toIso(deps.store.clock.now()));
  const teams_handed_over = await handTeamsOver(deps, user_id, run.guard);
  for (let pass = 1; ; pass++) {
    await erasePass(run, ctx);
    if (!(await isLeft(deps, user_id))) break;
    if (pass === PASSES_MAX_COUNT) throw stillWriting();
  }
  const teams_deleted = await endLeftTeams(
    deps,
    owned.map(({ team_id }) => team_id),
    run.guard,
  );
  const erasure_id = await finish(run, ctx, { tables: tablesOf(run), teams_handed_over, teams_deleted });
  const traces = await deps.store.engine.eraseTraces();
  return { erasure_id, pseudonym, tables: tablesOf(run), teams_handed_over, teams_deleted, traces };
}

async function erasePass(run: Run, ctx: OperationContext): Promise<void> {
  const { deps, user_id, guard } = run;
  const total = PERSONAL.length + 1;
  const erased = await eraseMemoriesOf(deps.memory, user_id, guard);
  for (const [table, deleted] of Object.entries(erased)) add(run, table, { deleted });
  const renamed = await renameInMemories(deps.memory, user_id, run.pseudonym, guard);
  for (const [table, count] of Object.entries(renamed)) add(run, table, { renamed: count });
  if (run.matcher) {
    const mentions = await takeMemoryMentionsOut(deps, { ...run, matcher: run.matcher }, guard);
    add(run, 'memories', { mentions });
  }
  ctx.reportProgress({ done: 1, total });
  for (const [index, spec] of PERSONAL.entries()) {
    if (spec.erased_by === undefined) await eraseTable(run, spec);
    ctx.reportProgress({ done: index + 2, total });
  }
}

async function eraseTable(run: Run, spec: PersonalTable): Promise<void> {
  const { deps, user_id, matcher, guard } = run;
  const own = await inBatches(run, spec, 'own');
  add(run, spec.table, spec.owned === 'delete' ? { deleted: own } : { renamed: own });
  add(run, spec.table, { renamed: await inBatches(run, spec, 'named') });
  if (!matcher) return;
  const mentions = await takeMentionsOut(deps, spec, { user_id, pseudonym: run.pseudonym, matcher }, guard);
  add(run, spec.table, { mentions });
}

/** Deletes or renames rows until there are none; returns how many there were. */
async function inBatches(run: Run, spec: PersonalTable, which: 'own' | 'named'): Promise<number> {
  const { deps, user_id } = run;
  const columns = [...columnsOf(spec, 'owner', 'name', 'json'), ...(spec.entity ? ['version_vector'] : [])];
  for (let count = 0; ; ) {
    const rows = await deps.store.write(async (trx) => {
      await run.guard(trx as never);
      const any = trx as unknown as AnyReader;
      const condition = which === 'own' ? isOwn(spec, user_id) : isNamed(spec, user_id);
      const found = await pageOf(any, spec, { condition, columns, limit: BATCH_COUNT });
      for (const row of found) await eraseRow(run, any, spec, row, which);
      return found.length;
    });
    count += rows;
    if (rows < BATCH_COUNT) return count;
  }
}

async function eraseRow(run: Run, trx: AnyReader, spec: PersonalTable, row: Row, which: 'own' | 'named') {
  const { deps, user_id, pseudonym } = run;
  if (which === 'own' && spec.owned === 'delete') {
    await recorded(deps.store, trx, spec, row, 'delete');
    return deleteRow(trx, spec, row);
  }
  const naming = which === 'own' ? columnsOf(spec, 'owner', 'name') : namingColumns(spec);
  const values: Record<string, unknown> = {};
  for (const column of naming) if (row[column] === user_id) values[column] = pseudonym;
  if (which === 'own') {
    for (const column of columnsOf(spec, 'text')) values[column] = pseudonym;
    for (const column of columnsOf(spec, 'json'))
      if (String(row[column]).toLowerCase().includes(user_id.toLowerCase())) values[column] = '{}';
  }
  return updateRow(trx, spec, row, { ...values, ...(await recorded(deps.store, trx, spec, row, 'put')) });
}

async function isLeft(deps: PrivacyDeps, user_id: string): Promise<boolean> {
  const db = deps.store.db as unknown as AnyReader;
  for (const spec of PERSONAL) {
    if (spec.erased_by === 'audit') continue;
    for (const condition of [isOwn(spec, user_id), isNamed(spec, user_id)])
      if ((await pageOf(db, spec, { condition, columns: [], limit: 1 })).length > 0) return true;
  }
  return false;
}

/** The last commit: the user leaves the audit log, and the log of erasures says that one happened. */
async function finish(run: Run, ctx: OperationContext, counts: ErasureCounts): Promise<string> {
  const { deps, user_id } = run;
  const { store, audit } = deps;
  const now_ms = store.clock.now();
  const erasure_id = newId('era', now_ms);
  const erased = await store.write(async (trx) => {
    await run.guard(trx as never);
    await trx
      .insertInto('erasures')
      .values({ erasure_id, at: toIso(now_ms), counts: JSON.stringify(counts) })
      .execute();
    return audit.eraseSubject(trx as never, user_id, ctx.principal);
  });
  add(run, 'audit_subjects', { renamed: erased.subjects });
  deps.sessions.forget(user_id, ctx.request_id);
  return erasure_id;
}

function add(run: Run, table: string, more: Partial<Omit<TableCounts, 'table'>>): void {
  const before = run.counts.get(table) ?? { deleted: 0, renamed: 0, mentions: 0 };
  run.counts.set(table, {
    deleted: before.deleted + (more.deleted ?? 0),
    renamed: before.renamed + (more.renamed ?? 0),
    mentions: before.mentions + (more.mentions ?? 0),
  });
}

function tablesOf(run: Run): TableCounts[] {
  return PERSONAL.flatMap(({ table }) => {
    const counts = run.counts.get(table);
    return counts ? [{ table, ...counts }] : [];
  });
}

function stillWriting() {
  return failure(
    'unavailable',
    'New rows of this user appear while they are erased; nearly everything else is erased.',
    'Stop the agents that work for the user, then run the erasure again: it goes on where it was.',
  );
}

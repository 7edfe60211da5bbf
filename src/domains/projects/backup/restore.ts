// Puts a project back: everything is checked first, then planned, then done in one transaction or not at all.
import { toIso } from '../../../kernel/clock.ts';
import { failure, HaivemindError } from '../../../kernel/errors.ts';
import { limits } from '../../../kernel/limits.ts';
import type { Principal } from '../../../kernel/operation.ts';
import { mayManageWork, maySeeWork } from '../../access/index.ts';
import { announceRestored, type RestoredRow } from '../../memory/index.ts';
import type { ProjectRow } from '../record.ts';
import { type Chain, openChain } from './chain.ts';
import type { BackupDeps } from './deps.ts';
import { damaged } from './errors.ts';
import { type MadeBackup, makeBackup, scopeOf } from './make.ts';
import { keyName } from './parts/columns.ts';
import { PARTS, partsFor } from './parts/index.ts';
import type { AnyReader, AnyTrx, Key, Placement, RestoreContext, RestoreMode } from './parts/part.ts';
import { assertMayRemove, assertMayWriteParts } from './parts/permissions.ts';
import { type Plan, planRestore, type Removal, walk } from './plan.ts';
import { assertUnchanged } from './unchanged.ts';

export interface RestoreRequest {
  readonly backup_id: string;
  readonly restore_mode: RestoreMode;
  readonly dry_run: boolean;
  readonly placement: Placement | undefined;
}

export interface Restored extends Plan {
  readonly project_id: string;
  readonly restored: boolean;
  /** The state before, where there was one that a restore could take something from. */
  readonly before_restore_backup_id: string | null;
}

/**
 * Errors: `storage_corrupt` with the part that is not as it was written, `not_found`, `unavailable` for a file or key that
 * is not here, `forbidden`, and `conflict` with the plan where the mode does not allow what it would do.
 */
export async function restoreProject(
  deps: BackupDeps,
  principal: Principal,
  request: RestoreRequest,
): Promise<Restored> {
  const { store } = deps;
  const chain = await openChain(deps, principal, request.backup_id);
  const { project_id } = chain.about;
  assertMayWriteParts(principal, chain, request.restore_mode);
  const here = await projectHere(deps, principal, project_id, request.placement);
  const asked = { deps, principal, chain, request, here };
  const planned = store.engine.snapshot(async (db) => {
    const { ctx, removals } = await contextFor(asked, db as never);
    return planRestore(db as never, chain, ctx, removals);
  });
  const plan = await planned.catch((error: unknown) => {
    throw undone(error, chain);
  });
  if (request.dry_run) {
    const details = { backup_id: request.backup_id, restore_mode: request.restore_mode, dry_run: true };
    await deps.audit.record(principal, {
      ...{ action: 'restore_project', target_type: 'project', target_id: project_id, result: 'ok', details },
    });
    return { project_id, restored: false, before_restore_backup_id: null, ...plan };
  }
  refuse(plan, request);
  const kept =
    request.restore_mode === 'overwrite' && here
      ? await makeBackup(
          deps,
          principal,
          { project_id, backup_type: 'full', include_history: true, encryption: chain.encryption },
          { kind: 'before_restore' },
        )
      : undefined;
  const before = kept && (await openChain(deps, principal, kept.about.backup_id));
  const done = await write(asked, kept, before).catch((error: unknown) => {
    throw undone(error, chain);
  });
  announceRestored(deps.memory, done.touched);
  deps.changed('project', project_id);
  for (const task_id of done.changed_tasks) deps.changed('task', task_id);
  return { project_id, restored: true, before_restore_backup_id: kept?.about.backup_id ?? null, ...done.plan };
}

interface Asked {
  readonly deps: BackupDeps;
  readonly principal: Principal;
  readonly chain: Chain;
  readonly request: RestoreRequest;
  readonly here: ProjectRow | undefined;
}

interface Done {
  readonly plan: Plan;
  readonly touched: readonly RestoredRow[];
  readonly changed_tasks: readonly string[];
}

/** The domain of memories opens the transaction: caches of theirs have to hear of it. */
function write(asked: Asked, kept: MadeBackup | undefined, before: Chain | undefined): Promise<Done> {
  const { deps, principal, chain, request } = asked;
  return deps.memory.store.write(async (memory_trx) => {
    const trx = memory_trx as unknown as AnyTrx;
    const { ctx, removals } = await contextFor(asked, trx);
    for (const part of PARTS) await part.begin?.(trx, ctx);
    if (kept && before) await assertUnchanged(trx, ctx.project, kept.position, before.has);
    // Again: what was planned may have changed since.
    const plan = await planRestore(trx, chain, ctx, removals);
    refuse(plan, request);
    for (const { part, keys } of removals.toReversed()) await part.remove?.(trx, keys, ctx);
    await walk(trx, chain, ctx, trx);
    for (const part of PARTS) await part.finish?.(trx, ctx);
    await deps.audit.append(trx as never, principal, {
      action: 'restore_project',
      target_type: 'project',
      target_id: chain.about.project_id,
      result: 'ok',
      details: {
        backup_id: request.backup_id,
        restore_mode: request.restore_mode,
        before_restore: kept?.about.backup_id ?? null,
        ...totalsOf(plan),
      },
    });
    return { plan, touched: ctx.touched, changed_tasks: ctx.changed_tasks };
  });
}

/** The project as it is here, where the caller may put it back. Hidden from the caller, it is in the way all the same. */
async function projectHere(
  { store }: BackupDeps,
  principal: Principal,
  project_id: string,
  placement: Placement | undefined,
): Promise<ProjectRow | undefined> {
  const query = store.db.selectFrom('projects').selectAll().where('project_id', '=', project_id);
  const row = await query.executeTakeFirst();
  if (!row) return undefined;
  if (!maySeeWork(principal, row).allowed || !mayManageWork(principal, row).allowed)
    throw failure(
      'forbidden',
      `Project ${project_id} is here and not yours to put back.`,
      'Ask its user, or whoever manages work in its team.',
    );
  if (placement)
    throw failure(
      'invalid_input',
      `Project ${project_id} is here already and stays in its place.`,
      'Leave scope and team_id out; they are for a hub that does not have it.',
    );
  return row;
}

async function contextFor(
  { deps, principal, chain, request, here }: Asked,
  db: AnyReader,
): Promise<{ ctx: RestoreContext; removals: readonly Removal[] }> {
  const { project_id, include_history } = chain.about;
  const { store } = deps;
  const project = here
    ? await scopeOf(deps, principal, here, include_history)
    : {
        project_id,
        name: '',
        principal,
        now: toIso(store.clock.now()),
        place: undefined,
        include_history,
        vault_ids: [],
      };
  const removals: Removal[] = [];
  if (here && request.restore_mode === 'overwrite')
    for (const part of partsFor(include_history)) {
      // What a backup was made without says nothing of what was there.
      if (!chain.files.every(({ parts }) => parts.includes(part.name))) continue;
      const keys = (await part.removable?.(db, project)) ?? [];
      const gone = keys.filter((key: Key) => !chain.has(part.name, key));
      if (gone.length > 0) assertMayRemove(principal, part.name);
      if (gone.length > 0) removals.push({ part, keys: gone });
    }
  const ctx: RestoreContext = {
    deps,
    principal,
    project,
    placement: request.placement,
    manages_project: here !== undefined,
    own_backup: await madeHere(deps, chain),
    mode: request.restore_mode,
    removing: new Map(removals.map(({ part, keys }) => [part.name, new Set(keys.map(keyName))])),
    inBackup: chain.has,
    admitted: new Map(),
    identities: new Map(),
    touched: [],
    changed_tasks: [],
  };
  return { ctx, removals };
}

/** Every file of it is one that this hub has written itself. */
async function madeHere({ store }: BackupDeps, { files }: Chain): Promise<boolean> {
  for (const { backup_id, sha256 } of files) {
    const row = await store.db
      .selectFrom('project_backups')
      .select('backup_id')
      .where('backup_id', '=', backup_id)
      .where('sha256', '=', sha256)
      .where('kind', 'in', ['made', 'before_restore'])
      .executeTakeFirst();
    if (!row) return false;
  }
  return true;
}

function refuse(plan: Plan, { restore_mode }: RestoreRequest): void {
  const changes = plan.parts.reduce((sum, part) => sum + part.update + part.keep, 0);
  const safe = restore_mode !== 'safe' || changes === 0;
  if (plan.conflicts_total === 0 && safe) return;
  const shown = plan.conflicts.slice(0, limits.project_backup_conflicts_shown_max_count);
  const [first] = shown;
  const what = first ? ` The first: ${first.part} ${first.key}: ${first.reason}.` : '';
  throw failure(
    'conflict',
    `The backup was not restored: ${plan.conflicts_total} records stand in the way.${what}`,
    restore_mode === 'safe'
      ? 'dry_run=true shows the plan; restore_mode=merge keeps what is newer here, overwrite puts all back as it was.'
      : 'dry_run=true shows the plan. Nothing was changed.',
    { details: { parts: plan.parts, conflicts: shown } },
  );
}

function totalsOf({ parts }: Plan): Record<string, number> {
  const sum = (field: 'add' | 'update' | 'remove' | 'keep') => parts.reduce((total, part) => total + part[field], 0);
  return { added: sum('add'), updated: sum('update'), removed: sum('remove'), kept: sum('keep') };
}

/** What the store itself refuses is a conflict as well: the transaction is undone. */
function undone(error: unknown, { reading }: Chain): unknown {
  if (isData(error)) return damaged(reading.part, 'the store takes no such value', error);
  if (error instanceof HaivemindError || !isConstraint(error)) return error;
  return failure(
    'conflict',
    'The store refused a record of the backup; all of it was undone.',
    'dry_run=true shows the plan. Two records of the backup may say the same, or somebody wrote meanwhile: try again.',
    { cause: error },
  );
}

/** SQLITE_CONSTRAINT, or class 23 of PostgreSQL. */
function isConstraint(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { errcode, code } = error as { errcode?: unknown; code?: unknown };
  return (typeof errcode === 'number' && (errcode & 0xff) === 19) || (typeof code === 'string' && /^23/.test(code));
}

/** Class 22 of PostgreSQL: a value that its column cannot hold. */
function isData(error: unknown): boolean {
  return error instanceof Error && /^22/.test(String((error as { code?: unknown }).code ?? ''));
}

// What a restore would do, record by record, and doing it: the same decisions both times.
import { limits } from '../../../kernel/limits.ts';
import type { Chain } from './chain.ts';
import { partsFor } from './parts/index.ts';
import type { AnyReader, AnyTrx, Found, Key, ProjectPart, RestoreContext, RestoreMode } from './parts/part.ts';

export interface PartPlan {
  readonly part: string;
  /** In the backup. */
  readonly records: number;
  readonly add: number;
  readonly update: number;
  /** Different here, and left as it is here. */
  readonly keep: number;
  readonly same: number;
  /** Here since the backup, and taken away. */
  readonly remove: number;
  readonly conflicts: number;
}

export interface Conflict {
  readonly part: string;
  readonly key: string;
  readonly reason: string;
}

export interface Plan {
  readonly parts: readonly PartPlan[];
  /** The first of them. */
  readonly conflicts: readonly Conflict[];
  readonly conflicts_total: number;
}

/** Keys of a part that a restore takes away. */
export interface Removal {
  readonly part: ProjectPart;
  readonly keys: readonly Key[];
}

export async function planRestore(
  db: AnyReader,
  chain: Chain,
  ctx: RestoreContext,
  removals: readonly Removal[],
): Promise<Plan> {
  const plan = await walk(db, chain, ctx, undefined);
  const parts = plan.parts.map((part) => ({
    ...part,
    remove: removals.find((removal) => removal.part.name === part.part)?.keys.length ?? 0,
  }));
  const refused: Conflict[] = [];
  for (const { part, keys } of removals)
    for (const key of (await part.refuseRemoval?.(db, keys, ctx)) ?? [])
      refused.push({
        part: part.name,
        key: key.join(' '),
        reason: 'it came after the backup and is not yours to take away',
      });
  const conflicts = [...plan.conflicts, ...refused].slice(0, limits.project_backup_conflicts_shown_max_count);
  return { parts, conflicts, conflicts_total: plan.conflicts_total + refused.length };
}

type Action = 'add' | 'update' | 'keep' | 'same' | 'conflict';

/** With a transaction it does what it decides; a conflict is passed over then, for it was refused before. */
export async function walk(db: AnyReader, chain: Chain, ctx: RestoreContext, trx: AnyTrx | undefined): Promise<Plan> {
  // What passed before may not pass now.
  ctx.admitted.clear();
  ctx.identities.clear();
  const parts: PartPlan[] = [];
  const conflicts: Conflict[] = [];
  let conflicts_total = 0;
  for (const part of partsFor(chain.about.include_history)) {
    const counts = { records: 0, add: 0, update: 0, keep: 0, same: 0, conflict: 0 };
    for await (const records of chain.records(part)) {
      const found = await part.find(db, records, ctx);
      const decided = found.map((one) => ({ one, action: actionFor(part, one, ctx.mode) }));
      for (const { one, action } of decided) {
        counts.records++;
        counts[action]++;
        const key = part.keyOf(one.record);
        const reason = reasonOf(one, action, ctx.mode);
        if (reason === undefined) continue;
        conflicts_total++;
        if (conflicts.length < limits.project_backup_conflicts_shown_max_count)
          conflicts.push({ part: part.name, key: key.join(' '), reason });
      }
      if (!trx) continue;
      const those = (action: Action) => decided.filter((each) => each.action === action).map(({ one }) => one);
      const [added, updated] = [those('add'), those('update')];
      if (updated.length > 0) await part.replace(trx, updated, ctx);
      if (added.length > 0) await part.add(trx, added, ctx);
    }
    const { conflict, ...rest } = counts;
    parts.push({ part: part.name, ...rest, remove: 0, conflicts: conflict });
  }
  return { parts, conflicts, conflicts_total };
}

function actionFor(part: ProjectPart, { finding }: Found, mode: RestoreMode): Action {
  switch (finding.kind) {
    case 'absent':
      return 'add';
    case 'same':
      return 'same';
    case 'conflict':
      return 'conflict';
    case 'kept':
      return 'keep';
    default:
      if (part.immutable) return 'keep';
      if (mode === 'overwrite') return 'update';
      return finding.kind === 'newer' ? 'update' : 'keep';
  }
}

const DIFFERENT = {
  newer: 'it is older here',
  older: 'it is newer here',
  other: 'it says something else here',
} as const;

/** Why it stands in the way of this mode; undefined where it does not. */
function reasonOf({ finding }: Found, action: Action, mode: RestoreMode): string | undefined {
  if (finding.kind === 'conflict') return finding.reason;
  if (mode !== 'safe' || action === 'add' || action === 'same') return undefined;
  if (finding.kind === 'kept') return finding.reason;
  return DIFFERENT[finding.kind as keyof typeof DIFFERENT];
}

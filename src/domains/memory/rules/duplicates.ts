// Merging two memories that say the same, so that it can be taken back: the loser goes to the recycle bin as it was.
import { toIso } from '../../../kernel/clock.ts';
import { failure } from '../../../kernel/errors.ts';
import type { MemoryRow, NewMemoryRow } from '../record.ts';
import { updateRow } from '../repository.ts';
import { announce, changeableRow, renewVectors } from './change.ts';
import type { Caller, RuleDeps } from './deps.ts';
import { retire } from './lifecycle.ts';

export interface MergeResult {
  readonly kept: MemoryRow;
  readonly removed: MemoryRow;
}

/**
 * Keeps one of two memories: `newest`, `oldest`, `longest` or the id of one. The kept one gains the other's tags,
 * missing fields and provenance (metadata.merged_from). Reversible: recover the removed one, undo the kept one.
 */
export async function mergeMemories(
  deps: RuleDeps,
  ids: readonly [string, string],
  keep: string,
  caller: Caller,
): Promise<MergeResult> {
  if (ids[0] === ids[1])
    throw failure(
      'invalid_input',
      'merge_duplicate_memories: both ids are the same memory.',
      'Name two different memories.',
    );
  const result = await deps.store.write(async (trx) => {
    const first = await changeableRow(trx, ids[0], caller);
    const second = await changeableRow(trx, ids[1], caller);
    assertSameTeam(first, second);
    const kept = choose(first, second, keep);
    const removed = kept === first ? second : first;
    const retired = await retire(deps, trx, removed, `merged into ${kept.memory_id}`, caller, kept.memory_id);
    const note = { change: 'merge', changed_at: toIso(deps.store.clock.now()), changed_by: caller.principal.user_id };
    const merged = await updateRow(deps.store, trx, kept, mergedColumns(kept, removed, note.changed_at), note);
    if (merged.context !== kept.context) await renewVectors(deps, trx, merged);
    return { kept: merged, removed: retired };
  });
  deps.vectors.forget([result.removed.row_id]);
  announce(deps, result.kept);
  deps.changed(result.removed.memory_id);
  return result;
}

/** The kept memory gains what the other says: nothing of one team gets into another, or out of all. */
function assertSameTeam(first: MemoryRow, second: MemoryRow): void {
  if (first.team_id === second.team_id) return;
  throw failure(
    'invalid_input',
    'merge_duplicate_memories: the two memories are not in the same team.',
    'Merge memories of one team, or delete the one that is not needed.',
  );
}

function choose(first: MemoryRow, second: MemoryRow, keep: string): MemoryRow {
  const byTime = first.created_at <= second.created_at ? [first, second] : [second, first];
  const [oldest, newest] = byTime as [MemoryRow, MemoryRow];
  if (keep === 'oldest') return oldest;
  if (keep === 'newest') return newest;
  if (keep === 'longest') return second.content.length > first.content.length ? second : first;
  const named = [first, second].find((row) => row.memory_id === keep);
  if (named) return named;
  throw failure(
    'invalid_input',
    'merge_duplicate_memories: keep_memory names neither of the two.',
    'Use newest, oldest, longest, or one of the two ids.',
  );
}

function mergedColumns(kept: MemoryRow, removed: MemoryRow, merged_at: string): Partial<NewMemoryRow> {
  const tags = [...new Set([...(JSON.parse(kept.tags) as string[]), ...(JSON.parse(removed.tags) as string[])])];
  const { memory_id, source, agent_id, machine_id, user_id, created_at } = removed;
  const own = JSON.parse(kept.metadata) as Record<string, unknown>;
  const other = JSON.parse(removed.metadata) as Record<string, unknown>;
  const before = [own.merged_from, other.merged_from].flatMap((list) => (Array.isArray(list) ? list : []));
  const provenance = { memory_id, source, agent_id, machine_id, user_id, created_at, merged_at };
  return {
    tags: JSON.stringify(tags),
    metadata: JSON.stringify({ ...other, ...own, merged_from: [...before, provenance] }),
    context: kept.context ?? removed.context,
    importance: Math.max(kept.importance, removed.importance),
    occurred_at: kept.occurred_at ?? removed.occurred_at,
    valid_from: kept.valid_from ?? removed.valid_from,
    valid_until: kept.valid_until ?? removed.valid_until,
  };
}

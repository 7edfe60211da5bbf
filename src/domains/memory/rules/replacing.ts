// Replacing a memory by another: who may be replaced by what, and a text that becomes true again.
import { toIso } from '../../../kernel/clock.ts';
import { failure } from '../../../kernel/errors.ts';
import { mayChangeMemory } from '../../access/index.ts';
import type { MemoryRow } from '../record.ts';
import { type MemoryTrx, updateRow } from '../repository.ts';
import type { Caller, RuleDeps } from './deps.ts';
import { assertMayAdd, type Place } from './place.ts';

/**
 * A replacement stands in for what it replaces, so everybody who saw the one has to see the other: a shared memory
 * replaces any, one of a team those of the same team. Throws `invalid_input`, or `forbidden` where the caller only reads
 * in the team whose memory would be replaced.
 */
export function assertReplaceable(superseded: MemoryRow, place: Place, caller: Caller): void {
  const { memory_id, scope, team_id } = superseded;
  if (scope === 'team' && team_id !== null) {
    assertMayAdd(caller.principal, { scope, team_id });
    if (place.scope === 'shared' || place.team_id === team_id) return;
  } else if (scope !== 'shared' || place.scope === 'shared') return;
  const [whose, wanted] = scope === 'shared' ? ['shared', 'scope=shared'] : ["a team's", 'scope=team in that team'];
  throw failure(
    'invalid_input',
    `Memory ${memory_id} is ${whose}; a ${place.scope} memory cannot replace it for everybody who sees it.`,
    `Store the new memory with ${wanted}, or leave supersedes out.`,
    { details: { supersedes: memory_id, scope } },
  );
}

/** Throws `invalid_input` where a validity ends before it begins: such a memory would never hold. */
export function assertWindow(valid_from: string | null | undefined, valid_until: string | null | undefined): void {
  if (!valid_from || !valid_until || valid_from < valid_until) return;
  throw failure(
    'invalid_input',
    `valid_until (${valid_until}) is not after valid_from (${valid_from}).`,
    'Give a valid_until later than valid_from, or leave one of them out.',
  );
}

/**
 * The same text said again as a replacement: what was known becomes current and the other becomes replaced. Changes
 * nothing where it is so already or the known memory is not the caller's to change. Throws `invalid_input` for itself.
 */
export async function restate(
  deps: RuleDeps,
  trx: MemoryTrx,
  known: MemoryRow,
  superseded: MemoryRow,
  caller: Caller,
): Promise<{ readonly known: MemoryRow; readonly replaced: MemoryRow } | undefined> {
  if (known.memory_id === superseded.memory_id) {
    throw failure(
      'invalid_input',
      `Memory ${known.memory_id} says exactly this already; it cannot replace itself.`,
      'Leave supersedes out, or use update_memory to change it.',
    );
  }
  const there = known.supersedes === superseded.memory_id && superseded.superseded_by === known.memory_id;
  if (!mayChangeMemory(caller.principal, known).allowed || (there && known.superseded_by === null)) return undefined;
  const at = { changed_at: toIso(deps.store.clock.now()), changed_by: caller.principal.user_id };
  const current = { supersedes: superseded.memory_id, superseded_by: null };
  return {
    known: await updateRow(deps.store, trx, known, current, { change: 'supersedes', ...at }),
    replaced: await updateRow(
      deps.store,
      trx,
      superseded,
      { superseded_by: known.memory_id },
      { change: 'superseded', ...at },
    ),
  };
}

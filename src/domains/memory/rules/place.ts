// Where a memory goes: the mode decides unless a scope is named, and the policy has the last word.
import { failure, type HaivemindError } from '../../../kernel/errors.ts';
import { type Principal, SOLO } from '../../../kernel/operation.ts';
import { assertAllowed, mayAddMemory, mayChangeMemory, maySeeMemory } from '../../access/index.ts';
import { memoryNotFound, notChangeable } from '../errors.ts';
import type { MemoryRow } from '../record.ts';
import type { Scope } from '../schema.ts';
import type { Caller } from './deps.ts';

export interface Place {
  readonly scope: Scope;
  /** Set where the scope is team. */
  readonly team_id: string | null;
}

/**
 * The place of a new or moved memory; `team_id` names a team without its mode. Errors: `invalid_input` where a team is
 * meant and none is chosen, `not_found` for a team the caller is not in, `forbidden` where they may not write there.
 */
export function placeOf(caller: Caller, scope: Scope | undefined, team_id?: string): Place {
  const mode = caller.mode ?? SOLO;
  const chosen = team_id ?? (mode.mode === 'team' ? mode.context_id : null);
  const wanted = scope ?? (chosen === null ? 'solo' : 'team');
  if (wanted !== 'team') return { scope: wanted, team_id: null };
  if (chosen === null) throw noTeamChosen(caller.principal);
  const place = { scope: wanted, team_id: chosen };
  assertMayAdd(caller.principal, place);
  return place;
}

/** Whoever adds to a team learns whether the text is there already, so they have to be allowed to read there as well. */
export function assertMayAdd(principal: Principal, place: Place): void {
  const absent = () => noSuchTeam(place.team_id);
  assertAllowed(mayAddMemory(principal, place), absent);
  assertAllowed(maySeeMemory(principal, { ...place, user_id: principal.user_id }), absent);
}

/** Throws `not_found` where the memory may not be seen, `forbidden` where it may be seen and not changed. */
export function assertMayChange(principal: Principal, row: MemoryRow): void {
  const decision = mayChangeMemory(principal, row);
  if (decision.allowed) return;
  throw decision.visible ? notChangeable(row.memory_id, decision.reason) : memoryNotFound(row.memory_id);
}

function noSuchTeam(team_id: string | null): HaivemindError {
  return failure('not_found', `There is no team ${team_id}.`, 'list_teams shows the teams you are in.', {
    details: { team_id },
  });
}

/** Teams named in a hint. */
const NAMED_COUNT = 10;

function noTeamChosen(principal: Principal): HaivemindError {
  const ids = (principal.teams ?? []).slice(0, NAMED_COUNT).map((team) => team.team_id);
  return failure(
    'invalid_input',
    'scope=team needs a team, and this session works in none.',
    ids.length > 0
      ? `Call set_mode mode=team context_id=<team> first; your teams: ${ids.join(', ')}.`
      : 'Call set_mode mode=team context_id=<team> first; you are in no team yet (create_team makes one).',
  );
}

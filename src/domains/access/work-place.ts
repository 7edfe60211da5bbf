// Where new work goes: what is said, else what it belongs to, else the mode; the policy has the last word.
import { failure, type HaivemindError } from '../../kernel/errors.ts';
import { type ModeContext, type Principal, SOLO } from '../../kernel/operation.ts';
import { assertAllowed } from './refusals.ts';
import { mayAddWork } from './work.ts';

export interface WorkPlace {
  readonly scope: 'solo' | 'team' | 'shared';
  /** Set where the scope is team. */
  readonly team_id: string | null;
}

export interface WantedPlace {
  readonly principal: Principal;
  readonly mode?: ModeContext | undefined;
  readonly scope?: WorkPlace['scope'] | undefined;
  readonly team_id?: string | undefined;
  /** Of the project or parent it belongs to. */
  readonly belongs_to?: WorkPlace | undefined;
}

/**
 * The place of a new task or project. Errors: `invalid_input` where a team is meant and none is chosen, `not_found` for a
 * team the caller is not in, `forbidden` where they may not write there.
 */
export function placeOfWork({ principal, mode = SOLO, scope, team_id, belongs_to }: WantedPlace): WorkPlace {
  const place = wanted(mode, scope, team_id, belongs_to);
  if (place.scope === 'team' && place.team_id === null) throw noTeam();
  assertAllowed(mayAddWork(principal, place), () =>
    failure('not_found', `There is no team ${place.team_id}.`, 'list_teams shows the teams you are in.', {
      details: { team_id: place.team_id },
    }),
  );
  return place;
}

function wanted(
  mode: ModeContext,
  scope: WorkPlace['scope'] | undefined,
  team_id: string | undefined,
  belongs_to: WorkPlace | undefined,
): WorkPlace {
  if (team_id !== undefined) return { scope: 'team', team_id };
  const chosen = mode.mode === 'team' ? mode.context_id : null;
  if (scope === 'team') return { scope, team_id: belongs_to?.team_id ?? chosen };
  if (scope !== undefined) return { scope, team_id: null };
  if (belongs_to) return { scope: belongs_to.scope, team_id: belongs_to.team_id };
  return chosen === null ? { scope: 'solo', team_id: null } : { scope: 'team', team_id: chosen };
}

function noTeam(): HaivemindError {
  return failure(
    'invalid_input',
    'scope=team needs a team, and this session works in none.',
    'Give team_id, or call set_mode mode=team context_id=<team> first; list_teams shows yours.',
  );
}

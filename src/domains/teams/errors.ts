// Errors of the team domain.
import { failure, type HaivemindError } from '../../kernel/errors.ts';

/** A team that is absent and one the caller is not in: the two are not told apart. */
export function teamNotFound(team_id: string): HaivemindError {
  return failure('not_found', `There is no team ${team_id}.`, 'list_teams shows the teams you are in.', {
    details: { team_id },
  });
}

export function memberNotFound(user_id: string): HaivemindError {
  return failure('not_found', `${user_id} is not in this team.`, 'get_team with include_members shows who is.', {
    details: { user_id },
  });
}

/** One answer for codes that are unknown, used, expired, revoked or somebody else's. */
export function invitationNotFound(): HaivemindError {
  return failure(
    'not_found',
    'There is no open invitation for you with this code.',
    'A code works once, for the user it was made for, until it expires: ask for a new one.',
  );
}

export function lastOwner(): HaivemindError {
  return failure('conflict', 'The team would be without an owner.', 'Make somebody else an owner first.');
}

export function badMembership(problem: string, hint: string): HaivemindError {
  return failure('invalid_input', `add_team_member: ${problem}`, hint);
}

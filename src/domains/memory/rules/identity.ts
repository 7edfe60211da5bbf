// When two stores mean the same memory, and what a caller's words become before they are compared.
import { createHash } from 'node:crypto';

export interface IdentityInput {
  readonly content: string;
  readonly scope: string;
  readonly user_id: string;
  readonly team_id: string | null;
  readonly project: string | null;
  readonly project_id: string | null;
  readonly session_id: string | null;
  readonly sequence: number | null;
}

/**
 * Hash of what makes a memory the same: text (outer white space aside), scope, its team or its owner where it is
 * private, project, and, for a turn of a sequence, its place: "Thanks!" said twice in one conversation is two memories.
 * Equal memories are so seen by the same people: to find one again tells nobody of what they may not see.
 */
export function identityHash(input: IdentityInput): string {
  const place = input.sequence === null ? null : [input.session_id, input.sequence];
  const key = JSON.stringify([
    input.scope,
    ownerOf(input),
    input.project_id ?? input.project,
    place,
    input.content.trim(),
  ]);
  return createHash('sha256').update(key).digest('base64url');
}

/** A list for a team, so that no user's name is ever taken for one. */
function ownerOf({ scope, team_id, user_id }: IdentityInput): string | readonly string[] | null {
  if (scope === 'shared') return null;
  return scope === 'team' && team_id !== null ? [team_id] : user_id;
}

// When two stores mean the same memory, and what a caller's words become before they are compared.
import { createHash } from 'node:crypto';

export interface IdentityInput {
  readonly content: string;
  readonly scope: string;
  readonly user_id: string;
  readonly project: string | null;
  readonly project_id: string | null;
  readonly session_id: string | null;
  readonly sequence: number | null;
}

/**
 * Hash of what makes a memory the same: text (outer white space aside), scope, owner where it is private, project, and,
 * for a turn of a sequence, its place: "Thanks!" said twice in one conversation is two memories.
 */
export function identityHash(input: IdentityInput): string {
  const place = input.sequence === null ? null : [input.session_id, input.sequence];
  const owner = input.scope === 'shared' ? null : input.user_id;
  const key = JSON.stringify([input.scope, owner, input.project_id ?? input.project, place, input.content.trim()]);
  return createHash('sha256').update(key).digest('base64url');
}

// Whose data a caller may handle. Refusals say nothing of whether such a user is known.

import { failure } from '../../kernel/errors.ts';
import type { Principal } from '../../kernel/operation.ts';
import { assertAllowed, isAdmin, mayHandleDataOf } from '../access/index.ts';

/** Throws `forbidden` for the data of somebody else. */
export function assertMayHandle(principal: Principal, user_id: string): void {
  assertAllowed(mayHandleDataOf(principal, user_id), () =>
    failure('forbidden', 'Only the user and administrators of this hub may do this.', 'Ask an administrator.'),
  );
}

/** Throws `forbidden` for everybody else: it concerns what others wrote, or what the user need not know. */
export function assertAdmin(principal: Principal, what: string): void {
  if (isAdmin(principal)) return;
  throw failure('forbidden', `Only an administrator of this hub may ${what}.`, 'Ask an administrator.');
}

// Acts of agents that touch what other permissions guard: a token has to have those as well.
import { failure } from '../../kernel/errors.ts';
import type { Permission, Principal } from '../../kernel/operation.ts';
import { assertAllowed, mayCall } from '../access/index.ts';

/** Throws `forbidden` where the caller's credential lacks one of them. */
export function assertScopes(principal: Principal, ...permissions: readonly Permission[]): void {
  for (const permission of permissions)
    assertAllowed(mayCall(principal, permission), () =>
      failure('forbidden', `This needs ${permission}.`, 'Use a token whose scopes include it.'),
    );
}

/** Whether the caller's credential allows it. */
export function hasScope(principal: Principal, permission: Permission): boolean {
  return mayCall(principal, permission).allowed;
}

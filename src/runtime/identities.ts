// How callers that are not the machine's owner prove who they are: tokens of this hub, of other issuers, and Tailscale.
import { failure } from '../kernel/errors.ts';
import type { Identities } from '../surfaces/runtime.ts';

export function createIdentities(): Identities {
  return {
    bearer: async () => {
      throw failure('unauthenticated', 'The token is not one of this hub.', 'Get a token from an administrator.');
    },
    peer: async () => undefined,
    jwks: async () => ({ keys: [] }),
    issuers: [],
    public_url: undefined,
    turnedAway: async () => undefined,
  };
}

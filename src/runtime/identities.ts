// What surfaces ask about callers that are not the machine's owner.
import type { IdentityDomain } from '../domains/identity/index.ts';
import type { Identities } from '../surfaces/runtime.ts';

export function createIdentities(identity: IdentityDomain, public_url: string | undefined): Identities {
  return {
    bearer: identity.bearer,
    peer: identity.whois,
    jwks: async () => ({ keys: await identity.keys.published() }),
    issuers: identity.issuers,
    public_url,
    turnedAway: ({ reason, remote_address }) => identity.turnedAway.note(reason, remote_address),
  };
}

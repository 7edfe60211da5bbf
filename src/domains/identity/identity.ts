// Identity put together: how callers that are not the machine's owner prove who they are, and what makes tokens for them.
import type { IdentityDeps } from './identity-deps.ts';
import { assertIssuers } from './issuer-settings.ts';
import type { Signed } from './signed.ts';
import type { SigningKeys } from './signing-keys.ts';
import { createWhois, type Whois } from './tailscale.ts';
import type { KnownCaller } from './token-checks.ts';
import type { Tokens } from './tokens.ts';
import { createTurnedAwayLog, type TurnedAwayLog } from './turned-away.ts';

export interface IdentityDomain {
  readonly tokens: Tokens;
  readonly keys: SigningKeys;
  /** The caller behind a token. Rejects with `unauthenticated`, or `unavailable` where it cannot be checked now. */
  readonly bearer: (token: string) => Promise<KnownCaller>;
  readonly whois: Whois;
  readonly issuers: readonly string[];
  readonly turnedAway: TurnedAwayLog;
}

/** Throws `config_invalid`. Touches neither the store nor the network yet. */
export function createIdentity(deps: IdentityDeps): IdentityDomain {
  const { store, audit, settings, onError } = deps;
  const { clock } = store;
  const { tailscale } = settings;
  assertIssuers(settings.issuers);
  // What signs and verifies is loaded by the first who needs it: a stdio server and a command start without it.
  let loaded: Promise<Signed> | undefined;
  const signed = (): Promise<Signed> => {
    loaded ??= import('./signed.ts').then(({ createSigned }) => createSigned(deps));
    return loaded;
  };
  return {
    keys: {
      current: async (actor) => (await signed()).keys.current(actor),
      verifying: async (key_id) => (await signed()).keys.verifying(key_id),
      published: async () => (await signed()).keys.published(),
      rotate: async (actor, revoke_old) => (await signed()).keys.rotate(actor, revoke_old),
    },
    tokens: {
      create: async (actor, request) => (await signed()).tokens.create(actor, request),
      list: async (filter) => (await signed()).tokens.list(filter),
      revoke: async (actor, jti) => (await signed()).tokens.revoke(actor, jti),
    },
    bearer: async (token) => (await signed()).bearer(token),
    whois: tailscale.enabled ? createWhois({ socket: tailscale.socket, clock }) : async () => undefined,
    issuers: settings.issuers.map(({ issuer }) => issuer),
    turnedAway: createTurnedAwayLog({ audit, clock, onError }),
  };
}

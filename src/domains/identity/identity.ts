// Identity put together: how callers that are not the machine's owner prove who they are, and what makes tokens for them.
import type { Database } from '../../storage/database.ts';
import type { KeyRing } from '../../storage/keyring/port.ts';
import type { Audit, AuditTables } from '../audit/index.ts';
import { createIssuers, type IssuerSettings } from './issuers.ts';
import { createOwnTokens } from './own-tokens.ts';
import { createSigningKeys, type SigningKeys } from './signing-keys.ts';
import { createWhois, type Whois } from './tailscale.ts';
import { type KnownCaller, readClaimed, refused } from './token-checks.ts';
import type { TokenTables } from './token-tables.ts';
import { createTokens, type Tokens } from './tokens.ts';
import { createTurnedAwayLog, type TurnedAwayLog } from './turned-away.ts';

/** Of the configuration's section `security`. */
export interface IdentitySettings {
  readonly public_url?: string | undefined;
  readonly issuers: readonly IssuerSettings[];
  readonly tailscale: { readonly enabled: boolean; readonly socket: string };
}

export interface IdentityDeps {
  readonly store: Database<TokenTables & AuditTables>;
  readonly keyring: KeyRing;
  readonly audit: Audit;
  readonly settings: IdentitySettings;
  /** An audit row of a refused request that could not be written. */
  readonly onError: (error: unknown) => void;
}

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
export function createIdentity({ store, keyring, audit, settings, onError }: IdentityDeps): IdentityDomain {
  const { clock } = store;
  const { public_url, tailscale } = settings;
  const keys = createSigningKeys({ store, keyring, audit });
  const own = createOwnTokens({ store: store.withTables<TokenTables>(), keys, public_url });
  const issuers = createIssuers(settings.issuers, { clock });
  return {
    keys,
    tokens: createTokens({ store, keys, audit, public_url }),
    async bearer(token) {
      const claimed = readClaimed(token);
      if (claimed.issuer === own.issuer) return own.verify(token, claimed);
      if (issuers.knows(claimed.issuer)) return issuers.verify(token, claimed.issuer);
      throw refused('The token is of an issuer this hub does not accept.');
    },
    whois: tailscale.enabled ? createWhois({ socket: tailscale.socket, clock }) : async () => undefined,
    issuers: issuers.names,
    turnedAway: createTurnedAwayLog({ audit, clock, onError }),
  };
}

// What signs tokens and verifies them, put together: the part of identity that needs the library for it.
import type { IdentityDeps } from './identity-deps.ts';
import { createIssuers } from './issuers.ts';
import { createOwnTokens } from './own-tokens.ts';
import { createSigningKeys, type SigningKeys } from './signing-keys.ts';
import { type KnownCaller, readClaimed, refused } from './token-checks.ts';
import type { TokenTables } from './token-tables.ts';
import { createTokens, type Tokens } from './tokens.ts';

export interface Signed {
  readonly keys: SigningKeys;
  readonly tokens: Tokens;
  /** The caller behind a token. Whoever issued it is asked for by name: an unknown one costs no request. */
  bearer(token: string): Promise<KnownCaller>;
}

export function createSigned({ store, keyring, audit, settings }: IdentityDeps): Signed {
  const { public_url } = settings;
  const keys = createSigningKeys({ store, keyring, audit });
  const own = createOwnTokens({ store: store.withTables<TokenTables>(), keys, public_url });
  const issuers = createIssuers(settings.issuers, { clock: store.clock });
  return {
    keys,
    tokens: createTokens({ store, keys, audit, public_url }),
    async bearer(token) {
      const claimed = readClaimed(token);
      if (claimed.issuer === own.issuer) return own.verify(token, claimed);
      if (issuers.knows(claimed.issuer)) return issuers.verify(token, claimed.issuer);
      throw refused('The token is of an issuer this hub does not accept.');
    },
  };
}

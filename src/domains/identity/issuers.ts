// Tokens of other issuers: verified by the keys they publish (JWKS, RFC 7517), which are fetched when needed and kept.
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Clock } from '../../kernel/clock.ts';
import { failure, type HaivemindError } from '../../kernel/errors.ts';
import { ID_PATTERN } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import { assertIssuers, type IssuerSettings } from './issuer-settings.ts';
import { knownScopes } from './scopes.ts';
import { checkTimes, explain, type KnownCaller, refused } from './token-checks.ts';

/** Only keys of which the issuer alone has the private half: with HS256 whoever verifies could also sign. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];

export interface IssuersOptions {
  readonly clock: Clock;
  /** After fetching keys, a key that is not among them is not looked for again for so long. */
  readonly cooldown_ms?: number;
}

export interface Issuers {
  knows(issuer: string): boolean;
  /**
   * Rejects with `unauthenticated`, or with `unavailable` where the issuer's keys are wanted and cannot be fetched: a
   * client should keep its token and try again.
   */
  verify(token: string, issuer: string): Promise<KnownCaller>;
}

/** Asks nobody before a token arrives. Throws `config_invalid`. */
export function createIssuers(settings: readonly IssuerSettings[], options: IssuersOptions): Issuers {
  assertIssuers(settings);
  const verifiers = new Map(settings.map((one) => [one.issuer, createVerifier(one, options)]));
  return {
    knows: (issuer) => verifiers.has(issuer),
    async verify(token, issuer) {
      const verifier = verifiers.get(issuer);
      if (!verifier) throw refused('The token is of an issuer this hub does not accept.');
      return verifier(token);
    },
  };
}

function createVerifier(settings: IssuerSettings, { clock, cooldown_ms }: IssuersOptions) {
  const { issuer, audience } = settings;
  const keys = fetchedKeys(settings, cooldown_ms ?? limits.issuer_keys_cooldown_ms);
  return async (token: string): Promise<KnownCaller> => {
    const now_ms = clock.now();
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(token, keys, {
        algorithms: ALGORITHMS,
        issuer,
        audience,
        currentDate: new Date(now_ms),
        clockTolerance: limits.token_clock_tolerance_ms / 1000,
        requiredClaims: ['exp'],
      }));
    } catch (error) {
      throw explain(error, now_ms);
    }
    checkTimes(payload, now_ms);
    return callerOf(payload, settings);
  };
}

/** A failure to fetch is told from a token whose key is not there. */
function fetchedKeys({ issuer, jwks_url }: IssuerSettings, cooldownDuration: number): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(new URL(jwks_url), {
    timeoutDuration: limits.issuer_keys_timeout_ms,
    cooldownDuration,
    cacheMaxAge: limits.issuer_keys_max_age_ms,
  });
  return async (header, token) => {
    try {
      return await remote(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      if (error instanceof errors.JOSENotSupported) throw error;
      throw away(issuer, error);
    }
  };
}

function away(issuer: string, cause: unknown): HaivemindError {
  return failure(
    'unavailable',
    `The keys of the issuer ${issuer} cannot be fetched, so its tokens cannot be checked now.`,
    'Try again; if it lasts, check security.issuers and the connection to the issuer.',
    { cause },
  );
}

function callerOf(payload: JWTPayload, settings: IssuerSettings): KnownCaller {
  const name = payload[settings.user_claim];
  const user_id = typeof name === 'string' && name !== '' ? `${settings.user_prefix}${name}` : '';
  if (user_id.length > limits.id_length_max_chars || !ID_PATTERN.test(user_id))
    throw refused(
      `The claim ${settings.user_claim} of the token is no name of a user here.`,
      'Names are letters, digits and . _ : @ / - ; choose another claim in security.issuers[].user_claim.',
    );
  // Words of theirs that are not ours say nothing about this hub; with any of ours the token is limited to those.
  const scopes = knownScopes(payload.scope);
  return {
    user_id,
    credential: {
      kind: 'issuer',
      admin: settings.admin_users.includes(user_id),
      ...(scopes ? { scopes } : {}),
      ...(typeof payload.jti === 'string' ? { credential_id: payload.jti.slice(0, limits.id_length_max_chars) } : {}),
    },
  };
}

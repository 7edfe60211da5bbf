// What every token has to pass, whoever issued it: its form, its times, and one clear word on why it was refused.
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload } from 'jose';
import { failure, HaivemindError } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import type { Credential } from '../../kernel/operation.ts';

/** Who a caller proved to be. */
export interface KnownCaller {
  readonly user_id: string;
  readonly agent_id?: string;
  readonly machine_id?: string;
  readonly credential: Credential;
}

/** What a token says of itself before anything of it is proved. */
export interface Claimed {
  readonly issuer: string;
  readonly key_id: string | undefined;
}

export function refused(message: string, hint = 'Get a new token from an administrator of this hub.'): HaivemindError {
  return failure('unauthenticated', message, hint);
}

/** Reads who claims to have issued it, to know whom to ask. Throws `unauthenticated` for what is no token. */
export function readClaimed(token: string): Claimed {
  if (token.length > limits.token_length_max_chars)
    throw refused(`The token is longer than ${limits.token_length_max_chars} characters.`);
  // Each text has one spelling: bits that base64 leaves unused would let the same signature be written in several ways.
  if (!token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)) throw noToken();
  try {
    const { iss } = decodeJwt(token);
    const { kid } = decodeProtectedHeader(token);
    if (typeof iss !== 'string') throw noToken();
    return { issuer: iss, key_id: typeof kid === 'string' ? kid : undefined };
  } catch {
    throw noToken();
  }
}

function noToken(): HaivemindError {
  return refused(
    'The Authorization header holds no well-formed JSON Web Token.',
    'Send `Authorization: Bearer <token>`.',
  );
}

/**
 * Checks the times to the second: `exp` without tolerance, `nbf` with a minute's, and `iat` against clocks that are far
 * apart. Throws `unauthenticated`.
 */
export function checkTimes(payload: JWTPayload, now_ms: number): void {
  const { exp, nbf, iat } = payload;
  if (exp === undefined || !Number.isFinite(exp)) throw refused('The token has no end (exp).');
  if (iat !== undefined && iat * 1000 > now_ms + limits.token_clock_skew_max_ms)
    throw refused(
      `The token was made ${Math.round((iat * 1000 - now_ms) / 1000)} s from now: clock far off, here or where it was made.`,
      'Set both clocks by a time server (NTP), then try again.',
    );
  if (exp * 1000 <= now_ms) throw refused(`The token expired at ${momentOf(exp)}.`);
  if (nbf !== undefined && nbf * 1000 > now_ms + limits.token_clock_tolerance_ms)
    throw refused(`The token is not valid before ${momentOf(nbf)}.`, 'Wait until then, or check the clocks.');
}

function momentOf(seconds: number): string {
  const moment = new Date(seconds * 1000);
  return Number.isNaN(moment.getTime()) ? 'an unknown time' : moment.toISOString();
}

/** What the library found, in words; the library's own words may quote the token. */
export function explain(error: unknown, now_ms: number): Error {
  if (error instanceof HaivemindError) return error;
  if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) {
    try {
      checkTimes(error.payload, now_ms);
    } catch (timely) {
      if (timely instanceof HaivemindError) return timely;
    }
    if (error.claim === 'aud')
      return refused('The token was made for another service (aud).', 'Ask for a token with the audience of this hub.');
    return refused(`The token lacks what it needs, or says it wrongly (${error.claim.slice(0, 20)}).`);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return refused('The signature of the token is not that of its issuer.');
  if (error instanceof errors.JOSEAlgNotAllowed) return refused('The token is signed in a way that is not accepted.');
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return refused('The token is signed with a key that its issuer does not publish.');
  if (error instanceof errors.JOSEError || error instanceof TypeError) return refused('The token is not well-formed.');
  return error instanceof Error ? error : new Error('A token could not be checked.');
}

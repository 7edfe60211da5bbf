// Tokens this hub made: signed with one of its keys, for it, in time, still on its list and not revoked.
import { type JWTPayload, jwtVerify } from 'jose';
import { limits } from '../../kernel/limits.ts';
import type { Database } from '../../storage/database.ts';
import { knownScopes } from './scopes.ts';
import { SIGNING_ALGORITHM, type SigningKeys } from './signing-keys.ts';
import { type Claimed, checkTimes, explain, type KnownCaller, refused } from './token-checks.ts';
import type { TokenTables } from './token-tables.ts';
import { audiencesOf, issuerOf } from './tokens.ts';

export interface OwnTokensDeps {
  readonly store: Database<TokenTables>;
  readonly keys: Pick<SigningKeys, 'verifying'>;
  readonly public_url: string | undefined;
}

export interface OwnTokens {
  readonly issuer: string;
  /**
   * Asks the store each time, so that a revoked token ends with the next call on every hub. Rejects with
   * `unauthenticated`, or as every reading of the store.
   */
  verify(token: string, claimed: Claimed): Promise<KnownCaller>;
}

export function createOwnTokens({ store, keys, public_url }: OwnTokensDeps): OwnTokens {
  const issuer = issuerOf(store.store_id);
  const audience = [...audiencesOf(store.store_id, public_url)];
  return {
    issuer,
    async verify(token, claimed) {
      const key = claimed.key_id === undefined ? undefined : await keys.verifying(claimed.key_id);
      if (!key) throw refused('The token is signed with a key this hub does not have, or has no more.');
      const now_ms = store.clock.now();
      let payload: JWTPayload;
      try {
        ({ payload } = await jwtVerify(token, key, {
          algorithms: [SIGNING_ALGORITHM],
          issuer,
          audience,
          currentDate: new Date(now_ms),
          // For `nbf`; `exp` is checked to the second below.
          clockTolerance: limits.token_clock_tolerance_ms / 1000,
          requiredClaims: ['sub', 'jti', 'exp', 'iat', 'nbf'],
        }));
      } catch (error) {
        throw explain(error, now_ms);
      }
      checkTimes(payload, now_ms);
      return callerOf(payload, await rowOf(store, payload.jti));
    },
  };
}

type Row = Awaited<ReturnType<typeof rowOf>>;

async function rowOf(store: Database<TokenTables>, jti: string | undefined) {
  if (jti === undefined) return undefined;
  return store.db
    .selectFrom('tokens')
    .select(['jti', 'user_id', 'agent_id', 'machine_id', 'admin', 'scopes', 'expires_at', 'revoked_at'])
    .where('jti', '=', jti)
    .executeTakeFirst();
}

/** Scopes as a token spells them; undefined where it is not limited. */
function claimOf(scopes: string | null): string | undefined {
  return scopes === null ? undefined : (JSON.parse(scopes) as string[]).join(' ');
}

/** The signature says that the hub wrote this; its list says that it stands by it. Both have to say the same. */
function callerOf(payload: JWTPayload, row: Row): KnownCaller {
  const { sub, agent, machine, admin, scope, exp } = payload;
  const agrees =
    row?.user_id === sub &&
    row?.agent_id === (agent ?? null) &&
    row?.machine_id === (machine ?? null) &&
    claimOf(row.scopes) === scope &&
    Math.floor(Date.parse(row.expires_at) / 1000) === Math.floor(exp ?? 0);
  if (!row || !agrees) throw refused('This hub did not make the token, or has forgotten it.');
  if (row.revoked_at !== null) throw refused(`The token was revoked at ${row.revoked_at}.`);
  const scopes = knownScopes(scope);
  // A scope claim that names nothing we know must narrow, never widen.
  const limited = scope === undefined ? {} : { scopes: scopes ?? [] };
  return {
    user_id: row.user_id,
    ...(row.agent_id === null ? {} : { agent_id: row.agent_id }),
    ...(row.machine_id === null ? {} : { machine_id: row.machine_id }),
    credential: { kind: 'token', admin: admin === true && row.admin === 1, ...limited, credential_id: row.jti },
  };
}

// The hub's own tokens: made, listed, revoked. A token is shown once; the store knows it by its id.
import { SignJWT } from 'jose';
import { toIso } from '../../kernel/clock.ts';
import { decodeCursor, encodeCursor } from '../../kernel/cursor.ts';
import { failure } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import type { Permission, Principal } from '../../kernel/operation.ts';
import type { Database } from '../../storage/database.ts';
import type { Audit, AuditTables } from '../audit/index.ts';
import { SIGNING_ALGORITHM, type SigningKeys } from './signing-keys.ts';
import type { TokenTable, TokenTables } from './token-tables.ts';

const DAY_MS = 86_400_000;

/** `iss` of the tokens of a store, whichever of its hubs made them and under whatever address it is reached. */
export function issuerOf(store_id: string): string {
  return `urn:haivemind:${store_id}`;
}

/** Audiences a hub takes for its own; the first one stands in the tokens it makes. */
export function audiencesOf(store_id: string, public_url: string | undefined): readonly [string, ...string[]] {
  const stable = `haivemind:${store_id}`;
  // Tokens made before the hub had a public address are still its own.
  return public_url === undefined ? [stable] : [public_url, stable];
}

export interface TokenRequest {
  readonly user_id: string;
  readonly agent_id?: string | undefined;
  readonly machine_id?: string | undefined;
  readonly scopes?: readonly Permission[] | undefined;
  readonly admin: boolean;
  readonly days: number;
  readonly label?: string | undefined;
  /** Another hub's public address; absent: this hub's. */
  readonly audience?: string | undefined;
}

export interface TokenRecord {
  readonly jti: string;
  readonly user_id: string;
  readonly agent_id: string | null;
  readonly machine_id: string | null;
  readonly scopes: readonly Permission[] | null;
  readonly admin: boolean;
  readonly label: string | null;
  readonly created_at: string;
  readonly created_by: string;
  readonly expires_at: string;
  readonly revoked_at: string | null;
}

export interface TokenPage {
  readonly tokens: readonly TokenRecord[];
  readonly next_cursor: string | null;
}

export interface TokenFilter {
  readonly user_id?: string | undefined;
  /** Those that have ended and those that were revoked, too. */
  readonly all: boolean;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Tokens {
  /** Makes a token. The text exists in this answer only. Errors: those of the key ring, `conflict`. */
  create(actor: Principal, request: TokenRequest): Promise<{ readonly token: string; readonly record: TokenRecord }>;
  /** Newest first. */
  list(filter: TokenFilter): Promise<TokenPage>;
  /** Ends a token at once, on every hub; again is no error. Rejects with `not_found`. */
  revoke(actor: Principal, jti: string): Promise<TokenRecord>;
}

export interface TokensDeps {
  readonly store: Database<TokenTables & AuditTables>;
  readonly keys: SigningKeys;
  readonly audit: Audit;
  readonly public_url: string | undefined;
}

export function createTokens({ store, keys, audit, public_url }: TokensDeps): Tokens {
  const issuer = issuerOf(store.store_id);
  const [ownAudience] = audiencesOf(store.store_id, public_url);
  return {
    async create(actor, request) {
      const { key_id, key } = await keys.current(actor);
      const row = rowOf(actor, request, store.clock.now());
      const token = await new SignJWT(claimsOf(row))
        .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid: key_id, typ: 'JWT' })
        .setIssuer(issuer)
        .setSubject(row.user_id)
        .setAudience(request.audience ?? ownAudience)
        .setJti(row.jti)
        .setIssuedAt(secondsOf(row.created_at))
        .setNotBefore(secondsOf(row.created_at))
        .setExpirationTime(secondsOf(row.expires_at))
        .sign(key);
      if (token.length > limits.token_length_max_chars)
        throw failure('limit_exceeded', 'The token would be too long.', 'Use shorter names or fewer scopes.');
      await store.write(async (trx) => {
        const signer = await trx
          .selectFrom('signing_keys')
          .select('key_id')
          .where('key_id', '=', key_id)
          .where('retired_at', 'is', null)
          .executeTakeFirst();
        if (!signer) throw failure('conflict', 'The signing key was rotated meanwhile.', 'Make the token again.');
        await trx.insertInto('tokens').values(row).execute();
        await audit.append(trx, actor, { ...entryOf('token.create', row), details: factsOf(row) });
      });
      return { token, record: recordOf(row) };
    },

    list: (filter) => listTokens(store, filter),

    revoke: (actor, jti) =>
      store.write(async (trx) => {
        const row = await trx.selectFrom('tokens').selectAll().where('jti', '=', jti).executeTakeFirst();
        if (!row) throw failure('not_found', 'There is no such token.', 'List the tokens to see their ids.');
        const ended = row.revoked_at ?? toIso(store.clock.now());
        const revoked = { ...row, revoked_at: ended, revoked_by: row.revoked_by ?? actor.user_id };
        const { revoked_at, revoked_by } = revoked;
        await trx.updateTable('tokens').set({ revoked_at, revoked_by }).where('jti', '=', jti).execute();
        await audit.append(trx, actor, entryOf('token.revoke', row));
        return recordOf(revoked);
      }),
  };
}

async function listTokens(store: Database<TokenTables>, filter: TokenFilter): Promise<TokenPage> {
  const now = toIso(store.clock.now());
  let query = store.db.selectFrom('tokens').selectAll();
  if (filter.user_id !== undefined) query = query.where('user_id', '=', filter.user_id);
  if (!filter.all) query = query.where('revoked_at', 'is', null).where('expires_at', '>', now);
  if (filter.cursor !== undefined) {
    const [jti] = decodeCursor(filter.cursor, 2);
    query = query.where('jti', '<', String(jti));
  }
  // The id begins with the time it was made.
  const rows = await query
    .orderBy('jti', 'desc')
    .limit(filter.limit + 1)
    .execute();
  const page = rows.slice(0, filter.limit);
  const last = page.at(-1);
  return {
    tokens: page.map(recordOf),
    next_cursor: rows.length > filter.limit && last ? encodeCursor([last.jti, 0]) : null,
  };
}

function rowOf(actor: Principal, request: TokenRequest, now_ms: number): TokenTable {
  const { user_id, agent_id = null, machine_id = null, scopes, admin, days, label = null } = request;
  // Whole seconds, as the claims have them: what the table says and what the token says is one moment.
  const made_ms = Math.floor(now_ms / 1000) * 1000;
  return {
    jti: newId('tok', now_ms),
    user_id,
    agent_id,
    machine_id,
    scopes: scopes ? JSON.stringify(scopes) : null,
    admin: admin ? 1 : 0,
    label,
    created_at: toIso(made_ms),
    created_by: actor.user_id,
    expires_at: toIso(made_ms + days * DAY_MS),
    revoked_at: null,
    revoked_by: null,
  };
}

function claimsOf(row: TokenTable): Record<string, string | boolean> {
  return {
    ...(row.agent_id === null ? {} : { agent: row.agent_id }),
    ...(row.machine_id === null ? {} : { machine: row.machine_id }),
    ...(row.scopes === null ? {} : { scope: scopesOf(row.scopes).join(' ') }),
    ...(row.admin === 1 ? { admin: true } : {}),
  };
}

function entryOf(action: string, row: TokenTable) {
  const { jti, user_id } = row;
  return { action, target_type: 'token', target_id: jti, result: 'ok', affected_user_id: user_id } as const;
}

function factsOf(row: TokenTable): Readonly<Record<string, string | boolean>> {
  return {
    admin: row.admin === 1,
    expires_at: row.expires_at,
    scope: row.scopes === null ? '*' : scopesOf(row.scopes).join(' '),
  };
}

function recordOf({ revoked_by: _, scopes, admin, ...row }: TokenTable): TokenRecord {
  return { ...row, admin: admin === 1, scopes: scopes === null ? null : scopesOf(scopes) };
}

function scopesOf(stored: string): readonly Permission[] {
  return JSON.parse(stored) as Permission[];
}

function secondsOf(iso: string): number {
  return Date.parse(iso) / 1000;
}

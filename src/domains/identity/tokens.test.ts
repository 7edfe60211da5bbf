// Tokens of the hub: what they prove, and everything that must not pass for one.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { createLocalJWKSet, type JWTPayload, jwtVerify, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fixedKeyRing } from '../../../test/support/fixed-keyring.ts';
import { refusalOf } from '../../../test/support/open-app.ts';
import { openTemporaryDatabase } from '../../../test/support/temporary-database.ts';
import { virtualClock } from '../../kernel/clock.ts';
import type { ErrorBody } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import type { Principal } from '../../kernel/operation.ts';
import { unseal } from '../../kernel/sealing.ts';
import type { Database } from '../../storage/database.ts';
import { type AuditTables, createAudit } from '../audit/index.ts';
import { createIdentity, type IdentityDomain, type TokenTables } from './index.ts';
import type { IssuerSettings } from './issuer-settings.ts';
import type { TokenRequest } from './tokens.ts';

const ADMIN: Principal = {
  user_id: 'ada',
  agent_id: 'cli',
  machine_id: 'm1',
  credential: { kind: 'local', admin: true },
};
const PUBLIC_URL = 'https://hub.example.org';
const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

let clock: ReturnType<typeof virtualClock>;
let database: Database;
let keyring: ReturnType<typeof fixedKeyRing>;
let identity: IdentityDomain;

beforeEach(async () => {
  clock = virtualClock(Date.UTC(2026, 4, 1, 12));
  database = await openTemporaryDatabase({ clock });
  keyring = fixedKeyRing();
  identity = hub();
});
afterEach(() => database.close());

/** A hub of this store. */
function hub(public_url?: string, ring = keyring, issuers: readonly IssuerSettings[] = []): IdentityDomain {
  const store = database.withTables<TokenTables & AuditTables>();
  return createIdentity({
    store,
    keyring: ring,
    audit: createAudit(store),
    settings: { public_url, issuers, tailscale: { enabled: false, socket: '' } },
    onError: (error) => expect(error).toBeUndefined(),
  });
}

const make = async (request: Partial<TokenRequest> = {}) =>
  identity.tokens.create(ADMIN, { user_id: 'bob@example.com', admin: false, days: 90, ...request });

const why = (token: string, at = identity): Promise<ErrorBody> => refusalOf(at.bearer(token));

/** Signed with the hub's own key, with these claims instead of those it would write. */
async function forged(claims: JWTPayload, header: Record<string, unknown> = {}): Promise<string> {
  const { key, key_id } = await identity.keys.current(ADMIN);
  const seconds = Math.floor(clock.now() / 1000);
  const usual = {
    iss: `urn:haivemind:${database.store_id}`,
    aud: `haivemind:${database.store_id}`,
    sub: 'bob@example.com',
    iat: seconds,
    nbf: seconds,
    // As the list has it for tokens of this moment.
    exp: seconds + 90 * 86_400,
  };
  return new SignJWT({ ...usual, ...claims })
    .setProtectedHeader({ alg: 'EdDSA', kid: key_id, typ: 'JWT', ...header })
    .sign(key);
}

describe('a token', () => {
  test('proves user, agent, machine, scopes and administration', async () => {
    const plain = await make();
    expect(await identity.bearer(plain.token)).toEqual({
      user_id: 'bob@example.com',
      credential: { kind: 'token', admin: false, credential_id: plain.record.jti },
    });
    const full = await make({
      agent_id: 'claude',
      machine_id: 'web-1',
      scopes: ['memory.read', 'team.read'],
      admin: true,
    });
    expect(await identity.bearer(full.token)).toEqual({
      user_id: 'bob@example.com',
      agent_id: 'claude',
      machine_id: 'web-1',
      credential: {
        kind: 'token',
        admin: true,
        scopes: ['memory.read', 'team.read'],
        credential_id: full.record.jti,
      },
    });
  });

  test('is verified by anybody with the published keys', async () => {
    const { token, record } = await make({ scopes: ['vault.read'], days: 1 });
    const keys = createLocalJWKSet({ keys: [...(await identity.keys.published())] as never });
    const { payload, protectedHeader } = await jwtVerify(token, keys, { currentDate: new Date(clock.now()) });
    const seconds = clock.now() / 1000;
    expect(payload).toEqual({
      iss: `urn:haivemind:${database.store_id}`,
      aud: `haivemind:${database.store_id}`,
      sub: 'bob@example.com',
      jti: record.jti,
      scope: 'vault.read',
      iat: seconds,
      nbf: seconds,
      exp: seconds + 86_400,
    });
    expect(protectedHeader).toMatchObject({ alg: 'EdDSA', typ: 'JWT' });
    for (const key of await identity.keys.published()) expect(Object.keys(key)).not.toContain('d');
  });

  test('is nowhere in the store, nor is the private key', async () => {
    const { token } = await make({ label: 'laptop' });
    const tables = ['tokens', 'signing_keys', 'audit_log', 'audit_details', 'audit_subjects'] as const;
    const db = database.withTables<TokenTables & AuditTables>().db;
    const rows = await Promise.all(tables.map((table) => db.selectFrom(table).selectAll().execute()));
    const cells = rows.flat().flatMap((row) => Object.values(row));
    const held = Buffer.concat(cells.map((cell) => Buffer.from(cell instanceof Uint8Array ? cell : String(cell))));
    for (const part of token.split('.').slice(1)) expect(held.includes(part)).toBe(false);
    const [row] = await db.selectFrom('signing_keys').selectAll().execute();
    const master = await keyring.current();
    const plain = unseal(master.key, row?.wrapped ?? Buffer.alloc(0), ['signing-key', row?.key_id ?? '']);
    const { d, x } = JSON.parse(plain.toString());
    expect(held.includes(x)).toBe(true);
    for (const secret of [d, Buffer.from(d, 'base64url'), Buffer.from(d, 'base64url').toString('hex')])
      expect(held.includes(secret)).toBe(false);
  });

  test('is verified without the master key', async () => {
    const { token } = await make();
    const locked = hub(undefined, {
      place: 'nowhere',
      current: () => Promise.reject(new Error('locked')),
      find: () => Promise.reject(new Error('locked')),
      rotate: () => Promise.reject(new Error('locked')),
    });
    expect(await locked.bearer(token)).toMatchObject({ user_id: 'bob@example.com' });
    await expect(locked.tokens.create(ADMIN, { user_id: 'eve', admin: false, days: 1 })).rejects.toThrow('locked');
  });
});

describe('what does not pass', () => {
  test('a token with any character changed', async () => {
    const { token } = await make({ scopes: ['memory.read'] });
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ~é\u0000';
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...alphabet), async (at, character) => {
        fc.pre(token[at] !== character);
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        expect(await why(changed)).toMatchObject({ code: 'unauthenticated' });
      }),
      { numRuns: 400 },
    );
    // The last character has bits that base64 does not use: each of its spellings is another text.
    for (const last of alphabet)
      if (last !== token.at(-1)) expect((await why(token.slice(0, -1) + last)).code).toBe('unauthenticated');
    expect(await identity.bearer(token)).toMatchObject({ user_id: 'bob@example.com' });
  });

  test('parts of two tokens, texts around one, and anything else', async () => {
    const [a, b] = [(await make()).token.split('.'), (await make({ admin: true })).token.split('.')];
    const mixed = [
      `${a[0]}.${b[1]}.${a[2]}`,
      `${a[0]}.${a[1]}.`,
      `${a[0]}.${a[1]}`,
      `${a.join('.')}.`,
      ` ${a.join('.')}`,
    ];
    for (const text of [...mixed, '', '.', '..', 'x', '{}', `${a.join('.')}\n`])
      expect(await why(text)).toMatchObject({ code: 'unauthenticated' });
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), async (text) => {
        expect(await why(text)).toMatchObject({ code: 'unauthenticated' });
      }),
      { numRuns: 100 },
    );
    const { message } = await why(`${a.join('.')}${'A'.repeat(limits.token_length_max_chars)}`);
    expect(message).toContain(String(limits.token_length_max_chars));
  });

  test('no signature, or one by HMAC with the public key', async () => {
    const { record, token } = await make();
    const [published] = await identity.keys.published();
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    expect(claims.jti).toBe(record.jti);
    expect(await why(new UnsecuredJWT(claims).encode())).toMatchObject({ code: 'unauthenticated' });
    const x = String(published?.x);
    const asPem = Buffer.from(`-----BEGIN PUBLIC KEY-----\n${x}\n-----END PUBLIC KEY-----\n`);
    for (const secret of [Buffer.from(x, 'base64url'), Buffer.from(x), Buffer.from(JSON.stringify(published)), asPem])
      for (const alg of ['HS256', 'HS384', 'HS512']) {
        const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: `SHA-${alg.slice(2)}` }, false, [
          'sign',
        ]);
        const head = Buffer.from(JSON.stringify({ alg, kid: published?.kid, typ: 'JWT' })).toString('base64url');
        const body = `${head}.${token.split('.')[1]}`;
        const mac = Buffer.from(await crypto.subtle.sign('HMAC', key, Buffer.from(body))).toString('base64url');
        expect((await why(`${body}.${mac}`)).message).toContain('not accepted');
      }
  });

  test('a signed one the hub never made, or made otherwise', async () => {
    const { record } = await make({ agent_id: 'claude' });
    const { jti } = record;
    expect(await identity.bearer(await forged({ jti, agent: 'claude' }))).toMatchObject({ agent_id: 'claude' });
    const wrong: JWTPayload[] = [
      { jti: 'tok_00000000000000000000000000', agent: 'claude' },
      { jti, agent: 'claude', sub: 'ada' },
      { jti, agent: 'other' },
      { jti },
      { jti, agent: 'claude', machine: 'm9' },
      { jti, agent: 'claude', scope: 'memory.read' },
      { jti, agent: 'claude', scope: 'nothing.known' },
      { jti, agent: 'claude', exp: Math.floor(clock.now() / 1000) + 91 * 86_400 },
    ];
    for (const claims of wrong) expect((await why(await forged(claims))).message).toContain('did not make');
    expect((await why(await forged({ agent: 'claude' }))).message).toContain('(jti)');
    // What the list does not know of is not had by a stolen signing key either.
    const admin = await identity.bearer(await forged({ jti, agent: 'claude', admin: true }));
    expect(admin.credential.admin).toBe(false);
  });

  test('one of another key, another issuer, or for another audience', async () => {
    const { record } = await make();
    const { jti } = record;
    expect((await why(await forged({ jti }, { kid: 'unknown' }))).message).toContain('does not have');
    expect((await why(await forged({ jti }, { kid: undefined }))).message).toContain('does not have');
    expect((await why(await forged({ jti, iss: 'https://elsewhere.example' }))).message).toContain('issuer');
    expect((await why(await forged({ jti, aud: 'haivemind:other' }))).message).toContain('another service');
  });

  test('an audience the hub does not go by', async () => {
    const earlier = await make();
    const named = hub(PUBLIC_URL);
    const { token } = await named.tokens.create(ADMIN, { user_id: 'bob', admin: false, days: 1 });
    expect(await named.bearer(token)).toMatchObject({ user_id: 'bob' });
    expect(await named.bearer(earlier.token)).toMatchObject({ user_id: 'bob@example.com' });
    expect((await why(token)).message).toContain('another service');
    const elsewhere = await make({ audience: PUBLIC_URL });
    expect(await named.bearer(elsewhere.token)).toMatchObject({ user_id: 'bob@example.com' });
    expect((await why(elsewhere.token)).message).toContain('another service');
  });
});

test('whom a token names as its issuer decides who is asked; nobody can take the place of the hub', async () => {
  const { token } = await make();
  const own = `urn:haivemind:${database.store_id}`;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end('{"keys":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const usual = {
      audience: `haivemind:${database.store_id}`,
      user_claim: 'sub',
      user_prefix: '',
      admin_users: ['bob@example.com'],
    };
    const named = ['https://login.example.org', own].map((issuer, i) => ({
      ...usual,
      issuer,
      jwks_url: `${base}/${i}`,
    }));
    const at = hub(undefined, keyring, named);
    expect(at.issuers).toEqual(['https://login.example.org', own]);
    expect((await at.bearer(token)).credential).toMatchObject({ kind: 'token', admin: false });
    expect((await why(await forged({ iss: 'https://elsewhere.example' }), at)).message).toContain('does not accept');
    expect(asked).toEqual([]);
    const theirs = await forged({ iss: 'https://login.example.org' });
    expect((await why(theirs, at)).message).toContain('does not publish');
    expect(asked).toEqual(['/0']);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

describe('time', () => {
  test('a token ends to the second, whatever the milliseconds', async () => {
    clock.advance(617);
    const { token, record } = await make({ days: 1 });
    const left_ms = Date.parse(record.expires_at) - clock.now();
    expect(left_ms).toBe(DAY_MS - 617);
    clock.advance(left_ms - 1);
    expect(await identity.bearer(token)).toMatchObject({ user_id: 'bob@example.com' });
    clock.advance(1);
    expect(await why(token)).toMatchObject({
      code: 'unauthenticated',
      message: `The token expired at ${record.expires_at}.`,
    });
  });

  test('one that begins later has a minute of tolerance, its end has none', async () => {
    const { record } = await make();
    const { jti } = record;
    const seconds = clock.now() / 1000;
    expect(await identity.bearer(await forged({ jti, nbf: seconds + 60 }))).toBeDefined();
    expect((await why(await forged({ jti, nbf: seconds + 61 }))).message).toContain('not valid before');
    expect((await why(await forged({ jti, exp: seconds }))).message).toContain('expired');
    expect((await why(await forged({ jti, exp: seconds - 30 }))).message).toContain('expired');
    for (const claim of ['exp', 'nbf', 'iat', 'sub'])
      expect((await why(await forged({ jti, [claim]: undefined }))).message).toContain(`(${claim})`);
    for (const exp of ['9999999999', Number.MAX_VALUE, -1, null] as never[])
      expect((await why(await forged({ jti, exp, iat: exp }))).code).toBe('unauthenticated');
  });

  test('one from the future says that the clocks differ', async () => {
    const { token } = await make();
    clock.advance(-limits.token_clock_skew_max_ms);
    expect((await why(token)).message).toContain('not valid before');
    clock.advance(-SECOND_MS);
    const refusal = await why(token);
    expect(refusal.message).toContain('clock far off');
    expect(refusal.hint).toContain('NTP');
  });
});

describe('the keys', () => {
  const rows = () => database.withTables<TokenTables>().db.selectFrom('signing_keys').selectAll().execute();

  test('there is one, however many first tokens are made at once', async () => {
    expect(await identity.keys.published()).toEqual([]);
    const made = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        (i % 2 ? identity : hub()).tokens.create(ADMIN, { user_id: `u${i}`, admin: false, days: 1 }),
      ),
    );
    for (const [i, { token }] of made.entries())
      expect(await identity.bearer(token)).toMatchObject({ user_id: `u${i}` });
    expect(await rows()).toHaveLength(1);
  });

  test('an earlier one verifies until its last token has ended, and never signs again', async () => {
    const before = await make({ days: limits.token_life_max_days });
    const [old] = await rows();
    clock.advance(DAY_MS);
    const { key_id, verifying_key_ids, revoked_tokens } = await identity.keys.rotate(ADMIN, false);
    expect({ verifying_key_ids, revoked_tokens }).toEqual({ verifying_key_ids: [old?.key_id], revoked_tokens: 0 });
    const after = await make();
    for (const { token } of [before, after]) expect(await hub().bearer(token)).toBeDefined();
    const published = await identity.keys.published();
    expect(published.map(({ kid }) => kid)).toEqual([key_id, old?.key_id]);
    const kept = (await rows()).find((row) => row.key_id === old?.key_id);
    expect(kept?.retired_at).not.toBeNull();
    expect(kept?.wrapped).toHaveLength(0);

    clock.advance(limits.token_life_max_ms - 1);
    expect((await identity.keys.published()).map(({ kid }) => kid)).toContain(old?.key_id);
    clock.advance(1);
    expect((await identity.keys.published()).map(({ kid }) => kid)).toEqual([key_id]);
    await identity.keys.rotate(ADMIN, false);
    expect((await rows()).map((row) => row.key_id)).not.toContain(old?.key_id);
  });

  test('it can end at once, with all its tokens', async () => {
    const { token, record } = await make();
    await identity.keys.rotate(ADMIN, false);
    const { verifying_key_ids, revoked_tokens } = await identity.keys.rotate(ADMIN, true);
    expect({ verifying_key_ids, revoked_tokens }).toEqual({ verifying_key_ids: [], revoked_tokens: 1 });
    expect((await why(token, hub())).message).toContain('no more');
    const { tokens } = await identity.tokens.list({ all: true, limit: 10 });
    expect(tokens).toMatchObject([{ jti: record.jti, revoked_at: expect.any(String) }]);
    expect(await identity.bearer((await make()).token)).toBeDefined();
  });

  test('a new master key leaves them readable; a lost one says what to do', async () => {
    await make();
    await keyring.rotate();
    const { token } = await make();
    expect(await identity.bearer(token)).toBeDefined();
    const stranger = hub(undefined, fixedKeyRing());
    await keyring.rotate();
    const lost = { ...fixedKeyRing(), find: async () => undefined };
    const refusal = await refusalOf(hub(undefined, lost).tokens.create(ADMIN, { user_id: 'x', admin: false, days: 1 }));
    expect(refusal).toMatchObject({ code: 'unavailable', hint: expect.stringContaining('rotate-key') });
    await expect(stranger.tokens.create(ADMIN, { user_id: 'x', admin: false, days: 1 })).rejects.toMatchObject({
      code: 'storage_corrupt',
    });
    await hub(undefined, lost).keys.rotate(ADMIN, false);
    expect(await identity.bearer(token)).toBeDefined();
  });
});

// Tokens of other issuers, against a real server that publishes their keys.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { refusalOf } from '../../../test/support/open-app.ts';
import { virtualClock } from '../../kernel/clock.ts';
import type { ErrorBody } from '../../kernel/errors.ts';
import type { IssuerSettings } from './issuer-settings.ts';
import { createIssuers, type Issuers } from './issuers.ts';

const ISSUER = 'https://login.example.org/';
const AUDIENCE = 'haivemind-hub';

interface Signer {
  readonly kid: string;
  readonly alg: string;
  readonly private_key: CryptoKey;
  readonly jwk: Readonly<Record<string, unknown>>;
}

let server: Server;
let url: string;
let clock: ReturnType<typeof virtualClock>;
let signer: Signer;
/** What the issuer answers with, and how often it was asked. */
let published: unknown;
let status: number;
let asked: number;

async function newSigner(kid: string, alg = 'RS256'): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, private_key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

beforeEach(async () => {
  clock = virtualClock(Date.UTC(2026, 4, 1, 12));
  signer = await newSigner('first');
  published = { keys: [signer.jwk] };
  status = 200;
  asked = 0;
  server = createServer((_, response) => {
    asked += 1;
    response.writeHead(status, { 'content-type': 'application/json', location: '/elsewhere' });
    response.end(JSON.stringify(published));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
});
afterEach(() => closed());

function closed(): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function accept(settings: Partial<IssuerSettings> = {}, cooldown_ms?: number): Issuers {
  const usual = {
    issuer: ISSUER,
    jwks_url: url,
    audience: AUDIENCE,
    user_claim: 'sub',
    user_prefix: '',
    admin_users: [],
  };
  return createIssuers([{ ...usual, ...settings }], { clock, ...(cooldown_ms === undefined ? {} : { cooldown_ms }) });
}

function sign(claims: Record<string, unknown> = {}, by = signer): Promise<string> {
  const seconds = Math.floor(clock.now() / 1000);
  const usual = { iss: ISSUER, aud: AUDIENCE, sub: 'bob', iat: seconds, exp: seconds + 600 };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: by.alg, kid: by.kid }).sign(by.private_key);
}

const why = (issuers: Issuers, token: string): Promise<ErrorBody> => refusalOf(issuers.verify(token, ISSUER));

describe('a token of another issuer', () => {
  test('names the user by the claim and the prefix that were configured', async () => {
    expect(await accept().verify(await sign({ jti: 'abc' }), ISSUER)).toEqual({
      user_id: 'bob',
      credential: { kind: 'issuer', admin: false, credential_id: 'abc' },
    });
    const named = accept({ user_claim: 'email', user_prefix: 'corp:', admin_users: ['corp:ann@example.org'] });
    const ann = await named.verify(await sign({ email: 'ann@example.org', admin: true }), ISSUER);
    expect(ann).toEqual({ user_id: 'corp:ann@example.org', credential: { kind: 'issuer', admin: true } });
    const bob = await named.verify(await sign({ email: 'bob@example.org', admin: true, agent: 'x' }), ISSUER);
    expect(bob).toEqual({ user_id: 'corp:bob@example.org', credential: { kind: 'issuer', admin: false } });
  });

  test.each([undefined, 7, '', 'two words', 'auth0|1', '\u202eevil', ['a'], 'x'.repeat(200)])(
    'is refused where that claim is %j',
    async (email) => {
      const { code, message, hint } = await why(accept({ user_claim: 'email' }), await sign({ email }));
      expect({ code, message }).toEqual({ code: 'unauthenticated', message: expect.stringContaining('email') });
      expect(hint).toContain('user_claim');
    },
  );

  test('is limited to the permissions among its scopes, if there are any', async () => {
    const scopesOf = async (scope: unknown) => (await accept().verify(await sign({ scope }), ISSUER)).credential.scopes;
    expect(await scopesOf('openid memory.read profile mode')).toEqual(['memory.read', 'mode.read', 'mode.write']);
    expect(await scopesOf(['vault.read', 'x'])).toEqual(['vault.read']);
    for (const none of ['openid profile', undefined, 7, null]) expect(await scopesOf(none)).toBeUndefined();
  });

  test.each(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'])('may be signed by %s', async (alg) => {
    const other = await newSigner('other', alg);
    published = { keys: [signer.jwk, other.jwk] };
    expect(await accept().verify(await sign({}, other), ISSUER)).toMatchObject({ user_id: 'bob' });
  });

  test('ends to the second', async () => {
    const issuers = accept();
    const token = await sign();
    clock.advance(599_999);
    expect(await issuers.verify(token, ISSUER)).toMatchObject({ user_id: 'bob' });
    clock.advance(1);
    expect((await why(issuers, token)).message).toContain('expired');
  });
});

describe('what is refused', () => {
  test('another issuer, audience or time, and none', async () => {
    const issuers = accept();
    const seconds = clock.now() / 1000;
    const wrong: readonly (readonly [Record<string, unknown>, string])[] = [
      [{ iss: 'https://login.example.org' }, '(iss)'],
      [{ aud: 'another' }, 'another service'],
      [{ aud: undefined }, 'another service'],
      [{ exp: undefined }, 'no end'],
      [{ iat: seconds + 301, nbf: undefined }, 'clock far off'],
      [{ nbf: seconds + 61 }, 'not valid before'],
    ];
    for (const [claims, message] of wrong)
      expect(await why(issuers, await sign(claims))).toMatchObject({
        code: 'unauthenticated',
        message: expect.stringContaining(message),
      });
  });

  test('a key that is not published, and an algorithm with a shared secret', async () => {
    const issuers = accept();
    const stranger = await newSigner('stranger');
    expect((await why(issuers, await sign({}, stranger))).message).toContain('does not publish');
    const impostor = { ...stranger, kid: 'first' };
    expect((await why(issuers, await sign({}, impostor))).message).toContain('signature');
    const secret = Buffer.from(JSON.stringify(signer.jwk));
    const hmac = await new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: 'bob', exp: clock.now() / 1000 + 60 })
      .setProtectedHeader({ alg: 'HS256', kid: 'first' })
      .sign(secret);
    expect((await why(issuers, hmac)).message).toContain('not accepted');
  });

  test('an issuer nobody configured, without asking anybody', async () => {
    const issuers = accept();
    expect(await refusalOf(issuers.verify(await sign(), 'https://elsewhere.example'))).toMatchObject({
      code: 'unauthenticated',
    });
    expect(asked).toBe(0);
  });
});

describe('the keys of an issuer', () => {
  test('are fetched once, and again for a key that is new', async () => {
    const issuers = accept({}, 0);
    for (let i = 0; i < 5; i++) await issuers.verify(await sign(), ISSUER);
    expect(asked).toBe(1);
    const next = await newSigner('second', 'ES256');
    published = { keys: [next.jwk] };
    expect(await issuers.verify(await sign({}, next), ISSUER)).toMatchObject({ user_id: 'bob' });
    expect(asked).toBe(2);
    expect((await why(issuers, await sign())).message).toContain('does not publish');
  });

  test('are not asked for by every unknown key', async () => {
    const issuers = accept();
    await issuers.verify(await sign(), ISSUER);
    const stranger = await newSigner('stranger');
    for (let i = 0; i < 10; i++) await why(issuers, await sign({}, { ...stranger, kid: `k${i}` }));
    expect(asked).toBe(1);
  });

  test.each([
    ['an error', 500, {}],
    ['a redirect', 302, {}],
    ['no keys', 200, { hello: 'world' }],
    ['no JSON object', 200, 'x'],
  ])('answered with %s: the token may be good, so it is not refused for good', async (_, code, body) => {
    status = code;
    published = body;
    const issuers = accept();
    const refusal = await why(issuers, await sign());
    expect(refusal).toMatchObject({ code: 'unavailable', message: expect.stringContaining(ISSUER) });
    status = 200;
    published = { keys: [signer.jwk] };
    expect(await issuers.verify(await sign(), ISSUER)).toMatchObject({ user_id: 'bob' });
  });

  test('of an issuer that is away', async () => {
    await closed();
    expect(await why(accept(), await sign())).toMatchObject({ code: 'unavailable' });
    server.listen(0);
  });

  test.each([
    'http://login.example.org/keys',
    'ftp://localhost/keys',
    'http://127.0.0.1.example.org/',
    'http://10.0.0.1/',
  ])('are not fetched from %s', async (jwks_url) => {
    expect(await refusalOf((async () => accept({ jwks_url }))())).toMatchObject({ code: 'config_invalid' });
  });

  test.each(['https://login.example.org/keys', 'http://localhost:1/keys', 'http://[::1]:1/keys'])(
    'may be fetched from %s',
    (jwks_url) => {
      expect(accept({ jwks_url }).knows(ISSUER)).toBe(true);
    },
  );

  test('of one issuer are configured once', async () => {
    const one = { issuer: ISSUER, jwks_url: url, audience: 'a', user_claim: 'sub', user_prefix: '', admin_users: [] };
    const twice = async () => createIssuers([one, one], { clock });
    expect(await refusalOf(twice())).toMatchObject({ code: 'config_invalid' });
  });
});

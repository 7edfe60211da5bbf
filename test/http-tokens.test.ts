// Tokens of the hub itself over HTTP, with its clock in the test's hand: made, used, expired to the second, revoked.
import { expect, it } from 'vitest';
import { type HttpServer, startHttp } from '../src/surfaces/http/server.ts';
import { type App, openApp } from './support/open-app.ts';

const DAY_MS = 86_400_000;
const JSON_TYPE = { 'content-type': 'application/json' };

interface Hub {
  readonly app: App;
  readonly http: HttpServer;
  /** As the owner of the machine. */
  own(method: string, path: string, body?: object): Promise<Response>;
  as(token: string, path: string): Promise<Response>;
  stop(): Promise<void>;
}

async function startHub(): Promise<Hub> {
  const app = await openApp({ role: 'server' });
  const http = await startHttp(app.runtime, {
    host: '127.0.0.1',
    port: 0,
    trustLoopback: true,
    allowedHosts: [],
    recheckMs: 20,
    clock: app.clock,
  });
  const base = `http://127.0.0.1:${http.port}`;
  return {
    app,
    http,
    own: (method, path, body) =>
      fetch(`${base}${path}`, { method, ...(body ? { headers: JSON_TYPE, body: JSON.stringify(body) } : {}) }),
    as: (token, path) => fetch(`${base}${path}`, { headers: { authorization: `Bearer ${token}` } }),
    async stop() {
      await http.close();
      await app[Symbol.asyncDispose]();
    },
  };
}

async function tokenFor(hub: Hub, fields: object): Promise<{ token: string; jti: string }> {
  const made = await hub.own('POST', '/api/v1/tokens', fields);
  expect(made.status).toBe(201);
  return (await made.json()) as { token: string; jti: string };
}

it('expires to the second, and takes its streams along', async () => {
  const hub = await startHub();
  const { token } = await tokenFor(hub, { user: 'bob', days: 1 });
  const stream = await hub.as(token, '/sse');
  expect(stream.status).toBe(200);
  hub.app.clock.advance(DAY_MS - 1_000);
  expect((await hub.as(token, '/api/v1/teams')).status).toBe(200);
  hub.app.clock.advance(1_000);
  const late = await hub.as(token, '/api/v1/teams');
  expect(late.status).toBe(401);
  expect(late.headers.get('www-authenticate')).toContain('error="invalid_token"');
  expect(await late.json()).toMatchObject({ code: 'unauthenticated', message: expect.stringMatching(/expired/i) });
  await expect(stream.text()).rejects.toThrow();
  await hub.stop();
});

it('ends at once when it is revoked, and a changed one never begins', async () => {
  const hub = await startHub();
  const { token, jti } = await tokenFor(hub, { user: 'bob', machine: 'laptop', scope: ['memory.read', 'system.read'] });
  expect((await hub.as(token, '/api/v1/memories/recent')).status).not.toBe(401);
  expect((await hub.as(token, '/metrics')).status).toBe(403);
  expect((await hub.as(token, '/api/v1/tokens')).status).toBe(403);
  const parts = token.split('.');
  const claims = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  for (const change of [{ sub: 'root' }, { admin: true }, { exp: 4_000_000_000 }, { scope: '' }]) {
    const changed = Buffer.from(JSON.stringify({ ...claims, ...change })).toString('base64url');
    expect((await hub.as([parts[0], changed, parts[2]].join('.'), '/health')).status).toBe(401);
  }
  const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
  expect((await hub.as(`${unsigned}.${parts[1]}.`, '/health')).status).toBe(401);
  expect((await hub.own('POST', '/api/v1/operations/revoke_token', { jti })).status).toBe(200);
  expect((await hub.as(token, '/metrics')).status).toBe(401);
  await hub.stop();
});

it('is verified with the keys the hub publishes, which say nothing secret', async () => {
  const hub = await startHub();
  await tokenFor(hub, { user: 'bob' });
  const { keys } = (await (await hub.own('GET', '/.well-known/jwks.json')).json()) as { keys: object[] };
  expect(keys.length).toBeGreaterThan(0);
  for (const key of keys) {
    expect(key).toMatchObject({ kty: 'OKP', crv: 'Ed25519' });
    expect(key).not.toHaveProperty('d');
  }
  await hub.stop();
});

it('leaves refused requests on the audit log', async () => {
  const hub = await startHub();
  await hub.as('made-up', '/health');
  const refused = () => hub.app.rows("select action, result from audit_log where result = 'refused'");
  await expect.poll(async () => (await refused()).length).toBe(1);
  await hub.stop();
});

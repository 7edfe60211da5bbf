// Who a request is taken for: tokens, forwarded requests, refusals, scopes, and what the hub says of itself as a resource.
import { networkInterfaces } from 'node:os';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../src/kernel/limits.ts';
import { startHttp } from '../src/surfaces/http/server.ts';
import { startSyncHttp } from '../src/surfaces/http/sync-server.ts';
import { tinyRuntime } from './support/tiny-runtime.ts';
import { bearer, call, INITIALIZE, OPTIONS, startTokenHub, type TokenHub } from './support/token-hub.ts';

/** Of this machine, and not loopback. */
const own_address = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address;

let hub: TokenHub;
beforeAll(async () => {
  hub = await startTokenHub();
});
afterAll(() => hub[Symbol.asyncDispose]());
beforeEach(() => void hub.book.away.splice(0));

describe('a caller', () => {
  it('is the user of its token, with what the token fixes', async () => {
    const headers = { 'x-haivemind-agent': 'claude', 'x-haivemind-machine': 'laptop' };
    expect((await hub.ask('/api/v1/notes', { ...bearer(hub.book.give('ada')), ...headers })).status).toBe(200);
    expect(hub.lastPrincipal()).toMatchObject({ user_id: 'ada', agent_id: 'claude', machine_id: 'laptop' });
    expect(hub.lastPrincipal()?.credential).toMatchObject({ kind: 'token', admin: false });
    const fixed = bearer(hub.book.give('ada', { agent_id: 'ci', machine_id: 'builder' }));
    await hub.ask('/api/v1/notes', { ...fixed, ...headers });
    expect(hub.lastPrincipal()).toMatchObject({ user_id: 'ada', agent_id: 'ci', machine_id: 'builder' });
    await hub.ask('/api/v1/notes', bearer(hub.book.give('ada')));
    expect(hub.lastPrincipal()).toMatchObject({ machine_id: 'remote:127.0.0.1' });
  });

  it.each(['x-haivemind-user', 'x-haivemind-user-id', 'x-remote-user', 'x-forwarded-user', 'tailscale-user-login'])(
    'is nobody by the header %s',
    async (name) => {
      expect((await hub.ask('/api/v1/notes', { [name]: 'root' })).status).toBe(401);
      await hub.ask('/api/v1/notes', { ...bearer(hub.book.give('ada')), [name]: 'root' });
      expect(hub.lastPrincipal()).toMatchObject({ user_id: 'ada' });
    },
  );

  it('names a machine as machines are named, or none', async () => {
    const headers = { ...bearer(hub.book.give('ada')), 'x-haivemind-machine': 'a machine/..' };
    expect((await hub.ask('/api/v1/notes', headers)).status).toBe(400);
    expect((await hub.rpc(headers, INITIALIZE)).status).toBe(400);
  });

  it('with a wrong token is refused on trusted loopback too', async () => {
    const trusting = await startHttp(hub.tiny.runtime, { ...OPTIONS, trustLoopback: true });
    const url = `http://127.0.0.1:${trusting.port}/api/v1/notes`;
    expect((await fetch(url)).status).toBe(200);
    expect(hub.lastPrincipal()).toMatchObject({ user_id: 'tester' });
    expect((await fetch(url, { headers: bearer('wrong') })).status).toBe(401);
    expect((await fetch(url, { headers: bearer(hub.book.give('ada')) })).status).toBe(200);
    expect(hub.lastPrincipal()).toMatchObject({ user_id: 'ada' });
    await trusting.close();
  });

  it('with the key of this hub is the owner, from this machine itself alone', async () => {
    const key = bearer(hub.tiny.runtime.owner_key);
    expect((await hub.ask('/api/v1/notes', key)).status).toBe(200);
    expect(hub.lastPrincipal()).toMatchObject({ user_id: 'tester', machine_id: 'here' });
    expect((await hub.ask('/api/v1/notes', { ...key, 'x-forwarded-for': '127.0.0.1' })).status).toBe(401);
    expect((await hub.ask('/api/v1/notes', bearer(`${hub.tiny.runtime.owner_key}x`))).status).toBe(401);
    const health = await hub.ask('/health', key);
    expect(health.status).toBe(200);
  });

  it.skipIf(own_address === undefined)(
    'with that key is the owner at an own address of the network too (skipped on a machine that has none)',
    async () => {
      const server = await startHttp(hub.tiny.runtime, { ...OPTIONS, host: own_address ?? '' });
      const url = `http://${own_address}:${server.port}/api/v1/notes`;
      const status = async (headers: Record<string, string>) => (await fetch(url, { headers })).status;
      const key = bearer(hub.tiny.runtime.owner_key);
      expect(await status(key)).toBe(200);
      expect(hub.lastPrincipal()).toMatchObject({ user_id: 'tester', machine_id: 'here' });
      expect(await status({})).toBe(401);
      expect(await status(bearer(`${hub.tiny.runtime.owner_key}x`))).toBe(401);
      expect(await status({ ...key, 'x-forwarded-for': '203.0.113.9' })).toBe(401);
      await server.close();
    },
  );

  it('is a peer of no tailnet on loopback, and comes with a token through a proxy', async () => {
    const peers: string[] = [];
    const identities = {
      ...hub.book.identities,
      peer: async (address: string) => {
        peers.push(address);
        return { user_id: 'peer@example', credential: { kind: 'tailscale', admin: false } as const };
      },
    };
    const own = tinyRuntime(hub.hubs, { identities });
    const server = await startHttp(own.runtime, OPTIONS);
    const url = `http://127.0.0.1:${server.port}/api/v1/notes`;
    expect((await fetch(url)).status).toBe(401);
    const forwarded = { 'x-forwarded-for': '203.0.113.9' };
    expect((await fetch(url, { headers: forwarded })).status).toBe(401);
    expect(peers).toEqual([]);
    const token = bearer(hub.book.give('ada'));
    expect((await fetch(url, { headers: { ...forwarded, ...token } })).status).toBe(200);
    await server.close();
  });
});

describe('a refusal', () => {
  const malformed: [string, Record<string, string | string[]>, string][] = [
    ['Basic', { authorization: 'Basic YWRhOnB3' }, ''],
    ['nothing after the scheme', { authorization: 'Bearer' }, ''],
    ['two tokens in one', { authorization: 'Bearer one two' }, ''],
    ['two tokens joined', { authorization: 'Bearer one, Bearer two' }, ''],
    ['two headers', { authorization: ['Bearer one', 'Bearer two'] }, ''],
    ['a long one', { authorization: `Bearer ${'x'.repeat(limits.token_length_max_chars + 1)}` }, ''],
    ['one in the query', {}, '?access_token=one'],
  ];
  it.each(malformed)('of a credential that is none (%s) says so, the same way', async (_name, headers, query) => {
    const answer = await hub.raw(`/api/v1/notes${query}`, headers);
    expect(answer.status).toBe(401);
    expect(answer.challenge).toContain('error="invalid_request"');
    expect(JSON.parse(answer.text)).toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('cannot be read'),
      hint: expect.stringContaining('Authorization: Bearer'),
    });
    expect(answer.text).not.toContain('YWRhOnB3');
    await expect
      .poll(() => hub.book.away)
      .toEqual([{ reason: 'malformed_authorization', remote_address: '127.0.0.1' }]);
  });

  it('says where tokens come from, and is the same whatever user there is', async () => {
    const nothing = await hub.ask('/api/v1/notes');
    const metadata = `resource_metadata="${hub.base}/.well-known/oauth-protected-resource"`;
    expect(nothing.headers.get('www-authenticate')).toBe(`Bearer realm="haivemind", ${metadata}`);
    hub.book.give('ada');
    const answers = await Promise.all(
      ['ada', 'nobody-of-that-name'].map(async (user) => {
        const answer = await hub.ask(`/api/v1/notes?user_id=${user}`, bearer(`made-up-${user}`));
        expect(answer.headers.get('www-authenticate')).toContain(`${metadata}, error="invalid_token"`);
        expect(answer.headers.get('www-authenticate')).toContain(
          'error_description="The token is not accepted any more."',
        );
        const { instance: _, ...body } = (await answer.json()) as Record<string, unknown>;
        return body;
      }),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(JSON.stringify(answers)).not.toMatch(/ada|made-up/);
  });

  it('is put on record with its reason, that of a probe is not', async () => {
    await hub.ask('/api/v1/notes');
    await hub.ask('/api/v1/notes', bearer('wrong'));
    await hub.raw('/api/v1/notes', { host: 'evil.example' });
    await hub.ask('/api/v1/notes', { origin: 'https://evil.example' });
    await hub.raw('/health/live', { host: 'evil.example' });
    const remote_address = '127.0.0.1';
    await expect
      .poll(() => hub.book.away)
      .toEqual(['unknown_caller', 'token_refused', 'host', 'origin'].map((reason) => ({ reason, remote_address })));
  });

  it('is no answer where nobody can say', async () => {
    const identities = { ...hub.book.identities, bearer: () => Promise.reject(new Error('the store is away')) };
    const server = await startHttp(tinyRuntime(hub.hubs, { identities }).runtime, OPTIONS);
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/notes`, { headers: bearer('any') });
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('the store is away');
    await server.close();
  });

  it('leaves no token in the log', async () => {
    const token = hub.book.give('ada');
    await hub.ask('/api/v1/notes', bearer(token));
    await hub.ask('/nothing/here', bearer(token));
    await hub.rpc(bearer(token), call('wait_for_gate', { gate: 'broken' }));
    hub.book.revoke(token);
    await hub.ask('/api/v1/notes', bearer(token));
    await hub.ask(`/api/v1/notes?access_token=${token}`);
    expect(hub.tiny.logged.length).toBeGreaterThan(0);
    expect(hub.tiny.logged.join('\n')).not.toContain(token);
  });
});

describe('scopes', () => {
  it('hold for what is no operation too', async () => {
    const reader = bearer(hub.book.give('ada', { scopes: ['memory.read'] }));
    const watcher = bearer(hub.book.give('ada', { admin: true, scopes: ['system.read'] }));
    const anyone = bearer(hub.book.give('ada'));
    const status = async (path: string, headers: Record<string, string>, init: RequestInit = {}) =>
      (await fetch(`${hub.base}${path}`, { ...init, headers: { ...headers, 'content-type': 'application/x-ndjson' } }))
        .status;
    for (const path of ['/health', '/metrics']) {
      expect(await status(path, {})).toBe(401);
      expect(await status(path, reader)).toBe(403);
      expect(await status(path, watcher)).toBe(200);
      // What they say counts everybody's: a user as such may not follow it.
      expect(await status(path, anyone)).toBe(403);
      expect(await status(path, bearer(hub.book.give('ada', { admin: true })))).toBe(200);
    }
    for (const path of ['/health/live', '/health/ready']) expect(await status(path, {})).toBe(200);
    expect(await status('/api/v1/export', watcher)).toBe(403);
    expect(await status('/api/v1/export', reader)).toBe(200);
    expect(await status('/api/v1/import', reader, { method: 'POST', body: 'one\n' })).toBe(403);
    expect([...hub.tiny.notes.values()].map((note) => note.content)).not.toContain('one');
  });

  it('hold at the synchronisation port', async () => {
    const sync = await startSyncHttp(hub.tiny.runtime, OPTIONS);
    const url = `http://127.0.0.1:${sync.port}/api`;
    const user = { headers: bearer(hub.book.give('ada')) };
    expect((await fetch(`${url}/status`)).status).toBe(401);
    expect((await fetch(`${url}/status`, user)).status).toBe(403);
    expect((await fetch(`${url}/trigger-sync`, { ...user, method: 'POST' })).status).toBe(403);
    const admin = { headers: bearer(hub.book.give('root', { admin: true })) };
    expect((await fetch(`${url}/status`, admin)).status).toBe(200);
    expect((await fetch(`${url}/trigger-sync`, { ...admin, method: 'POST' })).status).toBe(200);
    await sync.close();
  });
});

it('counts calls by user, whatever token they come with', async () => {
  const counted: string[] = [];
  const limitCall = async (caller: string) => ({ allowed: counted.push(caller) < 3, retry_after_ms: 1_000 });
  const server = await startHttp(
    tinyRuntime(hub.hubs, { identities: hub.book.identities, limitCall }).runtime,
    OPTIONS,
  );
  const status = async (path: string, headers: Record<string, string>) =>
    (await fetch(`http://127.0.0.1:${server.port}${path}`, { headers })).status;
  expect(await status('/api/v1/notes', bearer(hub.book.give('ada')))).toBe(200);
  expect(await status('/.well-known/jwks.json', {})).toBe(200);
  expect(await status('/api/v1/notes', {})).toBe(401);
  expect(await status('/api/v1/notes', bearer(hub.book.give('bob')))).toBe(200);
  expect(await status('/api/v1/notes', bearer(hub.book.give('ada')))).toBe(429);
  expect(counted).toEqual(['ada', 'bob', 'ada']);
  await server.close();
});

describe('the protected resource', () => {
  it('describes itself to everybody', async () => {
    for (const [path, resource] of [
      ['', `${hub.base}/mcp`],
      ['/mcp', `${hub.base}/mcp`],
      ['/sse', `${hub.base}/sse`],
    ]) {
      const answer = await hub.ask(`/.well-known/oauth-protected-resource${path}`);
      const metadata = (await answer.json()) as Record<string, unknown>;
      expect(metadata).toMatchObject({
        resource,
        resource_name: 'hAIveMind',
        bearer_methods_supported: ['header'],
        scopes_supported: expect.arrayContaining(['memory.read', 'system.admin']),
        jwks_uri: `${hub.base}/.well-known/jwks.json`,
      });
      expect(metadata).not.toHaveProperty('authorization_servers');
    }
    expect(await (await hub.ask('/.well-known/jwks.json')).json()).toMatchObject({ keys: [{ kid: 'k1' }] });
    expect((await hub.raw('/.well-known/jwks.json', { host: 'evil.example' })).status).toBe(403);
  });

  it('goes by its public address', async () => {
    const identities = {
      ...hub.book.identities,
      public_url: 'https://hub.example/',
      issuers: ['https://login.example'],
    };
    const server = await startHttp(tinyRuntime(hub.hubs, { identities }).runtime, OPTIONS);
    const { port } = server;
    const answer = await hub.raw('/.well-known/oauth-protected-resource', { host: 'hub.example' }, port);
    expect(JSON.parse(answer.text)).toMatchObject({
      resource: 'https://hub.example/mcp',
      authorization_servers: ['https://login.example'],
    });
    const refused = await hub.raw('/mcp', { host: 'hub.example' }, port);
    expect(refused.challenge).toContain('"https://hub.example/.well-known/oauth-protected-resource"');
    await server.close();
  });
});

describe('an MCP client', () => {
  it('works with a token', async () => {
    const client = new Client({ name: 'tokens', version: '1' });
    const requestInit = { headers: bearer(hub.book.give('ada')) };
    await client.connect(new StreamableHTTPClientTransport(new URL(`${hub.base}/mcp`), { requestInit }));
    await client.callTool({ name: 'list_notes', arguments: {} });
    expect(hub.lastPrincipal()).toMatchObject({ user_id: 'ada', agent_id: 'tokens' });
    await client.close();
  });
});

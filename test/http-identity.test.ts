// Who a request is taken for, and what ends with its credential: tokens, forwarded requests, sessions and streams of two users.
import { networkInterfaces } from 'node:os';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../src/kernel/limits.ts';
import { type HttpServer, startHttp } from '../src/surfaces/http/server.ts';
import { startSyncHttp } from '../src/surfaces/http/sync-server.ts';
import { type RawAnswer, type Reading, rawAsk, read } from './support/raw-http.ts';
import { tinyHubs } from './support/tiny-hubs.ts';
import { type TinyRuntime, tinyRuntime } from './support/tiny-runtime.ts';
import { type TokenBook, tokenBook } from './support/token-book.ts';

const OPTIONS = { host: '127.0.0.1', port: 0, trustLoopback: false, allowedHosts: [], recheckMs: 20 };
const HEADERS = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };

/** Of this machine, and not loopback. */
const own_address = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address;

/** Resources nobody but their reader may read. */
const readers = new Map<string, string>();
const hubs = tinyHubs();
let book: TokenBook;
let tiny: TinyRuntime;
let http: HttpServer;
let base: string;

beforeAll(async () => {
  book = tokenBook();
  tiny = tinyRuntime(hubs, {
    identities: book.identities,
    mayReadResource: async (uri, principal) => readers.get(uri) === principal.user_id,
  });
  http = await startHttp(tiny.runtime, OPTIONS);
  base = `http://127.0.0.1:${http.port}`;
});
afterAll(() => http.close());
beforeEach(() => void book.away.splice(0));

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const ask = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${base}${path}`, { headers });
const lastPrincipal = () => tiny.records.at(-1)?.ctx.principal;

const raw = (path: string, headers: Record<string, string | string[]>, port = http.port): Promise<RawAnswer> =>
  rawAsk(port, path, headers);

function rpc(headers: Record<string, string>, message: object, path = '/mcp'): Promise<Response> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, ...message });
  return fetch(`${base}${path}`, { method: 'POST', headers: { ...HEADERS, ...headers }, body });
}

const INITIALIZE = {
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};
const call = (name: string, input: object) => ({ method: 'tools/call', params: { name, arguments: input } });
const WHOAMI = call('wait_for_gate', { gate: 'none' });

async function openSession(token: string): Promise<Record<string, string>> {
  const opened = await rpc(bearer(token), INITIALIZE);
  await opened.text();
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  await rpc({ ...bearer(token), ...session }, { method: 'notifications/initialized', id: undefined });
  return session;
}

describe('a caller', () => {
  it('is the user of its token, with what the token fixes', async () => {
    const headers = { 'x-haivemind-agent': 'claude', 'x-haivemind-machine': 'laptop' };
    expect((await ask('/api/v1/notes', { ...bearer(book.give('ada')), ...headers })).status).toBe(200);
    expect(lastPrincipal()).toMatchObject({ user_id: 'ada', agent_id: 'claude', machine_id: 'laptop' });
    expect(lastPrincipal()?.credential).toMatchObject({ kind: 'token', admin: false });
    const fixed = bearer(book.give('ada', { agent_id: 'ci', machine_id: 'builder' }));
    await ask('/api/v1/notes', { ...fixed, ...headers });
    expect(lastPrincipal()).toMatchObject({ user_id: 'ada', agent_id: 'ci', machine_id: 'builder' });
    await ask('/api/v1/notes', bearer(book.give('ada')));
    expect(lastPrincipal()).toMatchObject({ machine_id: 'remote:127.0.0.1' });
  });

  it.each(['x-haivemind-user', 'x-haivemind-user-id', 'x-remote-user', 'x-forwarded-user', 'tailscale-user-login'])(
    'is nobody by the header %s',
    async (name) => {
      expect((await ask('/api/v1/notes', { [name]: 'root' })).status).toBe(401);
      await ask('/api/v1/notes', { ...bearer(book.give('ada')), [name]: 'root' });
      expect(lastPrincipal()).toMatchObject({ user_id: 'ada' });
    },
  );

  it('names a machine as machines are named, or none', async () => {
    const headers = { ...bearer(book.give('ada')), 'x-haivemind-machine': 'a machine/..' };
    expect((await ask('/api/v1/notes', headers)).status).toBe(400);
    expect((await rpc(headers, INITIALIZE)).status).toBe(400);
  });

  it('with a wrong token is refused on trusted loopback too', async () => {
    const trusting = await startHttp(tiny.runtime, { ...OPTIONS, trustLoopback: true });
    const url = `http://127.0.0.1:${trusting.port}/api/v1/notes`;
    expect((await fetch(url)).status).toBe(200);
    expect(lastPrincipal()).toMatchObject({ user_id: 'tester' });
    expect((await fetch(url, { headers: bearer('wrong') })).status).toBe(401);
    expect((await fetch(url, { headers: bearer(book.give('ada')) })).status).toBe(200);
    expect(lastPrincipal()).toMatchObject({ user_id: 'ada' });
    await trusting.close();
  });

  it('with the key of this hub is the owner, from this machine itself alone', async () => {
    const key = bearer(tiny.runtime.owner_key);
    expect((await ask('/api/v1/notes', key)).status).toBe(200);
    expect(lastPrincipal()).toMatchObject({ user_id: 'tester', machine_id: 'here' });
    expect((await ask('/api/v1/notes', { ...key, 'x-forwarded-for': '127.0.0.1' })).status).toBe(401);
    expect((await ask('/api/v1/notes', bearer(`${tiny.runtime.owner_key}x`))).status).toBe(401);
    const health = await ask('/health', key);
    expect(health.status).toBe(200);
  });

  it.skipIf(own_address === undefined)(
    'with that key is the owner at an own address of the network too (skipped on a machine that has none)',
    async () => {
      const server = await startHttp(tiny.runtime, { ...OPTIONS, host: own_address ?? '' });
      const url = `http://${own_address}:${server.port}/api/v1/notes`;
      const status = async (headers: Record<string, string>) => (await fetch(url, { headers })).status;
      const key = bearer(tiny.runtime.owner_key);
      expect(await status(key)).toBe(200);
      expect(lastPrincipal()).toMatchObject({ user_id: 'tester', machine_id: 'here' });
      expect(await status({})).toBe(401);
      expect(await status(bearer(`${tiny.runtime.owner_key}x`))).toBe(401);
      expect(await status({ ...key, 'x-forwarded-for': '203.0.113.9' })).toBe(401);
      await server.close();
    },
  );

  it('is a peer of no tailnet on loopback, and comes with a token through a proxy', async () => {
    const peers: string[] = [];
    const identities = {
      ...book.identities,
      peer: async (address: string) => {
        peers.push(address);
        return { user_id: 'peer@example', credential: { kind: 'tailscale', admin: false } as const };
      },
    };
    const own = tinyRuntime(hubs, { identities });
    const server = await startHttp(own.runtime, OPTIONS);
    const url = `http://127.0.0.1:${server.port}/api/v1/notes`;
    expect((await fetch(url)).status).toBe(401);
    const forwarded = { 'x-forwarded-for': '203.0.113.9' };
    expect((await fetch(url, { headers: forwarded })).status).toBe(401);
    expect(peers).toEqual([]);
    const token = bearer(book.give('ada'));
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
    const answer = await raw(`/api/v1/notes${query}`, headers);
    expect(answer.status).toBe(401);
    expect(answer.challenge).toContain('error="invalid_request"');
    expect(JSON.parse(answer.text)).toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('cannot be read'),
      hint: expect.stringContaining('Authorization: Bearer'),
    });
    expect(answer.text).not.toContain('YWRhOnB3');
    await expect.poll(() => book.away).toEqual([{ reason: 'malformed_authorization', remote_address: '127.0.0.1' }]);
  });

  it('says where tokens come from, and is the same whatever user there is', async () => {
    const nothing = await ask('/api/v1/notes');
    const metadata = `resource_metadata="${base}/.well-known/oauth-protected-resource"`;
    expect(nothing.headers.get('www-authenticate')).toBe(`Bearer realm="haivemind", ${metadata}`);
    book.give('ada');
    const answers = await Promise.all(
      ['ada', 'nobody-of-that-name'].map(async (user) => {
        const answer = await ask(`/api/v1/notes?user_id=${user}`, bearer(`made-up-${user}`));
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
    await ask('/api/v1/notes');
    await ask('/api/v1/notes', bearer('wrong'));
    await raw('/api/v1/notes', { host: 'evil.example' });
    await ask('/api/v1/notes', { origin: 'https://evil.example' });
    await raw('/health/live', { host: 'evil.example' });
    const remote_address = '127.0.0.1';
    await expect
      .poll(() => book.away)
      .toEqual(['unknown_caller', 'token_refused', 'host', 'origin'].map((reason) => ({ reason, remote_address })));
  });

  it('is no answer where nobody can say', async () => {
    const identities = { ...book.identities, bearer: () => Promise.reject(new Error('the store is away')) };
    const server = await startHttp(tinyRuntime(hubs, { identities }).runtime, OPTIONS);
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/notes`, { headers: bearer('any') });
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('the store is away');
    await server.close();
  });

  it('leaves no token in the log', async () => {
    const token = book.give('ada');
    await ask('/api/v1/notes', bearer(token));
    await ask('/nothing/here', bearer(token));
    await rpc(bearer(token), call('wait_for_gate', { gate: 'broken' }));
    book.revoke(token);
    await ask('/api/v1/notes', bearer(token));
    await ask(`/api/v1/notes?access_token=${token}`);
    expect(tiny.logged.length).toBeGreaterThan(0);
    expect(tiny.logged.join('\n')).not.toContain(token);
  });
});

describe('scopes', () => {
  it('hold for what is no operation too', async () => {
    const reader = bearer(book.give('ada', { scopes: ['memory.read'] }));
    const watcher = bearer(book.give('ada', { admin: true, scopes: ['system.read'] }));
    const anyone = bearer(book.give('ada'));
    const status = async (path: string, headers: Record<string, string>, init: RequestInit = {}) =>
      (await fetch(`${base}${path}`, { ...init, headers: { ...headers, 'content-type': 'application/x-ndjson' } }))
        .status;
    for (const path of ['/health', '/metrics']) {
      expect(await status(path, {})).toBe(401);
      expect(await status(path, reader)).toBe(403);
      expect(await status(path, watcher)).toBe(200);
      // What they say counts everybody's: a user as such may not follow it.
      expect(await status(path, anyone)).toBe(403);
      expect(await status(path, bearer(book.give('ada', { admin: true })))).toBe(200);
    }
    for (const path of ['/health/live', '/health/ready']) expect(await status(path, {})).toBe(200);
    expect(await status('/api/v1/export', watcher)).toBe(403);
    expect(await status('/api/v1/export', reader)).toBe(200);
    expect(await status('/api/v1/import', reader, { method: 'POST', body: 'one\n' })).toBe(403);
    expect([...tiny.notes.values()].map((note) => note.content)).not.toContain('one');
  });

  it('hold at the synchronisation port', async () => {
    const sync = await startSyncHttp(tiny.runtime, OPTIONS);
    const url = `http://127.0.0.1:${sync.port}/api`;
    const user = { headers: bearer(book.give('ada')) };
    expect((await fetch(`${url}/status`)).status).toBe(401);
    expect((await fetch(`${url}/status`, user)).status).toBe(403);
    expect((await fetch(`${url}/trigger-sync`, { ...user, method: 'POST' })).status).toBe(403);
    const admin = { headers: bearer(book.give('root', { admin: true })) };
    expect((await fetch(`${url}/status`, admin)).status).toBe(200);
    expect((await fetch(`${url}/trigger-sync`, { ...admin, method: 'POST' })).status).toBe(200);
    await sync.close();
  });
});

it('counts calls by user, whatever token they come with', async () => {
  const counted: string[] = [];
  const limitCall = async (caller: string) => ({ allowed: counted.push(caller) < 3, retry_after_ms: 1_000 });
  const server = await startHttp(tinyRuntime(hubs, { identities: book.identities, limitCall }).runtime, OPTIONS);
  const status = async (path: string, headers: Record<string, string>) =>
    (await fetch(`http://127.0.0.1:${server.port}${path}`, { headers })).status;
  expect(await status('/api/v1/notes', bearer(book.give('ada')))).toBe(200);
  expect(await status('/.well-known/jwks.json', {})).toBe(200);
  expect(await status('/api/v1/notes', {})).toBe(401);
  expect(await status('/api/v1/notes', bearer(book.give('bob')))).toBe(200);
  expect(await status('/api/v1/notes', bearer(book.give('ada')))).toBe(429);
  expect(counted).toEqual(['ada', 'bob', 'ada']);
  await server.close();
});

describe('a session', () => {
  it('is unknown to another user, whatever it sends', async () => {
    const session = await openSession(book.give('ada'));
    const bob = { ...bearer(book.give('bob')), ...session };
    const unknown = { ...bob, 'mcp-session-id': crypto.randomUUID() };
    for (const message of [WHOAMI, { method: 'tools/list' }, INITIALIZE]) {
      const [stolen, absent] = await Promise.all([rpc(bob, message), rpc(unknown, message)]);
      expect(stolen.status).toBe(404);
      expect([stolen.status, await stolen.text()]).toEqual([absent.status, await absent.text()]);
    }
    expect((await ask('/mcp', { ...HEADERS, ...bob })).status).toBe(404);
    expect((await fetch(`${base}/mcp`, { method: 'DELETE', headers: { ...HEADERS, ...bob } })).status).toBe(404);
    expect((await rpc({ ...bearer(book.give('ada')), ...session }, { method: 'tools/list' })).status).toBe(200);
  });

  it('asks each request for its own credential', async () => {
    const admin = book.give('ada', { admin: true, agent_id: 'chief' });
    const session = await openSession(admin);
    const text = async (token: string, message: object) =>
      (await rpc({ ...bearer(token), ...session }, message)).text();
    expect(await text(admin, WHOAMI)).toContain('"opened":"none"');
    expect(lastPrincipal()).toMatchObject({ user_id: 'ada', agent_id: 'chief', credential: { admin: true } });
    expect(await text(book.give('ada'), WHOAMI)).toContain('forbidden');
    expect(await text(book.give('ada', { scopes: ['memory.read'] }), call('store_note', { content: 'x' }))).toContain(
      'forbidden',
    );
    expect(await text(book.give('ada', { machine_id: 'm2' }), call('list_notes', {}))).not.toContain('forbidden');
    expect(lastPrincipal()).toMatchObject({ user_id: 'ada', agent_id: 'raw', machine_id: 'm2' });
    book.revoke(admin);
    expect((await rpc({ ...bearer(admin), ...session }, WHOAMI)).status).toBe(401);
  });

  it('over HTTP+SSE too, and also through another hub', async () => {
    const ada = book.give('ada', { admin: true });
    const { stream, endpoint } = await openSse(ada);
    expect((await rpc(bearer(book.give('bob')), WHOAMI, endpoint)).status).toBe(404);
    expect((await rpc(bearer(ada), INITIALIZE, endpoint)).status).toBe(202);
    await stream.until('"protocolVersion"');
    const narrow = bearer(book.give('ada', { scopes: ['memory.read'] }));
    expect((await rpc(narrow, { ...WHOAMI, id: 'first' }, endpoint)).status).toBe(202);
    expect(await stream.until('"first"')).toContain('forbidden');
    const other = tinyRuntime(hubs, { identities: book.identities });
    const there = await startHttp(other.runtime, OPTIONS);
    const post = (token: string, id: string) =>
      fetch(`http://127.0.0.1:${there.port}${endpoint}`, {
        method: 'POST',
        headers: { ...HEADERS, ...bearer(token) },
        body: JSON.stringify({ jsonrpc: '2.0', ...WHOAMI, id }),
      });
    expect((await post(book.give('bob'), 'theft')).status).toBe(404);
    expect((await post(book.give('ada'), 'second')).status).toBe(202);
    expect(await stream.until('"second"')).toContain('forbidden');
    expect((await post(ada, 'third')).status).toBe(202);
    expect(await stream.until('"third"')).toContain('"opened":"none"');
    await stream.cancel();
    await there.close();
  });
});

describe('an open stream', () => {
  const open: [string, (token: string) => Promise<Response>][] = [
    ['GET /mcp', async (token) => ask('/mcp', { ...HEADERS, ...bearer(token), ...(await openSession(token)) })],
    ['GET /sse', (token) => ask('/sse', { ...HEADERS, ...bearer(token) })],
    ['subscriptions/listen', (token) => listen(token, ['haivemind://memory/a'])],
  ];
  it.each(open)('(%s) ends when its token is revoked', async (_name, start) => {
    const [kept, revoked] = [book.give('ada'), book.give('ada')];
    const [staying, ending] = await Promise.all([start(kept), start(revoked)]);
    expect(ending.status).toBe(200);
    book.revoke(revoked);
    await expect(ending.text()).rejects.toThrow();
    const reading = read(staying);
    // Another stream of a revoked credential ends meanwhile: the watch has been round.
    const another = book.give('somebody');
    const answered = await ask('/sse', { ...HEADERS, ...bearer(another) });
    book.revoke(another);
    await answered.text().catch(() => undefined);
    expect(reading.ended()).toBe(false);
    await reading.cancel();
  });
});

describe('news', () => {
  const [ADAS, BOBS] = ['haivemind://memory/adas', 'haivemind://memory/bobs'];
  const LAST = 'haivemind://memory/last';

  /** Announces both, and then something everybody hears of who is still there. */
  function announceAll(user: string): void {
    readers.set(LAST, user);
    for (const uri of [BOBS, ADAS, LAST]) tiny.announce(uri);
  }
  beforeEach(() => {
    readers.set(ADAS, 'ada');
    readers.set(BOBS, 'bob');
  });

  it.each(['/mcp, legacy', 'subscriptions/listen', 'GET /sse'])('(%s) reach only who may read', async (way) => {
    for (const [user, mine, others] of [
      ['ada', ADAS, BOBS],
      ['bob', BOBS, ADAS],
    ] as const) {
      const stream = await subscribed(way, book.give(user), [ADAS, BOBS, LAST]);
      announceAll(user);
      const seen = await stream.until(LAST);
      expect(seen).toContain(mine);
      expect(seen).not.toContain(others);
      // Shared no longer: from that moment on nothing is heard of it.
      readers.set(mine, 'somebody else');
      readers.set(others, user);
      tiny.announce(mine);
      tiny.announce(others);
      expect((await stream.until(others)).split(mine)).toHaveLength(2);
      readers.set(ADAS, 'ada');
      readers.set(BOBS, 'bob');
      await stream.cancel();
    }
  });

  it('are subscribed to with the same answer, whether it is there or not', async () => {
    const token = book.give('ada');
    const session = { ...bearer(token), ...(await openSession(token)) };
    const [hidden, absent] = await Promise.all(
      [BOBS, 'haivemind://memory/never'].map(async (uri) => {
        const answer = await rpc(session, { method: 'resources/subscribe', params: { uri } });
        return [answer.status, await answer.text()];
      }),
    );
    expect(hidden).toEqual(absent);
  });

  async function subscribed(way: string, token: string, uris: string[]): Promise<Reading> {
    if (way === 'subscriptions/listen') {
      const stream = read(await listen(token, uris));
      await stream.until('acknowledged');
      stream.forget();
      return stream;
    }
    if (way === 'GET /sse') {
      const { stream, endpoint } = await openSse(token);
      await rpc(bearer(token), INITIALIZE, endpoint);
      for (const uri of uris)
        await rpc(bearer(token), { id: uri, method: 'resources/subscribe', params: { uri } }, endpoint);
      for (const uri of uris) await stream.until(`"id":"${uri}"`);
      stream.forget();
      return stream;
    }
    const session = { ...bearer(token), ...(await openSession(token)) };
    for (const uri of uris) await (await rpc(session, { method: 'resources/subscribe', params: { uri } })).text();
    return read(await ask('/mcp', { ...HEADERS, ...session }));
  }
});

describe('the protected resource', () => {
  it('describes itself to everybody', async () => {
    for (const [path, resource] of [
      ['', `${base}/mcp`],
      ['/mcp', `${base}/mcp`],
      ['/sse', `${base}/sse`],
    ]) {
      const answer = await ask(`/.well-known/oauth-protected-resource${path}`);
      const metadata = (await answer.json()) as Record<string, unknown>;
      expect(metadata).toMatchObject({
        resource,
        resource_name: 'hAIveMind',
        bearer_methods_supported: ['header'],
        scopes_supported: expect.arrayContaining(['memory.read', 'system.admin']),
        jwks_uri: `${base}/.well-known/jwks.json`,
      });
      expect(metadata).not.toHaveProperty('authorization_servers');
    }
    expect(await (await ask('/.well-known/jwks.json')).json()).toMatchObject({ keys: [{ kid: 'k1' }] });
    expect((await raw('/.well-known/jwks.json', { host: 'evil.example' })).status).toBe(403);
  });

  it('goes by its public address', async () => {
    const identities = { ...book.identities, public_url: 'https://hub.example/', issuers: ['https://login.example'] };
    const server = await startHttp(tinyRuntime(hubs, { identities }).runtime, OPTIONS);
    const { port } = server;
    const answer = await raw('/.well-known/oauth-protected-resource', { host: 'hub.example' }, port);
    expect(JSON.parse(answer.text)).toMatchObject({
      resource: 'https://hub.example/mcp',
      authorization_servers: ['https://login.example'],
    });
    const refused = await raw('/mcp', { host: 'hub.example' }, port);
    expect(refused.challenge).toContain('"https://hub.example/.well-known/oauth-protected-resource"');
    await server.close();
  });
});

describe('an MCP client', () => {
  it('works with a token', async () => {
    const client = new Client({ name: 'tokens', version: '1' });
    const requestInit = { headers: bearer(book.give('ada')) };
    await client.connect(new StreamableHTTPClientTransport(new URL(`${base}/mcp`), { requestInit }));
    await client.callTool({ name: 'list_notes', arguments: {} });
    expect(lastPrincipal()).toMatchObject({ user_id: 'ada', agent_id: 'tokens' });
    await client.close();
  });
});

async function openSse(token: string): Promise<{ stream: Reading; endpoint: string }> {
  const stream = read(await ask('/sse', { ...HEADERS, ...bearer(token) }));
  const text = await stream.until('sessionId=');
  return { stream, endpoint: /data: (\/messages\?sessionId=\S+)/.exec(text)?.[1] ?? '' };
}

function listen(token: string, uris: string[]): Promise<Response> {
  const revision = '2026-07-28';
  const meta = {
    'io.modelcontextprotocol/protocolVersion': revision,
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const params = { _meta: meta, notifications: { resourceSubscriptions: uris } };
  const headers = { ...bearer(token), 'mcp-protocol-version': revision, 'mcp-method': 'subscriptions/listen' };
  return rpc(headers, { method: 'subscriptions/listen', params });
}

// Two hubs in one process: sessions, streams and messages of MCP clients go on at the other one.
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpServer, startHttp } from '../src/surfaces/http/server.ts';
import { type TinyHubs, tinyHubs } from './support/tiny-hubs.ts';
import { type TinyRuntime, tinyRuntime } from './support/tiny-runtime.ts';

interface Hub {
  readonly tiny: TinyRuntime;
  readonly http: HttpServer;
  url(path: string): URL;
}

let hubs: TinyHubs;
let a: Hub;
let b: Hub;
const clients: Client[] = [];

async function startHub(more: Parameters<typeof tinyRuntime>[1] = {}): Promise<Hub> {
  const tiny = tinyRuntime(hubs, more);
  const http = await startHttp(tiny.runtime, { host: '127.0.0.1', port: 0, trustLoopback: true, allowedHosts: [] });
  return { tiny, http, url: (path) => new URL(`http://127.0.0.1:${http.port}${path}`) };
}

beforeEach(async () => {
  hubs = tinyHubs();
  [a, b] = await Promise.all([startHub(), startHub()]);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all([a.http.close(1_000), b.http.close(1_000)]);
});

const HEADERS = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };

/** A client whose requests go to a hub of the test's choice, as behind a balancer. */
function switching(first: Hub): { go(hub: Hub): void; fetch: typeof fetch } {
  let now = first;
  return {
    go(hub) {
      now = hub;
    },
    fetch: (input, init) => {
      const { pathname, search } = new URL(String(input instanceof Request ? input.url : input));
      return fetch(now.url(pathname + search), init);
    },
  };
}

async function connect(way: ReturnType<typeof switching>, kind: 'mcp' | 'sse' = 'mcp', query = ''): Promise<Client> {
  const client = new Client({ name: 'Test Client', version: '1.2.3' }, { versionNegotiation: { mode: 'legacy' } });
  const url = new URL(`http://127.0.0.1:1/${kind}${query}`);
  const options = { fetch: way.fetch as never };
  await client.connect(
    kind === 'mcp' ? new StreamableHTTPClientTransport(url, options) : new SSEClientTransport(url, options),
  );
  clients.push(client);
  return client;
}

const sessionOf = (client: Client): string => String((client.transport as StreamableHTTPClientTransport).sessionId);

function post(hub: Hub, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(hub.url(path), { method: 'POST', headers: { ...HEADERS, ...headers }, body: JSON.stringify(body) });
}

const whoami = { name: 'wait_for_gate', arguments: { gate: 'none' } };
const listTools = { jsonrpc: '2.0', id: 7, method: 'tools/list' };

describe('a session over Streamable HTTP', () => {
  it('is served by another hub with its client, its toolsets and its agent session', async () => {
    const way = switching(a);
    const client = await connect(way, 'mcp', '?toolsets=testing');
    const before = await client.callTool(whoami);
    way.go(b);
    expect((await client.callTool(whoami)).structuredContent).toEqual(before.structuredContent);
    expect(before.structuredContent).toMatchObject({ agent_id: 'test-client' });
    expect((await client.listTools()).tools.map((tool) => tool.name)).toContain('search_tools');
  });

  it('goes on when the hub that made it is gone', async () => {
    const way = switching(a);
    const client = await connect(way);
    await a.http.close(1_000);
    way.go(b);
    expect((await client.callTool(whoami)).isError).toBeFalsy();
  });

  it('is made once where many requests reach a hub at the same time', async () => {
    const client = await connect(switching(a));
    const session = { 'mcp-session-id': sessionOf(client) };
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, id) => post(b, '/mcp', { ...listTools, id: id + 1 }, session)),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array(8).fill(200));
    for (const answer of answers) expect(await answer.text()).toContain('store_note');
  });

  it('ends everywhere by a DELETE anywhere', async () => {
    const way = switching(a);
    const client = await connect(way);
    const session = { 'mcp-session-id': sessionOf(client) };
    way.go(b);
    await client.callTool(whoami);
    const deleted = await fetch(b.url('/mcp'), { method: 'DELETE', headers: { ...HEADERS, ...session } });
    expect(deleted.status).toBe(200);
    expect((await post(a, '/mcp', listTools, session)).status).toBe(404);
    expect((await post(b, '/mcp', listTools, session)).status).toBe(404);
  });

  it('ends also at a hub that could not be told, once it hears of the gap', async () => {
    const client = await connect(switching(a));
    const session = { 'mcp-session-id': sessionOf(client) };
    expect((await post(b, '/mcp', listTools, session)).status).toBe(200);
    hubs.interrupt();
    await fetch(b.url('/mcp'), { method: 'DELETE', headers: { ...HEADERS, ...session } });
    expect((await post(a, '/mcp', listTools, session)).status).toBe(200);
    hubs.restore();
    await expect.poll(async () => (await post(a, '/mcp', listTools, session)).status).toBe(404);
  });

  it('is nobody else’s at any hub', async () => {
    const client = await connect(switching(a));
    const other = await startHub({
      localPrincipal: () => ({ user_id: 'somebody else', agent_id: 'x', machine_id: 'there' }),
    });
    const session = { 'mcp-session-id': sessionOf(client) };
    expect((await post(other, '/mcp', listTools, session)).status).toBe(404);
    expect((await fetch(other.url('/mcp'), { method: 'DELETE', headers: { ...HEADERS, ...session } })).status).toBe(
      404,
    );
    expect((await post(b, '/mcp', listTools, session)).status).toBe(200);
    await other.http.close(1_000);
  });

  it.each(['nothing', 'x'.repeat(5_000)])('is unknown where it never was', async (name) => {
    expect((await post(b, '/mcp', listTools, { 'mcp-session-id': name })).status).toBe(404);
  });

  it('announces what was subscribed through another hub on the stream of this one', async () => {
    const way = switching(a);
    const client = await connect(way);
    const seen: string[] = [];
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void seen.push(params.uri));
    await client.callTool(whoami);
    way.go(b);
    await client.subscribeResource({ uri: 'haivemind://memory/wanted' });
    await expect
      .poll(() => {
        hubs.announce('haivemind://memory/other');
        hubs.announce('haivemind://memory/wanted');
        return seen.length;
      })
      .toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set(['haivemind://memory/wanted']));
    await client.unsubscribeResource({ uri: 'haivemind://memory/wanted' });
    seen.length = 0;
    hubs.announce('haivemind://memory/wanted');
    await client.callTool(whoami);
    expect(seen).toEqual([]);
  });

  it('opens its stream again at another hub and is told there of what it subscribed to before', async () => {
    const way = switching(a);
    const client = await connect(way);
    const seen: string[] = [];
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void seen.push(params.uri));
    await client.subscribeResource({ uri: 'haivemind://memory/wanted' });
    way.go(b);
    await a.http.close(1_000);
    await expect
      .poll(
        () => {
          hubs.announce('haivemind://memory/wanted');
          return seen.length;
        },
        { timeout: 10_000 },
      )
      .toBeGreaterThan(0);
  });

  it('gives up a call at the hub where it runs, by a notice that reached another', async () => {
    const way = switching(a);
    const client = await connect(way);
    await client.callTool(whoami);
    const stop = new AbortController();
    const call = client.callTool({ name: 'wait_for_gate', arguments: { gate: 'far' } }, { signal: stop.signal });
    const failed = expect(call).rejects.toThrow();
    await a.tiny.waiting('far');
    way.go(b);
    stop.abort();
    await failed;
    await expect.poll(() => a.tiny.records.some((record) => record.error_code === 'cancelled')).toBe(true);
  });

  it('is not begun where it cannot be kept', async () => {
    const broken = await startHub({
      mcpSessions: { ...hubs.mcpSessions, create: () => Promise.reject(new Error('the store is away')) },
    });
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
    const answer = await post(broken, '/mcp', { jsonrpc: '2.0', id: 1, method: 'initialize', params });
    expect(answer.status).toBe(500);
    expect(answer.headers.get('mcp-session-id')).toBeNull();
    await broken.http.close(1_000);
  });

  it('keeps no more of a client than it needs, and refuses what is too much', async () => {
    const open = (clientInfo: unknown): Promise<Response> => {
      const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo };
      return post(a, '/mcp', { jsonrpc: '2.0', id: 1, method: 'initialize', params });
    };
    expect((await open({ name: 'c', version: '1', icons: [{ src: 'x'.repeat(100_000) }] })).status).toBe(200);
    expect(JSON.stringify([...hubs.records.values()]).length).toBeLessThan(1_000);
    expect((await open({ name: 'c'.repeat(100_000), version: '1' })).status).toBe(400);
    const client = await connect(switching(a));
    await expect(client.subscribeResource({ uri: `haivemind://memory/${'u'.repeat(10_000)}` })).rejects.toThrow(
      /so long a URI/,
    );
  });

  it('leaves nothing behind where the handshake fails', async () => {
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
    const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params };
    expect((await post(a, '/mcp', body, { accept: 'text/html' })).status).toBe(406);
    expect(hubs.records.size).toBe(0);
  });
});

describe('a session over HTTP+SSE', () => {
  it('takes messages that reach another hub, large ones too', async () => {
    const way = switching(a);
    const client = await connect(way, 'sse');
    way.go(b);
    const content = 'x'.repeat(9_000);
    const stored = await client.callTool({ name: 'store_note', arguments: { content } });
    expect(stored.structuredContent).toMatchObject({ content });
    expect(a.tiny.notes.size).toBe(1);
    expect(b.tiny.notes.size).toBe(0);
  });

  it('refuses messages for a session that is unknown, somebody else’s, or no HTTP+SSE session', async () => {
    const streamable = await connect(switching(a));
    const client = await connect(switching(a), 'sse');
    await client.ping();
    const session_id = [...hubs.records.values()].find((record) => record.state.kind === 'sse')?.session_id;
    const other = await startHub({
      localPrincipal: () => ({ user_id: 'somebody else', agent_id: 'x', machine_id: 'there' }),
    });
    const status = async (hub: Hub, id: string | undefined) =>
      (await post(hub, `/messages?sessionId=${id}`, listTools)).status;
    expect(await status(other, session_id)).toBe(404);
    expect(await status(b, 'nothing')).toBe(404);
    expect(await status(b, sessionOf(streamable))).toBe(404);
    expect((await post(b, '/messages', listTools)).status).toBe(404);
    expect((await post(b, `/messages?sessionId=${session_id}`, { no: 'message' })).status).toBe(400);
    expect(await status(b, session_id)).toBe(202);
    await other.http.close(1_000);
  });

  it('answers what was asked before the stream ends, takes nothing more, and is then unknown', async () => {
    const way = switching(a);
    const client = await connect(way, 'sse');
    const call = client.callTool({ name: 'wait_for_gate', arguments: { gate: 'last' } });
    await a.tiny.waiting('last');
    const [session_id] = [...hubs.records.keys()];
    way.go(b);
    const closing = a.http.close(20_000);
    a.tiny.openGate('last');
    expect((await call).structuredContent).toMatchObject({ opened: 'last' });
    await closing;
    expect((await post(b, `/messages?sessionId=${session_id}`, listTools)).status).toBe(404);
  });

  it('is unknown where its hub has been silent for long', async () => {
    const client = await connect(switching(a), 'sse');
    await client.ping();
    const [record] = [...hubs.records.values()];
    hubs.interrupt();
    if (record) hubs.records.set(record.session_id, { ...record, last_seen_at_ms: Date.now() - 10 * 60_000 });
    expect((await post(b, `/messages?sessionId=${record?.session_id}`, listTools)).status).toBe(404);
  });

  it('says so where the hub with the stream does not answer', { timeout: 20_000 }, async () => {
    const way = switching(a);
    const client = await connect(way, 'sse');
    await client.ping();
    const [session_id] = [...hubs.records.keys()];
    hubs.interrupt();
    const answer = await post(b, `/messages?sessionId=${session_id}`, listTools);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      id: 7,
      error: { data: { code: 'unavailable', hint: expect.any(String) } },
    });
  });
});

describe('the modern era', () => {
  it('hears on its stream of changes at other hubs', async () => {
    const client = new Client(
      { name: 'Test Client', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    await client.connect(new StreamableHTTPClientTransport(a.url('/mcp')));
    clients.push(client);
    const seen: string[] = [];
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void seen.push(params.uri));
    await client.listen({ resourceSubscriptions: ['haivemind://memory/wanted'] });
    hubs.announce('haivemind://memory/wanted');
    await expect.poll(() => seen).toEqual(['haivemind://memory/wanted']);
  });
});

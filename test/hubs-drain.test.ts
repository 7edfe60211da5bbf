// A hub that is about to stop, and one whose callers ask too much: what clients, balancers and probes see of it.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../src/kernel/clock.ts';
import { createMemoryLimits } from '../src/storage/coordination/rate.ts';
import { type HttpServer, startHttp } from '../src/surfaces/http/server.ts';
import type { Runtime } from '../src/surfaces/runtime.ts';
import { tinyHubs } from './support/tiny-hubs.ts';
import { type TinyRuntime, tinyRuntime } from './support/tiny-runtime.ts';

let http: HttpServer;
let tiny: TinyRuntime;
afterEach(() => http.close(1_000));

async function start(more: Partial<Runtime> = {}): Promise<void> {
  tiny = tinyRuntime(tinyHubs(), more);
  http = await startHttp(tiny.runtime, { host: '127.0.0.1', port: 0, trustLoopback: true, allowedHosts: [] });
}

const url = (path: string): string => `http://127.0.0.1:${http.port}${path}`;
const get = (path: string): Promise<Response> => fetch(url(path));

function rpc(method: string, headers: Record<string, string> = {}, path = '/mcp'): Promise<Response> {
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
  return fetch(url(path), {
    method: 'POST',
    headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 5, method, ...(method === 'initialize' ? { params } : {}) }),
  });
}

describe('draining', () => {
  it('says at once that it is not ready, and goes on answering with the wish to go elsewhere', async () => {
    await start();
    expect((await get('/health/ready')).status).toBe(200);
    const before = await rpc('initialize');
    expect(before.headers.get('connection')).toBe('keep-alive');
    const session = { 'mcp-session-id': String(before.headers.get('mcp-session-id')) };
    await before.text();
    const drained = http.drain(2_000);
    const ready = await get('/health/ready');
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ status: 'draining' });
    for (const answer of [
      await get('/health/live'),
      await get('/api/v1/notes'),
      await rpc('initialize'),
      await rpc('tools/list', session),
    ]) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('connection')).toBe('close');
      await answer.text();
    }
    await drained;
  });

  it('keeps event streams until it stops, then ends them in good order', async () => {
    await start();
    const client = new Client({ name: 'c', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
    await client.connect(new StreamableHTTPClientTransport(new URL(url('/mcp'))));
    const { sessionId } = client.transport as StreamableHTTPClientTransport;
    await client.close();
    const headers = { accept: 'text/event-stream', 'mcp-session-id': String(sessionId) };
    const stream = await fetch(url('/mcp'), { headers });
    const sse = await get('/sse');
    let over = false;
    const read = Promise.all([stream.text(), sse.text()]).finally(() => {
      over = true;
    });
    await http.drain(100);
    expect(over).toBe(false);
    await http.close();
    expect((await read)[1]).toContain('event: endpoint');
  });
});

describe('readiness', () => {
  it('is refused while the store is away, without saying where that is, and liveness is not', async () => {
    await start({
      ready: async () => ({
        name: 'store',
        status: 'failed',
        detail: 'PostgreSQL at db:5432 is away.',
        fix: 'Start it.',
      }),
    });
    const ready = await get('/health/ready');
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ status: 'failed' });
    expect((await get('/health/live')).status).toBe(200);
  });

  it('is refused while the store does not answer', async () => {
    await start({ ready: () => new Promise(() => undefined) });
    expect((await get('/health/ready')).status).toBe(503);
    expect((await get('/health/live')).status).toBe(200);
  });

  it('does not depend on engines that may be away', async () => {
    await start({
      health: async () => ({ status: 'failed', version: '1', machine_id: 'm', uptime_seconds: 1, checks: [] }),
    });
    expect((await get('/health/ready')).status).toBe(200);
    expect((await get('/health')).status).toBe(503);
  });
});

describe('a limit of calls', () => {
  const callers: string[] = [];
  async function limited(limit_count: number): Promise<void> {
    const take = createMemoryLimits(systemClock);
    callers.length = 0;
    await start({
      async limitCall(caller) {
        callers.push(caller);
        return take(caller, { limit_count, window_ms: 60_000 });
      },
    });
  }

  it('is told over REST as a problem with the time to wait', async () => {
    await limited(2);
    expect((await get('/api/v1/notes')).status).toBe(200);
    expect((await get('/api/v1/nothing')).status).toBe(404);
    const refused = await get('/api/v1/notes');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(29);
    expect(await refused.json()).toMatchObject({ status: 429, code: 'rate_limited', hint: expect.any(String) });
    expect(new Set(callers)).toEqual(new Set(['tester']));
  });

  it('is told over MCP as an error of the request', async () => {
    await limited(1);
    expect((await rpc('initialize')).status).toBe(200);
    for (const path of ['/mcp', '/sse', '/messages']) {
      const refused = await rpc('initialize', {}, path);
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(59);
      expect(await refused.json()).toMatchObject({ id: 5, error: { data: { code: 'rate_limited' } } });
    }
    expect(callers).toHaveLength(4);
  });

  it('does not hold for what watches the server', async () => {
    await limited(1);
    await get('/api/v1/notes');
    for (const path of ['/health', '/health/live', '/health/ready', '/metrics'])
      expect((await get(path)).status).toBe(200);
    expect(callers).toHaveLength(1);
  });
});

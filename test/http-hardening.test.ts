// The HTTP surface against what the network sends: raw requests a well-meaning client library would never make.
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../src/kernel/limits.ts';
import { type HttpServer, startHttp } from '../src/surfaces/http/server.ts';
import { startSyncHttp } from '../src/surfaces/http/sync-server.ts';
import { type TinyRuntime, tinyRuntime } from './support/tiny-runtime.ts';

let tiny: TinyRuntime;
let http: HttpServer;

const OPTIONS = {
  host: '127.0.0.1',
  port: 0,
  trustLoopback: true,
  allowedHosts: ['memory.example', 'exact.example:1234'],
};

beforeAll(async () => {
  tiny = tinyRuntime();
  http = await startHttp(tiny.runtime, OPTIONS);
});
afterAll(() => http.close());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** A request exactly as written, without a library that mends it. */
function send(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: http.port, method, path, headers, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** Bytes over a socket; resolves with everything the server said until it closed. */
function sendBytes(bytes: string, port: number = http.port): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

const json = { 'content-type': 'application/json' };

function expectProblem(answer: Answer, status: number, code: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  const problem = JSON.parse(answer.text) as Record<string, unknown>;
  expect(problem).toMatchObject({ status, code, message: expect.any(String), hint: expect.any(String) });
  expect(answer.text).not.toMatch(/node_modules|\.ts:\d|at Object\./);
}

describe('bodies', () => {
  it('refuses a large one before it has arrived and closes the connection', async () => {
    const head = `POST /api/v1/notes HTTP/1.1\r\nHost: localhost:${http.port}\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\n{`;
    const answer = await sendBytes(head);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(answer).toContain('limit_exceeded');
  });

  it('refuses a large chunked one while it arrives', async () => {
    const socket = connect(http.port, '127.0.0.1');
    let text = '';
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('error', () => undefined);
    socket.write(
      `POST /mcp HTTP/1.1\r\nHost: localhost:${http.port}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const piece = 'x'.repeat(256 * 1024);
    const chunk = `${piece.length.toString(16)}\r\n${piece}\r\n`;
    for (let sent = 0; sent <= limits.request_body_max_bytes + piece.length && !socket.destroyed; sent += piece.length)
      await written(socket, chunk);
    await closed;
    expect(text).toMatch(/^HTTP\/1.1 413 /);
    expect(text.toLowerCase()).toContain('connection: close');
  });

  it.each(['[', '{"a":'])('survives 100,000 levels of %s', async (level) => {
    expectProblem(await send('POST', '/api/v1/notes', json, level.repeat(100_000)), 400, 'limit_exceeded');
    const rpc = await send('POST', '/mcp', json, level.repeat(100_000));
    expect(rpc.status).toBe(400);
    expect(JSON.parse(rpc.text)).toMatchObject({ jsonrpc: '2.0', error: { data: { code: 'limit_exceeded' } } });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp'])(
    'refuses %s, which a page of another origin could send',
    async (type) => {
      expectProblem(
        await send('POST', '/api/v1/notes', { 'content-type': type }, '{"content":"x"}'),
        415,
        'invalid_input',
      );
      expect((await send('POST', '/mcp', { 'content-type': type }, '{}')).status).toBe(415);
      expect((await send('POST', '/api/v1/import', { 'content-type': type }, '{}')).status).toBe(415);
      expect(tiny.notes.size).toBe(0);
    },
  );

  it('says that a body is no JSON, no object, or not there', async () => {
    expectProblem(await send('POST', '/api/v1/notes', json, '{"content":'), 400, 'invalid_input');
    expectProblem(await send('POST', '/api/v1/notes', json, '[1]'), 400, 'invalid_input');
    expectProblem(await send('POST', '/api/v1/notes', {}), 400, 'invalid_input');
  });

  it('refuses NUL, half a surrogate pair and unknown fields by name', async () => {
    for (const body of ['{"content":"a\\u0000b"}', '{"content":"\\ud800"}', '{"content":"x","contents":"y"}']) {
      const answer = await send('POST', '/api/v1/notes', json, body);
      expectProblem(answer, 400, 'invalid_input');
      expect(answer.text).toContain('content');
    }
    expect(tiny.notes.size).toBe(0);
  });
});

describe('paths and methods', () => {
  it.each(['/api/v1/notes/%zz', '/%', '/api/v1/notes/%c3%28'])('answers 400 for %s', async (path) => {
    expectProblem(await send('GET', path), 400, 'invalid_input');
  });

  it('answers 405 with what is allowed, 404 where there is nothing', async () => {
    const put = await send('PUT', '/api/v1/notes');
    expectProblem(put, 405, 'invalid_input');
    expect(put.headers.allow).toContain('POST');
    for (const method of ['TRACE', 'PROPFIND', 'PURGE']) expect((await send(method, '/mcp')).status).toBe(405);
    expectProblem(await send('GET', '/nothing/here'), 404, 'not_found');
    expect((await send('HEAD', '/health')).status).toBe(200);
    for (const path of ['/sse', '/mcp']) expect((await send('HEAD', path)).status).toBe(405);
  });

  it('takes an id with encoded characters', async () => {
    expectProblem(await send('GET', `/api/v1/notes/${encodeURIComponent('a/b:c ü')}`), 404, 'not_found');
  });
});

describe('who may ask', () => {
  it.each(['evil.example', 'localhost', 'localhost:1', '127.0.0.1:80', 'localhost.evil.example', '', 'a@localhost'])(
    'refuses Host %j',
    async (host) => {
      expectProblem(await send('GET', '/health', { host: host === '' ? ' ' : host }), 403, 'forbidden');
    },
  );

  it('answers to its own names with its port, and to configured ones', async () => {
    const names = [
      `localhost:${http.port}`,
      `LOCALHOST:${http.port}`,
      `[::1]:${http.port}`,
      'memory.example',
      `memory.example:${http.port}`,
      'exact.example:1234',
    ];
    for (const host of names) expect((await send('GET', '/health', { host })).status).toBe(200);
    expect((await send('GET', '/health', { host: 'memory.example:81' })).status).toBe(403);
    expect((await send('GET', '/health', { host: 'exact.example' })).status).toBe(403);
  });

  it.each([
    'http://localhost',
    'http://localhost:5173',
    'https://evil.example',
    'null',
    'file://',
    'http://localhost:1/',
  ])('refuses Origin %s', async (origin) => {
    expectProblem(await send('POST', '/api/v1/notes', { ...json, origin }, '{"content":"x"}'), 403, 'forbidden');
    expect((await send('POST', '/mcp', { ...json, origin }, '{}')).status).toBe(403);
  });

  it('accepts its own origin', async () => {
    expect((await send('GET', '/health', { origin: `http://localhost:${http.port}` })).status).toBe(200);
  });

  it.each([
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-real-ip',
    'via',
    'cf-connecting-ip',
    'x-original-forwarded-for',
  ])('does not take a forwarded request (%s) for the owner’s', async (name) => {
    const answer = await send('GET', '/api/v1/notes', { [name]: '203.0.113.9' });
    expectProblem(answer, 401, 'unauthenticated');
    expect(answer.headers['www-authenticate']).toContain('Bearer');
    expect((await send('POST', '/mcp', { ...json, [name]: 'x' }, '{}')).status).toBe(401);
    expect((await send('GET', '/health', { [name]: 'x' })).status).toBe(401);
    expect((await send('GET', '/health/live', { [name]: 'x' })).status).toBe(200);
  });

  it('trusts nobody where loopback is not trusted', async () => {
    const strict = await startHttp(tiny.runtime, { ...OPTIONS, trustLoopback: false });
    const answer = await fetch(`http://127.0.0.1:${strict.port}/api/v1/notes`);
    expect(answer.status).toBe(401);
    await strict.close();
  });

  it('refuses a body without reading it', async () => {
    const head = `POST /api/v1/notes HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`;
    const answer = await sendBytes(head);
    expect(answer).toMatch(/^HTTP\/1.1 403 /);
    expect(answer.toLowerCase()).toContain('connection: close');
  });
});

describe('queries', () => {
  it('become what the operation wants', async () => {
    await send('POST', '/api/v1/notes', json, '{"content":"one ü","tags":["a"]}');
    await send('POST', '/api/v1/notes', json, '{"content":"two","tags":["b"]}');
    const count = async (query: string): Promise<number> =>
      (JSON.parse((await send('GET', `/api/v1/notes?${query}`)).text) as { notes: unknown[] }).notes.length;
    expect(await count('limit=1&verbose=true')).toBe(1);
    expect(await count('tags=a&tags=b')).toBe(2);
    expect(await count('tags=a,b')).toBe(2);
    expect(await count(`tags=${encodeURIComponent('["b"]')}`)).toBe(1);
    expect(await count(`where=${encodeURIComponent('{"contains":"ü"}')}`)).toBe(1);
    expectProblem(await send('GET', '/api/v1/notes?limit=many'), 400, 'invalid_input');
    for (const limit of ['0x10', '1e400', '', '%20'])
      expectProblem(await send('GET', `/api/v1/notes?limit=${limit}`), 400, 'invalid_input');
    expectProblem(await send('GET', '/api/v1/notes?__proto__=1'), 400, 'invalid_input');
    tiny.notes.clear();
  });
});

describe('lives of connections', () => {
  it('aborts the work of a caller that hangs up', async () => {
    const request = httpRequest({
      host: '127.0.0.1',
      port: http.port,
      method: 'DELETE',
      path: '/api/v1/gates/hangup',
      agent: false,
    });
    request.on('error', () => undefined);
    request.end();
    await tiny.waiting('hangup');
    request.destroy();
    await expect.poll(() => tiny.records.at(-1)?.error_code).toBe('cancelled');
  });

  it('ends a session by DELETE and knows it no more', async () => {
    const headers = { ...json, accept: 'application/json, text/event-stream' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
    const opened = await send(
      'POST',
      '/mcp',
      headers,
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
    );
    const session = { ...headers, 'mcp-session-id': String(opened.headers['mcp-session-id']) };
    const list = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    expect((await send('POST', '/mcp', session, list)).text).toContain('store_note');
    expect((await send('DELETE', '/mcp', session)).status).toBe(200);
    const after = await send('POST', '/mcp', session, list);
    expect(after.status).toBe(404);
    expect(JSON.parse(after.text)).toMatchObject({ id: 2, error: { message: expect.stringContaining('initialize') } });
    expect((await send('POST', '/mcp', headers, list)).status).toBe(400);
  });

  it('finishes what is in flight when it closes, ends streams, and takes nobody new', async () => {
    const own = tinyRuntime();
    const server = await startHttp(own.runtime, { ...OPTIONS, allowedHosts: [] });
    const base = `http://127.0.0.1:${server.port}`;
    const stream = await fetch(`${base}/sse`);
    const call = fetch(`${base}/api/v1/gates/slow`, { method: 'DELETE' });
    await own.waiting('slow');
    const closing = server.close(60_000);
    await expect(fetch(`${base}/health/live`)).rejects.toThrow();
    own.openGate('slow');
    expect(await (await call).json()).toMatchObject({ opened: 'slow' });
    await closing;
    expect(await stream.text()).toContain('event: endpoint');
  });

  it('cuts what does not finish within the grace', async () => {
    const own = tinyRuntime();
    const server = await startHttp(own.runtime, OPTIONS);
    const call = fetch(`http://127.0.0.1:${server.port}/api/v1/gates/never`, { method: 'DELETE' });
    const failed = expect(call).rejects.toThrow();
    await own.waiting('never');
    await server.close(1);
    await failed;
  });
});

describe('service', () => {
  it('describes every operation with an example', async () => {
    const api = JSON.parse((await send('GET', '/openapi.json')).text) as {
      openapi: string;
      paths: Record<string, Record<string, unknown>>;
    };
    expect(api.openapi).toBe('3.1.0');
    expect(api.paths['/api/v1/notes/{note_id}']?.get).toMatchObject({
      parameters: [{ name: 'note_id', in: 'path', required: true }],
    });
    expect(JSON.stringify(api.paths['/api/v1/notes']?.post)).toContain('nginx restarted');
  });

  it('exposes metrics, health and a page', async () => {
    expect((await send('GET', '/metrics')).text).toContain('notes 0');
    expect(JSON.parse((await send('GET', '/health')).text)).toMatchObject({
      status: 'ok',
      checks: [{ name: 'store' }],
    });
    expect((await send('GET', '/')).text).toContain(`http://127.0.0.1:${http.port}/mcp`);
  });

  it('imports with progress and exports', async () => {
    const imported = await send(
      'POST',
      '/api/v1/import?tags=x',
      { 'content-type': 'application/x-ndjson' },
      'one\ntwo\n',
    );
    const events = imported.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(events.at(-1)).toMatchObject({ type: 'done', stored: 2 });
    expect((await send('GET', '/api/v1/export')).text.trim().split('\n')).toHaveLength(2);
    expectProblem(await send('GET', '/api/v1/export?format=xml'), 400, 'invalid_input');
    tiny.notes.clear();
  });

  it('refuses an import that announces too much', async () => {
    const head = `POST /api/v1/import HTTP/1.1\r\nHost: localhost:${http.port}\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${limits.import_body_max_bytes + 1}\r\n\r\n`;
    expect(await sendBytes(head)).toMatch(/^HTTP\/1.1 413 /);
  });
});

describe('the synchronisation port', () => {
  it('answers honestly that there is nobody, behind checks of its own', async () => {
    const sync = await startSyncHttp(tiny.runtime, OPTIONS);
    const base = `http://127.0.0.1:${sync.port}`;
    expect(await (await fetch(`${base}/api/status`)).json()).toMatchObject({ machine_id: 'here', peers: [] });
    expect(await (await fetch(`${base}/api/trigger-sync`, { method: 'POST' })).json()).toMatchObject({
      triggered: false,
      peers: 0,
    });
    const foreign = `POST /api/trigger-sync HTTP/1.1\r\nHost: localhost:${http.port}\r\nConnection: close\r\n\r\n`;
    expect(await sendBytes(foreign, sync.port)).toMatch(/^HTTP\/1.1 403 /);
    await sync.close();
  });
});

function written(socket: Socket, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    socket.write(bytes, () => resolve());
  });
}

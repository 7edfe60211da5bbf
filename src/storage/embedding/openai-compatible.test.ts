import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createEmbedder } from './index.ts';
import { createHttpEmbedder, type HttpEmbedderOptions } from './openai-compatible.ts';

type Handler = (body: { model: string; input: string[] }, request: IncomingMessage, response: ServerResponse) => void;

/** A real server on loopback that answers as `handler` says. */
const serve = async (handler: Handler) => {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    response.setHeader('content-type', 'application/json');
    handler(JSON.parse(Buffer.concat(parts).toString()), request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const waits: number[] = [];
const make = (url: string, extra: Partial<HttpEmbedderOptions> = {}) =>
  createHttpEmbedder({
    protocol: 'openai',
    url,
    model: 'm',
    dimensions: 2,
    wait: async (ms) => {
      waits.push(ms);
    },
    ...extra,
  });

const vectorsOf = (input: string[]) => input.map((text, index) => ({ index, embedding: [text.length, 0] }));

describe('embedder behind an endpoint', () => {
  it('sends texts in batches with the key, and puts answers in order', async () => {
    const seen: { path: string | undefined; key: string | undefined; count: number }[] = [];
    await using server = await serve(({ input }, request, response) => {
      seen.push({ path: request.url, key: request.headers.authorization, count: input.length });
      response.end(JSON.stringify({ data: vectorsOf(input).reverse() }));
    });
    const embedder = make(server.url, { api_key: 'k' });
    const documents = await embedder.embedDocuments([
      ...Array.from({ length: 40 }, (_, i) => `text ${i}`),
      'word '.repeat(1000),
    ]);
    expect(documents).toHaveLength(41);
    expect(documents[40]!.chunks.length).toBeGreaterThan(2);
    expect([...documents[0]!.chunks[0]!.vector]).toEqual([1, 0]);
    expect(seen[0]).toEqual({ path: '/v1/embeddings', key: 'Bearer k', count: 32 });
    await embedder.embedQuery('q');
    await embedder.embedQuery('q');
    expect(seen).toHaveLength(3);
  });

  it('speaks Ollama as well', async () => {
    await using server = await serve(({ input }, request, response) => {
      expect(request.url).toBe('/v1/api/embed');
      response.end(JSON.stringify({ embeddings: input.map(() => [0, 3]) }));
    });
    const { vector } = await make(server.url, { protocol: 'ollama' }).embedQuery('q');
    expect([...vector]).toEqual([0, 1]);
  });

  it('tries again where it may help, as long as the server asks', async () => {
    let calls = 0;
    await using server = await serve(({ input }, _request, response) => {
      calls++;
      if (calls === 1) response.writeHead(429, { 'retry-after': '2' }).end('{}');
      else if (calls === 2) response.writeHead(503).end('{}');
      else response.end(JSON.stringify({ data: vectorsOf(input) }));
    });
    waits.length = 0;
    await make(server.url).embedQuery('q');
    expect(waits).toEqual([2000, 500]);
  });

  it.each([
    ['a server that stays broken', 500, '{}', 'unavailable'],
    ['a refused key', 401, '{}', 'config_invalid'],
    ['vectors of another length', 200, '{"data":[{"embedding":[1,2,3]}]}', 'config_invalid'],
    ['too few vectors', 200, '{"data":[]}', 'unavailable'],
    ['an answer that is no JSON', 200, '<html>', 'unavailable'],
    ['a vector that is none', 200, '{"data":[{"embedding":["a","b"]}]}', 'unavailable'],
  ])('reports %s', async (_what, status, body, code) => {
    await using server = await serve((_body, _request, response) => void response.writeHead(status).end(body));
    const embedder = make(server.url);
    await expect(embedder.embedQuery('q')).rejects.toMatchObject({ code });
    expect(embedder.status().error?.code).toBe(code);
  });

  it('reports an endpoint that is not there', async () => {
    const { url } = await (async () => {
      await using server = await serve(() => {});
      return { url: server.url };
    })();
    await expect(make(url).embedQuery('q')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('stops when told to', async () => {
    await using server = await serve(() => {});
    const abort = new AbortController();
    const waiting = make(server.url).embedQuery('q', { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});

describe('choice of embedder', () => {
  it('follows the configuration', async () => {
    await using local = createEmbedder({ provider: 'local' }, {});
    expect(local.dimensions).toBe(384);
    expect(createEmbedder({ provider: 'ollama', model: 'm', dimensions: 5 }, {}).id).toBe('ollama:m@5');
    expect(() => createEmbedder({ provider: 'openai' }, {})).toThrowError(
      expect.objectContaining({ code: 'config_invalid' }),
    );
    const keyed = { provider: 'openai', model: 'm', dimensions: 5, api_key_env: 'SOME_KEY' } as const;
    expect(() => createEmbedder(keyed, {})).toThrowError(expect.objectContaining({ code: 'config_invalid' }));
    expect(createEmbedder(keyed, { SOME_KEY: 'x' }).dimensions).toBe(5);
    const none = createEmbedder({ provider: 'none' }, {});
    await expect(none.embedQuery('q')).rejects.toMatchObject({ code: 'unavailable' });
    expect(await none.embedDocuments(['a'])).toEqual([{ chunks: [] }]);
  });
});

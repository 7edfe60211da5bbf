import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createChromaServer } from './chroma.ts';
import { createChromaHttp } from './chroma-http.ts';
import { DIMENSIONS, unit } from './exact-reference.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

const serve = async (handler: Handler): Promise<{ url: string; seen: IncomingMessage[] }> => {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => handler(request, response, seen.push(request)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`, seen };
};

const client = (url: string, over: { token?: string; waits?: number[]; connect_timeout_ms?: number } = {}) => {
  const http = createChromaHttp({
    url,
    token: over.token,
    timeout_ms: 30_000,
    connect_timeout_ms: over.connect_timeout_ms ?? 2_000,
    wait: async (ms) => void over.waits?.push(ms),
  });
  closing.push(() => http[Symbol.dispose]());
  return http;
};

const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

describe('requests to Chroma', () => {
  it('repeats what a busy server turns away, as late as it asks', async () => {
    const waits: number[] = [];
    const { url, seen } = await serve((_, response, count) => {
      if (count === 1) json(response, 429, {}, { 'retry-after': '1' });
      else if (count === 2) json(response, 503, {});
      else json(response, 200, 'here');
    });
    expect(await client(url, { waits }).send({ method: 'GET', path: '/x' })).toEqual({ status: 200, body: 'here' });
    expect(seen).toHaveLength(3);
    expect(waits).toEqual([1_000, 200]);
  });

  it('gives up after four attempts', async () => {
    const { url, seen } = await serve((_, response) => json(response, 503, {}));
    await expect(client(url).send({ method: 'GET', path: '/x' })).rejects.toMatchObject({ code: 'unavailable' });
    expect(seen).toHaveLength(4);
  });

  it('does not repeat what the server refuses', async () => {
    const { url, seen } = await serve((_, response) => json(response, 400, { error: 'no' }));
    expect(await client(url).send({ method: 'GET', path: '/x' })).toMatchObject({ status: 400 });
    expect(seen).toHaveLength(1);
  });

  it('sends a token both ways, or the user and password of the address', async () => {
    const { url, seen } = await serve((_, response) => json(response, 200, 1));
    const token = `t${Math.random()}`;
    await client(`${url}/below/`, { token }).send({ method: 'GET', path: '/x' });
    await client(url.replace('//', '//ann:p%40ss@')).send({ method: 'GET', path: '/x' });
    expect(seen[0]?.url).toBe('/below/x');
    expect(seen[0]?.headers).toMatchObject({ authorization: `Bearer ${token}`, 'x-chroma-token': token });
    expect(seen[1]?.headers.authorization).toBe(`Basic ${Buffer.from('ann:p@ss').toString('base64')}`);
  });

  it('sends again what went into a connection that the server had given up', async () => {
    const { url, seen } = await serve((request, response, count) => {
      if (count === 2) request.socket.destroy();
      else json(response, 200, count);
    });
    const http = client(url);
    expect(await http.send({ method: 'GET', path: '/x' })).toMatchObject({ body: 1 });
    expect(await http.send({ method: 'GET', path: '/x' })).toMatchObject({ body: 3 });
    expect(seen).toHaveLength(3);
  });

  it('turns callers away that get no connection in time, instead of letting them pile up', async () => {
    const { url } = await serve(() => {});
    const http = client(url, { connect_timeout_ms: 100 });
    const controller = new AbortController();
    const { signal } = controller;
    const turned_away: unknown[] = [];
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const calls = Array.from({ length: 40 }, () =>
      http.send({ method: 'GET', path: '/x', signal }).catch((error: unknown) => {
        if (turned_away.push(error) === 20) resolve();
      }),
    );
    await enough;
    controller.abort(new Error('over'));
    await Promise.all(calls);
    for (const error of turned_away.slice(0, 20)) expect(error).toMatchObject({ code: 'unavailable' });
  });

  it('ends with the reason of its caller', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const { url } = await serve(() => controller.abort(reason));
    await expect(client(url).send({ method: 'GET', path: '/x', signal: controller.signal })).rejects.toBe(reason);
  });

  it('takes an answer that breaks off as none', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"ids":');
      response.destroy();
    });
    await expect(client(url).send({ method: 'GET', path: '/x' })).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a server that is not the Chroma we need', () => {
  const open = (url: string) => {
    const server = createChromaServer({ url, store_id: 's', model_id: 'm', dimensions: DIMENSIONS });
    closing.push(() => void server[Symbol.asyncDispose]());
    return server;
  };

  it.each<[string, Handler, RegExp]>([
    ['refuses the token', (_, response) => json(response, 401, {}), /refused the token/],
    ['is an older one', (_, response) => json(response, 410, {}), /version 2/],
    ['is another program', (_, response) => json(response, 200, { hello: 1 }), /something else/],
    ['has none of the paths', (_, response) => json(response, 404, { detail: 'Not Found' }), /is not Chroma/],
    ['says only 404', (_, response) => void response.writeHead(404).end(), /is not Chroma/],
    ['sends a page', (_, response) => void response.writeHead(200).end('<html>'), /something else/],
  ])('is config_invalid where it %s', async (_, handler, message) => {
    const { url } = await serve(handler);
    const server = open(url);
    const invalid = { code: 'config_invalid', message: expect.stringMatching(message), hint: expect.any(String) };
    await expect(server.nearest(unit(1), { limit: 1 })).rejects.toMatchObject(invalid);
    await expect(server.check()).rejects.toMatchObject(invalid);
  });

  it('takes a missing collection for that, also where a proxy writes the answer anew', async () => {
    const told = await serve((_, response) => json(response, 404, { error: 'NotFoundError', message: 'c' }));
    expect(await open(told.url).nearest(unit(1), { limit: 1 })).toEqual([]);
    expect(told.seen).toHaveLength(1);
    const rewritten = await serve(({ url }, response) =>
      url?.endsWith('/heartbeat')
        ? json(response, 200, { 'nanosecond heartbeat': 1 })
        : void response.writeHead(404).end('<html>'),
    );
    expect(await open(rewritten.url).nearest(unit(1), { limit: 1 })).toEqual([]);
  });

  it('tells a collection with another distance', async () => {
    const collection = { id: 'c', configuration_json: { hnsw: { space: 'l2' } } };
    const { url } = await serve((_, response) => json(response, 200, collection));
    await expect(open(url).count()).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('l2'),
    });
  });

  it('says what to do where it has lost what applies writes', async () => {
    const { url } = await serve((_, response) =>
      json(response, 500, { error: 'InternalError', message: 'Error sending message to compactor' }),
    );
    await expect(open(url).remove([1])).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('takes no changes until it is started again'),
      hint: expect.stringMatching(/^Restart Chroma: /),
    });
  });

  it('does not repeat in its message what a server says of stored values', async () => {
    const { url } = await serve((_, response) => json(response, 500, { message: 'row "private"' }));
    const failure = await open(url)
      .count()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'unavailable' });
    expect(JSON.stringify(failure)).not.toContain('private');
  });
});

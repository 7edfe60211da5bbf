// What happens when the server of the vectors goes away and comes back, or never answers.
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type EngineServer, startChroma, startPgvector } from '../../../../scripts/engines/index.ts';
import { createChromaServer } from './chroma.ts';
import { DIMENSIONS, memory, unit } from './exact-reference.ts';
import { createPgvectorServer } from './pgvector.ts';
import type { VectorServer } from './port.ts';

const SECRET = `s${Math.random().toString(36).slice(2)}`;
const model = { store_id: 's', model_id: 'faults', dimensions: DIMENSIONS };
const ADAPTERS = [
  {
    kind: 'chroma',
    start: startChroma,
    open: (url: string, limits: { timeout_ms?: number; connect_timeout_ms?: number } = {}) =>
      createChromaServer({ url, ...model, ...limits, wait: async () => {} }),
    address: (port: number) => `http://ann:${SECRET}@127.0.0.1:${port}`,
  },
  {
    kind: 'pgvector',
    start: startPgvector,
    open: (url: string, limits: { timeout_ms?: number; connect_timeout_ms?: number } = {}) =>
      createPgvectorServer({ url, ...model, ...limits }),
    address: (port: number) => `postgres://ann:${SECRET}@127.0.0.1:${port}/postgres`,
  },
] as const;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const keep = <T extends AsyncDisposable>(resource: T): T => {
  closing.push(async () => resource[Symbol.asyncDispose]());
  return resource;
};

/** A port that accepts connections and says nothing. */
const silentPort = async (): Promise<{ readonly port: number; readonly sockets: ReadonlySet<Socket> }> => {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return { port: typeof address === 'object' && address ? address.port : 0, sockets };
};

const everyCall = (server: VectorServer): Promise<unknown>[] => [
  server.put([memory(1, [unit(1)])]),
  server.remove([1]),
  server.nearest(unit(1), { limit: 1 }),
  server.revisions(0, 1),
  server.count(),
  server.clear(),
  server.check(),
];

const failuresOf = async (calls: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(calls)).map((each) => (each.status === 'rejected' ? each.reason : undefined));

describe.each(ADAPTERS)('$kind in trouble', ({ start, open, address }) => {
  it('says that the server is away, and works again by itself when it is back', async () => {
    const engine: EngineServer & { readonly url: string } = keep(await start());
    const server = keep(open(engine.url));
    await server.put([memory(1, [unit(1)])]);
    await engine.kill();
    for (const failure of await failuresOf(everyCall(server)))
      expect(failure).toMatchObject({ code: 'unavailable', hint: expect.stringContaining('Start it') });
    await engine.restart();
    await server.put([memory(2, [unit(0, 1)])]);
    expect((await server.revisions(0, 9)).map(({ row_id }) => row_id)).toContain(2);
    const found = await server.nearest(unit(0, 1), { limit: 1 });
    expect(found).toMatchObject([{ row_id: 2, chunk: 0 }]);
  });

  it('uses a connection that the server ended while it was idle no second time', async () => {
    const engine = keep(await start());
    const server = keep(open(engine.url));
    await server.put([memory(1, [unit(1)])]);
    await engine.kill();
    await engine.restart();
    await server.put([memory(2, [unit(1)])]);
    expect(await server.count()).toBeGreaterThan(0);
  });

  it('gives up on a server that accepts and never answers, all callers at once', async () => {
    const server = keep(open(address((await silentPort()).port), { timeout_ms: 300, connect_timeout_ms: 200 }));
    const calls = Array.from({ length: 40 }, () => server.nearest(unit(1), { limit: 1 }));
    for (const failure of await failuresOf(calls)) expect(failure).toMatchObject({ code: 'unavailable' });
  });

  it('asks such a server once, so that nobody waits for several deadlines', async () => {
    const { port, sockets } = await silentPort();
    const server = keep(open(address(port), { timeout_ms: 300, connect_timeout_ms: 200 }));
    await expect(server.count()).rejects.toMatchObject({ code: 'unavailable' });
    expect(sockets.size).toBe(1);
  });

  it('keeps user and password of the address to itself', async () => {
    const server = keep(open(address((await silentPort()).port), { timeout_ms: 100, connect_timeout_ms: 100 }));
    const [failure] = await failuresOf([server.count()]);
    const told = JSON.stringify([server.place, failure, String(failure), String(failure?.cause)]);
    expect(told).toContain('127.0.0.1');
    expect(told).not.toContain(SECRET);
    for (const wrong of [`://ann:${SECRET}@host`, `ftp://ann:${SECRET}@host/x`, `${SECRET}`])
      expect(() => open(wrong)).toThrow(
        expect.objectContaining({ code: 'config_invalid', message: expect.not.stringContaining(SECRET) }),
      );
  });

  it('ends what still waits when it is closed', async () => {
    const server = open(address((await silentPort()).port));
    const waiting = failuresOf([server.count()]);
    await server[Symbol.asyncDispose]();
    expect((await waiting)[0]).toBeInstanceOf(Error);
  });
});

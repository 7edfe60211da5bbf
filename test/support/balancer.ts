// A balancer as a company has one: requests go in turn to the hubs that say they are ready. It never repeats a request,
// so that what a hub drops is seen.
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Balancer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Hubs by address; may change while requests run. */
  setHubs(urls: readonly string[]): void;
  /** Resolves when exactly these many are ready. Rejects after half a minute. */
  ready(count: number): Promise<void>;
  /** Requests that a hub did not answer, in words. */
  readonly failures: readonly string[];
  /** How many requests each hub was given. */
  readonly served: ReadonlyMap<string, number>;
}

const ASK_EVERY_MS = 50;
const READY_MAX_MS = 30_000;

export async function startBalancer(): Promise<Balancer> {
  const failures: string[] = [];
  const served = new Map<string, number>();
  const agent = new Agent({ keepAlive: true });
  let hubs: readonly string[] = [];
  let ready: readonly string[] = [];
  let turn = 0;
  let over = false;

  async function ask(): Promise<void> {
    while (!over) {
      const asked = hubs;
      const answers = await Promise.all(asked.map(isReady));
      ready = asked.filter((_, index) => answers[index]);
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
  }

  function pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const hub = ready[turn++ % Math.max(1, ready.length)];
    const what = `${incoming.method} ${incoming.url} at ${hub}`;
    if (hub === undefined) {
      failures.push(`${what}: no hub is ready`);
      outgoing.writeHead(503).end();
      return;
    }
    served.set(hub, (served.get(hub) ?? 0) + 1);
    const { method, headers } = incoming;
    const onward = request(new URL(incoming.url ?? '/', hub), { agent, method: method ?? 'GET', headers });
    onward.on('response', (answer) => {
      const { connection: _, ...kept } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, kept);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    });
    onward.on('error', (error) => {
      if (outgoing.destroyed) return;
      failures.push(`${what}: ${error.message}`);
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end();
    });
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  }

  const server = createServer(pass);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const asking = ask();
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    failures,
    served,
    setHubs(urls) {
      hubs = urls;
    },
    async ready(count) {
      const deadline_ms = performance.now() + READY_MAX_MS;
      while (ready.length !== count) {
        if (performance.now() > deadline_ms) throw new Error(`${ready.length} of ${count} hubs are ready`);
        await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
      }
    },
    async [Symbol.asyncDispose]() {
      over = true;
      await asking;
      server.closeAllConnections();
      agent.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function isReady(hub: string): Promise<boolean> {
  try {
    const answer = await fetch(`${hub}/health/ready`, { signal: AbortSignal.timeout(3_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}

// Doctor's checks of the hub's file and of the ports.
import { createServer } from 'node:net';
import type { HealthCheck } from '../../runtime.ts';
import type { HubState } from '../hub-file.ts';

export function checkHub(found: HubState, file: string): HealthCheck {
  const name = 'hub';
  switch (found.state) {
    case 'none':
      return { name, status: 'ok', detail: 'none runs; commands and stdio servers open the store themselves' };
    case 'alive':
      return {
        name,
        status: 'ok',
        detail: `process ${found.hub.pid} at ${found.hub.url}, version ${found.hub.version}`,
      };
    case 'stale':
      return {
        name,
        status: 'degraded',
        detail: `${file} is left over: ${found.detail}`,
        fix: `The next hub replaces it; to remove it now: rm '${file}'`,
      };
    case 'silent':
      return {
        name,
        status: 'failed',
        detail: `process ${found.hub.pid} at ${found.hub.url}: ${found.detail}`,
        fix: `Stop it (kill ${found.hub.pid}) and start it again.`,
      };
  }
}

/** Tries to listen for a moment; a port the running hub holds is as it should be. */
export async function checkPort(
  name: string,
  host: string,
  port: number,
  variable: string,
  heldByHub: boolean,
): Promise<HealthCheck> {
  if (port === 0) return { name, status: 'ok', detail: 'any free one' };
  const code = await whyNotFree(host, port);
  const place = `${host}:${port}`;
  if (code === undefined) return { name, status: 'ok', detail: `${place} is free` };
  if (code === 'EADDRINUSE') {
    if (heldByHub) return { name, status: 'ok', detail: `${place} is in use while the hub runs` };
    return {
      name,
      status: 'degraded',
      detail: `${place} is in use by another program`,
      fix: `Stop it, or choose another port: ${variable}=${port + 10}`,
    };
  }
  return {
    name,
    status: 'failed',
    detail: `${place} cannot be used: ${code}`,
    fix: `Choose another address or port: HAIVEMIND_HOST, ${variable}`,
  };
}

function whyNotFree(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

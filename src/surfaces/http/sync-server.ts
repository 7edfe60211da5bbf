// The synchronisation service's port: what this machine knows of its peers, and a push to synchronise now.
import type { AddressInfo } from 'node:net';
import { limits } from '../../kernel/limits.ts';
import type { Runtime } from '../runtime.ts';
import { createApp, type Phase } from './app.ts';
import { principalOfRequest } from './callers.ts';
import { closeGracefully, guardsOf, type HttpOptions, type HttpServer, watchOf } from './server.ts';

/** Listens with checks of its own: another port is another origin. Rejects like startHttp. */
export async function startSyncHttp(
  runtime: Runtime,
  options: HttpOptions,
): Promise<Pick<HttpServer, 'port' | 'close'>> {
  let guards = guardsOf(runtime, options, options.port);
  let phase: Phase = 'serving';
  const watch = watchOf(runtime, options);
  const app = createApp({ runtime, guards: () => guards, open_paths: new Set(), watch, phase: () => phase });
  app.addHook('onClose', async () => watch.stop());
  app.get('/api/status', async (request) => {
    await runtime.authorise(principalOfRequest(runtime, request), 'system.read', 'sync.status');
    return runtime.syncStatus();
  });
  app.post('/api/trigger-sync', async (request) => {
    await runtime.authorise(principalOfRequest(runtime, request), 'system.admin', 'sync.trigger');
    const { peers } = await runtime.syncStatus();
    if (peers.length > 0) {
      return {
        triggered: false,
        peers: peers.length,
        message: 'Peers are known, but exchange with them is not part of this version.',
      };
    }
    return { triggered: false, peers: 0, message: 'No peers are configured: there is nobody to synchronise with.' };
  });
  await app.listen({ host: options.host, port: options.port });
  const { port } = app.server.address() as AddressInfo;
  guards = guardsOf(runtime, options, port);
  return {
    port,
    async close(grace_ms = limits.shutdown_grace_ms) {
      phase = 'stopping';
      const nothing = async (): Promise<void> => undefined;
      await closeGracefully(app, nothing, nothing, grace_ms);
    },
  };
}

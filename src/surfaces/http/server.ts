// The hub's HTTP server: MCP, REST and what the service says about itself on one port.
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { Runtime } from '../runtime.ts';
import { createApp, type Phase } from './app.ts';
import { type CredentialWatch, watchCredentials } from './credential-watch.ts';
import { registerEvents } from './events.ts';
import type { GuardSettings } from './guards.ts';
import { registerMcp } from './mcp-routes.ts';
import { registerProjectFiles } from './project-files.ts';
import { registerProtectedResource, WELL_KNOWN_PATHS } from './protected-resource.ts';
import { limitCalls } from './rate-limit.ts';
import { registerRest } from './rest.ts';
import { PROBE_PATHS, registerService } from './service-routes.ts';
import { registerTransfers } from './transfers.ts';

export interface HttpOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Treat loopback connections that nobody forwarded as the machine's owner. */
  readonly trustLoopback: boolean;
  /** Further names the server is reached by. */
  readonly allowedHosts: readonly string[];
  readonly clock?: Clock;
  /** How often open requests are checked for credentials that ended. */
  readonly recheckMs?: number;
}

export interface HttpServer {
  readonly port: number;
  /** Says that it is not ready and goes on answering for a while, so that a balancer sends its requests elsewhere. */
  drain(drain_ms: number): Promise<void>;
  /** Accepts nobody new, finishes what is in flight within the grace, then ends streams and connections. */
  close(grace_ms?: number): Promise<void>;
}

/** Listens. Rejects with the system's error (EADDRINUSE, EACCES) where it cannot. */
export async function startHttp(runtime: Runtime, options: HttpOptions): Promise<HttpServer> {
  let guards = guardsOf(runtime, options, options.port);
  let phase: Phase = 'serving';
  const watch = watchOf(runtime, options);
  const app = createApp({
    runtime,
    guards: () => guards,
    open_paths: new Set([...PROBE_PATHS, ...WELL_KNOWN_PATHS]),
    watch,
    phase: () => phase,
  });
  app.addHook('onClose', async () => watch.stop());
  registerService(app, runtime, () => phase);
  registerProtectedResource(app, runtime.identities);
  limitCalls(app, runtime);
  registerRest(app, runtime);
  registerTransfers(app, runtime);
  registerProjectFiles(app, runtime);
  const events = registerEvents(app, runtime);
  const mcp = registerMcp(app, runtime, options.clock ?? systemClock);
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (error) {
    await mcp.close();
    await app.close();
    throw error;
  }
  const { port } = app.server.address() as AddressInfo;
  guards = guardsOf(runtime, options, port);
  return {
    port,
    async drain(drain_ms) {
      if (phase === 'serving') phase = 'draining';
      await after(drain_ms);
    },
    async close(grace_ms = limits.shutdown_grace_ms) {
      phase = 'stopping';
      await closeGracefully(
        app,
        () => runtime.executor.drained(),
        () => {
          events.close();
          return mcp.close();
        },
        grace_ms,
      );
    },
  };
}

/** The address clients are told is one of ours. */
export function guardsOf({ identities, owner_key }: Runtime, options: HttpOptions, port: number): GuardSettings {
  const { public_url } = identities;
  const allowed_hosts = public_url ? [...options.allowedHosts, new URL(public_url).host] : options.allowedHosts;
  return { host: options.host, port, trust_loopback: options.trustLoopback, owner_key, allowed_hosts };
}

export function watchOf({ log }: Runtime, { recheckMs }: HttpOptions): CredentialWatch {
  return watchCredentials(log, recheckMs ?? limits.credential_recheck_interval_ms);
}

/** After the work is done its answers still have to leave; streams that never end are not waited for longer. */
const ANSWER_FLUSH_MS = 250;
const IDLE_SWEEP_MS = 20;

/** Shared by both ports: stop accepting, let work finish, end what stays open by design, cut the rest at the deadline. */
export async function closeGracefully(
  app: FastifyInstance,
  drained: () => Promise<void>,
  endStreams: () => Promise<void>,
  grace_ms: number,
): Promise<void> {
  const deadline = setTimeout(() => app.server.closeAllConnections(), grace_ms);
  // A connection that is kept alive becomes idle when its answer has left, at a moment nobody announces.
  const sweep = setInterval(() => app.server.closeIdleConnections(), IDLE_SWEEP_MS);
  const stopped = new Promise<void>((resolve) => app.server.close(() => resolve()));
  await Promise.race([drained(), after(grace_ms)]);
  await Promise.race([stopped, after(Math.min(ANSWER_FLUSH_MS, grace_ms))]);
  await endStreams();
  await stopped;
  clearInterval(sweep);
  clearTimeout(deadline);
  await app.close();
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

// `haivemind up`, `serve` and `sync`: open the store, listen, say where, stay until a signal, finish what was begun.
import type { LoadedConfig } from '../../../config/load.ts';
import { failure } from '../../../kernel/errors.ts';
import { hubSocketPath } from '../../mcp/socket-path.ts';
import type { LocalRuntime } from '../../runtime.ts';
import type { CliContext } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import { configFor, type GlobalOptions } from '../globals.ts';
import { alreadyRunning, claimHub, type HubRecord, probeHub, storeOf } from '../hub-file.ts';
import { reachable, reachOf } from '../reach.ts';
import { toJsonText } from '../render.ts';
import { welcome } from '../welcome.ts';

interface ServerFlags extends GlobalOptions {
  readonly host?: string;
  readonly port?: string;
  readonly syncPort?: string;
  readonly welcome?: boolean;
}

interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/** Runs until a signal comes. Rejects with `conflict` where another hub has the data directory, `unavailable` where a port is taken. */
export async function runServer(kind: 'up' | 'serve' | 'sync', flags: ServerFlags, ctx: CliContext): Promise<number> {
  const config = configFor(withFlags(ctx, flags), flags);
  if (kind !== 'sync') {
    const found = await probeHub(config.data_dir);
    if (found.state === 'alive' && flags.welcome) return useRunning(found.hub, config, flags, ctx);
    if (found.state === 'alive' || found.state === 'silent') throw alreadyRunning(found.hub, found.state);
  }
  const runtime = await ctx.openRuntime(config, { role: 'server' });
  const opened: Opened = [() => runtime.close()];
  try {
    const hub = kind === 'sync' ? undefined : await startHub(runtime, config, ctx, opened);
    const sync = kind === 'serve' ? undefined : await startSync(runtime, config, opened);
    await announce({ hub, sync, config, flags, ctx });
    await untilStopped(ctx.io.signal);
  } finally {
    await closeAll(opened);
  }
  return EXIT.ok;
}

/** Options of the command line are the environment's, spelled differently. */
function withFlags(ctx: CliContext, flags: ServerFlags): CliContext {
  const given: Record<string, string> = {};
  if (flags.host) given.HAIVEMIND_HOST = flags.host;
  if (flags.port) given.HAIVEMIND_PORT = flags.port;
  if (flags.syncPort) given.HAIVEMIND_SYNC_PORT = flags.syncPort;
  return { ...ctx, io: { ...ctx.io, env: { ...ctx.io.env, ...given } } };
}

type Opened = (() => Promise<void>)[];

async function startHub(
  runtime: LocalRuntime,
  config: LoadedConfig,
  ctx: CliContext,
  opened: Opened,
): Promise<HubRecord> {
  const [{ startHttp }, { listenHubSocket }] = await Promise.all([
    import('../../http/server.ts'),
    import('../../mcp/hub-socket.ts'),
  ]);
  const { host, port, allowed_hosts, toolsets } = config.server;
  const http = await listening(host, port, 'HAIVEMIND_PORT', () =>
    startHttp(runtime, { host, port, trustLoopback: config.security.trust_loopback, allowedHosts: allowed_hosts }),
  );
  opened.push(() => http.close());
  const socket = await listenHubSocket(runtime, { path: hubSocketPath(config.data_dir), toolsets });
  opened.push(() => socket.close());
  // Where starting failed there is nobody to wait for.
  const { drain_ms } = config.server;
  ctx.io.prolong?.(drain_ms);
  opened.push(async () => {
    if (ctx.io.signal.aborted) await http.drain(drain_ms);
  });
  const record: HubRecord = {
    hub_id: runtime.hub_id,
    owner_key: runtime.owner_key,
    pid: process.pid,
    url: `http://${reachable(host)}:${http.port}`,
    socket: socket.path,
    version: ctx.version,
    machine_id: config.machine_id,
    started_at: new Date().toISOString(),
    store: storeOf(config),
    reach: reachOf({ host, port: http.port }, config.security),
  };
  const resign = await claimHub(config.data_dir, record);
  opened.push(async () => resign());
  return record;
}

async function startSync(runtime: LocalRuntime, config: LoadedConfig, opened: Opened): Promise<string> {
  const { startSyncHttp } = await import('../../http/sync-server.ts');
  const { host } = config.server;
  const { port } = config.sync;
  const sync = await listening(host, port, 'HAIVEMIND_SYNC_PORT', () =>
    startSyncHttp(runtime, {
      host,
      port,
      trustLoopback: config.security.trust_loopback,
      allowedHosts: config.server.allowed_hosts,
    }),
  );
  opened.push(() => sync.close());
  return `http://${reachable(host)}:${sync.port}`;
}

/** Listens, and turns the system's reasons why not into errors that say the fix. */
async function listening<L extends Listener>(
  host: string,
  port: number,
  variable: string,
  start: () => Promise<L>,
): Promise<L> {
  try {
    return await start();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const place = `${host}:${port}`;
    if (code === 'EADDRINUSE') {
      const who = await occupant(host, port);
      throw failure(
        'unavailable',
        `Port ${place} is in use by ${who}.`,
        `Stop it, or choose another port: ${variable}=${port + 10}.`,
        { cause },
      );
    }
    if (code === 'EACCES') {
      throw failure(
        'unavailable',
        `This user may not listen on port ${place}.`,
        `Choose a port above 1023: ${variable}=8900.`,
        { cause },
      );
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw failure(
        'unavailable',
        `${host} is no address of this machine.`,
        'Correct HAIVEMIND_HOST or remote_server.host; 127.0.0.1 always works.',
        { cause },
      );
    }
    throw cause;
  }
}

async function occupant(host: string, port: number): Promise<string> {
  try {
    const answer = await fetch(`http://${reachable(host)}:${port}/health`, { signal: AbortSignal.timeout(500) });
    const health: unknown = await answer.json();
    const ours = typeof health === 'object' && health !== null && 'machine_id' in health && 'uptime_seconds' in health;
    return ours ? 'a hAIveMind hub with another data directory' : 'another program';
  } catch {
    return 'another program';
  }
}

interface Started {
  readonly hub: HubRecord | undefined;
  readonly sync: string | undefined;
  readonly config: LoadedConfig;
  readonly flags: ServerFlags;
  readonly ctx: CliContext;
}

async function announce({ hub, sync, config, flags, ctx }: Started): Promise<void> {
  if (flags.json) {
    const line = {
      type: 'listening',
      pid: process.pid,
      url: hub?.url,
      sync_url: sync,
      socket: hub?.socket,
      data_dir: config.data_dir,
    };
    ctx.io.stdout.write(`${toJsonText(line)}\n`);
    return;
  }
  if (flags.welcome && hub) {
    ctx.io.stdout.write(await welcome(hub, sync, config, ctx, flags));
    return;
  }
  if (hub) ctx.io.stdout.write(`hub listening on ${hub.url} (data in ${config.data_dir})\n`);
  if (sync) ctx.io.stdout.write(`synchronisation listening on ${sync}\n`);
}

/** A hub that runs already is as good as one that just started: the same check, the same lines. */
async function useRunning(hub: HubRecord, config: LoadedConfig, flags: ServerFlags, ctx: CliContext): Promise<number> {
  ctx.io.stdout.write(`A hub for this data directory already runs (process ${hub.pid}).\n`);
  ctx.io.stdout.write(await welcome(hub, undefined, config, ctx, flags));
  return EXIT.ok;
}

function untilStopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** In the opposite order of opening: first nobody finds the hub, then nobody is sent to it, then nobody reaches it, then the store closes. */
async function closeAll(opened: Opened): Promise<void> {
  const problems: unknown[] = [];
  for (const close of opened.toReversed()) {
    try {
      await close();
    } catch (error) {
      problems.push(error);
    }
  }
  if (problems.length > 0) throw problems[0];
}

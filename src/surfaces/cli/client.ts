// The one interface commands call operations through, whether a hub runs on this machine or not.
import type { LoadedConfig } from '../../config/load.ts';
import { failure } from '../../kernel/errors.ts';
import type { Progress } from '../../kernel/operation.ts';
import { projectNameOf } from '../mcp/project.ts';
import type { ExportOptions, HealthReport, ImportOptions, LocalRuntime, TransferEvent } from '../runtime.ts';
import type { CliContext } from './contract.ts';
import { alreadyRunning, probeHub } from './hub-file.ts';

export interface CallOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface OperationClient {
  /** `hub`: a running hub does the work; `store`: this process opened the data directory. */
  readonly via: 'hub' | 'store';
  call(name: string, input: unknown, options: CallOptions): Promise<Readonly<Record<string, unknown>>>;
  importFrom(source: AsyncIterable<Uint8Array>, options: ImportOptions): AsyncIterable<TransferEvent>;
  exportTo(options: ExportOptions): AsyncIterable<string>;
  health(): Promise<HealthReport>;
  close(): Promise<void>;
}

/** Agent that stands on what a person stores from the shell. */
export const CLI_AGENT = 'haivemind-cli';

/** One terminal is one session: the shell that starts the commands is what stays. */
export function terminalSession(): string {
  return `cli:${process.ppid}`;
}

/** Prefers the hub: its model is loaded and its index warm. Rejects with `unavailable` where the hub hangs. */
export async function openClient(ctx: CliContext, config: LoadedConfig): Promise<OperationClient> {
  const found = await probeHub(config.data_dir, config.machine_id);
  if (found.state === 'alive') {
    const { hubClient } = await import('./hub-client.ts');
    return hubClient(found.hub, ctx.io);
  }
  if (found.state === 'silent') throw hubSilent(found.hub);
  return localClient(await ctx.openRuntime(quiet(config, ctx), { role: 'command' }), ctx.io.cwd);
}

/** A command says what went wrong once, in its own words; its log is for those who ask for it. */
function quiet(config: LoadedConfig, ctx: CliContext): LoadedConfig {
  if (ctx.io.env.HAIVEMIND_LOG_LEVEL) return config;
  return { ...config, server: { ...config.server, log_level: 'silent' } };
}

function hubSilent(hub: Parameters<typeof alreadyRunning>[0]): Error {
  const { message } = alreadyRunning(hub, 'silent');
  return failure(
    'unavailable',
    message,
    `Wait for it or stop it (kill ${hub.pid}); commands then open the store themselves.`,
  );
}

/** Operations in this process. */
function localClient(runtime: LocalRuntime, cwd: string): OperationClient {
  const principal = runtime.localPrincipal(CLI_AGENT);
  const project = projectNameOf(cwd);
  return {
    via: 'store',
    async call(name, input, options) {
      const result = await runtime.executor.execute(name, input, {
        principal,
        session: {
          key: terminalSession(),
          transport: 'cli',
          client_name: CLI_AGENT,
          ...(project === undefined ? {} : { project }),
        },
        request_id: crypto.randomUUID(),
        signal: options.signal,
        reportProgress: options.onProgress ?? noop,
      });
      return result.output;
    },
    importFrom: (source, options) => runtime.transfers.importFrom(source, principal, options),
    exportTo: (options) => runtime.transfers.exportTo(principal, options),
    health: () => runtime.health(),
    async close() {
      await runtime.executor.drained();
      await runtime.close();
    },
  };
}

function noop(): void {}

// Chooses who does the work: the hub of this machine where one runs, else this process.
import type { LoadedConfig } from '../../config/load.ts';
import { failure } from '../../kernel/errors.ts';
import { projectNameOf } from '../mcp/project.ts';
import { resolveCaller } from '../mcp/sessions.ts';
import type { LocalRuntime } from '../runtime.ts';
import { CLI_AGENT, type OperationClient, terminalSession } from './client.ts';
import type { CliContext } from './contract.ts';
import { alreadyRunning, probeHub, servesStoreOf } from './hub-file.ts';
import { remoteHubUrl, warnOfPlainHttp } from './remote-hub.ts';

/** The hub that is named, else that of this machine: its model is loaded and its index warm. Rejects with `unavailable` where the hub hangs. */
export async function openClient(ctx: CliContext, config: LoadedConfig): Promise<OperationClient> {
  const url = remoteHubUrl(ctx.io.env);
  const session_name = terminalSession(ctx.io.env);
  if (url !== undefined) {
    warnOfPlainHttp(url, ctx.io);
    const { hubClient } = await import('./hub-client.ts');
    return hubClient({ url, from_machine_id: config.machine_id }, ctx.io);
  }
  const found = await probeHub(config.data_dir);
  if (found.state === 'alive' && servesStoreOf(found.hub, config)) {
    const { hubClient } = await import('./hub-client.ts');
    return hubClient({ url: found.hub.url, owner_key: found.hub.owner_key }, ctx.io);
  }
  if (found.state === 'silent') throw hubSilent(found.hub);
  return localClient(await ctx.openRuntime(quiet(config, ctx), { role: 'command' }), session_name, ctx.io);
}

/** A command says what went wrong once, in its own words; its log is for those who ask for it. */
export function quiet(config: LoadedConfig, ctx: CliContext): LoadedConfig {
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
function localClient(
  runtime: LocalRuntime,
  session_name: string,
  { cwd, signal: interrupted }: CliContext['io'],
): OperationClient {
  const principal = runtime.localPrincipal(CLI_AGENT);
  const project = projectNameOf(cwd);
  // As a hub would name it, so that a session goes on whoever does the work.
  const { session } = resolveCaller(
    {
      transport: 'cli',
      principalFor: () => principal,
      session_name,
      ...(project === undefined ? {} : { project }),
    },
    undefined,
    { name: CLI_AGENT },
  );
  return {
    via: 'store',
    async call(name, input, options) {
      const result = await runtime.executor.execute(name, input, {
        principal,
        session,
        request_id: crypto.randomUUID(),
        signal: options.signal,
        reportProgress: options.onProgress ?? noop,
      });
      return result.output;
    },
    importFrom: (source, options) => runtime.transfers.importFrom(source, principal, options),
    exportTo: (options) => runtime.transfers.exportTo(principal, options),
    async *backupOut(backup_id) {
      yield* (await runtime.backupFiles.takeOut(principal, backup_id)).pieces;
    },
    backupIn: (source) => runtime.backupFiles.takeIn(principal, source),
    health: () => runtime.health(),
    settle: runtime.settle,
    inspect: runtime.inspect,
    async close() {
      await runtime.executor.drained();
      await runtime.close({ abandon: interrupted.aborted });
    },
  };
}

function noop(): void {}

// Configuration in, running services out: the only place that sees everything.
import { userInfo } from 'node:os';
import type { LoadedConfig } from './config/load.ts';
import { formatOperations, GUIDE } from './domains/format/index.ts';
import { createSessions, type SessionTables } from './domains/identity/index.ts';
import { createMemory, memoryOperations } from './domains/memory/index.ts';
import { createExecutor, type ExecuteHooks } from './kernel/execute.ts';
import { bindOperation, isAgentTransport, type Principal } from './kernel/operation.ts';
import { createChangeFeed } from './runtime/change-feed.ts';
import { createEmbedder } from './runtime/embedder.ts';
import { createHealth } from './runtime/health.ts';
import { inspect } from './runtime/inspect.ts';
import { INSTRUCTIONS } from './runtime/instructions.ts';
import { createLog } from './runtime/log.ts';
import { startMaintenance } from './runtime/maintenance.ts';
import { createMetrics } from './runtime/metrics.ts';
import { createRedact } from './runtime/redact.ts';
import { createResources } from './runtime/resources.ts';
import { shutDown } from './runtime/shutdown.ts';
import { readGauges } from './runtime/store-gauges.ts';
import { syncStatus } from './runtime/sync-status.ts';
import { createTransfers } from './runtime/transfers.ts';
import { type MigrateRequest, migrateStore, openDatabase, restoreBackup, restorePostgres } from './storage/index.ts';
import { version } from './surfaces/cli/version.ts';
import type { LocalRuntime, OpenOptions } from './surfaces/runtime.ts';

/** Opens the store and puts the services around it. Errors are those of opening: storage_*, model_*, config_invalid. */
export async function openRuntime(config: LoadedConfig, { role, clock }: OpenOptions): Promise<LocalRuntime> {
  const { data_dir, machine_id } = config;
  const log = createLog(config.server.log_level, { machine_id, role });
  const { synchronous } = config.storage;
  const store = await openDatabase({
    data_dir,
    machine_id,
    synchronous,
    postgres: config.engines.postgres,
    ...(clock ? { clock } : {}),
  });
  const embedder = createEmbedder(config.storage.embedding);
  const feed = createChangeFeed();
  const sessions = createSessions(store.withTables<SessionTables>());
  const memory = createMemory({
    store,
    embedder,
    redact: createRedact(config.security.redact_secrets),
    retention: config.storage.retention,
    changed: feed.memoryChanged,
    longLived: role !== 'command',
    onError: (error, message) => log.error({ err: error }, message),
  });
  const metrics = role === 'server' ? await createMetrics(readGauges(store, memory)) : undefined;

  const hooks: ExecuteHooks = {
    // One permission set until identities other than this machine's owner exist; the door is here for all surfaces.
    authorise: () => {},
    observe(record) {
      metrics?.observe(record);
      const { operation, ctx, duration_ms, error_code, error } = record;
      if (ctx.session.transport !== 'internal') sessions.note(ctx, operation, error_code !== undefined);
      const fields = {
        operation,
        request_id: ctx.request_id,
        transport: ctx.session.transport,
        duration_ms: Math.round(duration_ms * 10) / 10,
      };
      if (error_code === 'internal') log.error({ ...fields, err: error }, 'operation failed');
      else if (error_code) log.info({ ...fields, code: error_code }, 'operation refused');
    },
    async annotate(operation, ctx) {
      if (operation.toolset !== 'memory' || !isAgentTransport(ctx.session.transport)) return {};
      try {
        return (await sessions.claimGuide(ctx)) ? { format_guide: GUIDE } : {};
      } catch (error) {
        // The operation is done and may have written: a guide that cannot be noted must not make it look failed.
        log.warn({ err: error }, 'the format guide was not given to a session; its next call tries again');
        return {};
      }
    },
  };
  const operations = [
    ...memoryOperations.map((operation) => bindOperation(operation as never, memory.deps as never)),
    ...formatOperations.map((operation) => bindOperation(operation as never, { sessions } as never)),
  ];
  const executor = createExecutor(operations, hooks);
  const resources = createResources(executor);
  const owner: Principal = { user_id: userInfo().username, agent_id: 'local', machine_id };
  const stopMaintenance =
    role === 'server' ? startMaintenance({ memory: memory.deps, sessions, principal: owner, log }) : () => {};
  if (role !== 'command') memory.follower.start();

  return {
    version,
    executor,
    log,
    instructions: INSTRUCTIONS,
    transfers: createTransfers(memory.deps),
    localPrincipal: (agent_id) => ({ ...owner, agent_id: agent_id ?? owner.agent_id }),
    health: createHealth({ version, store, embedder, memory }),
    metrics: async () => (metrics ? metrics.expose() : ''),
    readResource: resources.read,
    listResources: resources.list,
    syncStatus: () => syncStatus(store, version),
    onResourceChanged: feed.subscribe,
    backup: (path) => store.engine.backup(path),
    settle: (onProgress, signal) => memory.follower.settle(signal, onProgress),
    inspect: () => inspect({ store, embedder }),
    close: ({ abandon = false } = {}) =>
      shutDown({ abandon, role, executor, memory, sessions, embedder, store, stopMaintenance, log }),
  };
}

/** Replaces the store of this configuration by a backup. Nobody may have it open. */
export async function restoreStore(config: LoadedConfig, path: string, { replace = true } = {}) {
  const { postgres } = config.engines;
  return postgres ? restorePostgres(postgres, path, { replace }) : restoreBackup(config.data_dir, path);
}

/** Moves a store from one engine to another; the configuration gives what the places do not say. */
export function moveStore(config: LoadedConfig, request: Omit<MigrateRequest, 'postgres'>) {
  return migrateStore({ ...request, postgres: config.engines.postgres });
}

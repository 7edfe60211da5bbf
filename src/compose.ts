// Configuration in, running services out: the only place that sees everything.
import { randomBytes, randomUUID } from 'node:crypto';
import type { LoadedConfig } from './config/load.ts';
import { formatOperations } from './domains/format/index.ts';
import { createSessions, type SessionTables } from './domains/identity/index.ts';
import { createMemory, memoryOperations } from './domains/memory/index.ts';
import { createExecutor } from './kernel/execute.ts';
import { bindOperation } from './kernel/operation.ts';
import { createCallLimit } from './runtime/call-limit.ts';
import { createChangeFeed } from './runtime/change-feed.ts';
import { createEvents } from './runtime/events.ts';
import { openFoundation } from './runtime/foundation.ts';
import { createHealth, storeCheck } from './runtime/health.ts';
import { createHooks } from './runtime/hooks.ts';
import { createIdentities } from './runtime/identities.ts';
import { inspect } from './runtime/inspect.ts';
import { INSTRUCTIONS } from './runtime/instructions.ts';
import { createTroubleLog } from './runtime/log-trouble.ts';
import { startMaintenance } from './runtime/maintenance.ts';
import { createMcpSessionStore } from './runtime/mcp-sessions.ts';
import { createMetrics } from './runtime/metrics.ts';
import { createOutsideOperations } from './runtime/outside-operations.ts';
import { openPrivacy } from './runtime/privacy.ts';
import { createRedact } from './runtime/redact.ts';
import { createReindex } from './runtime/reindex.ts';
import { createRelay } from './runtime/relay.ts';
import { openRelaySeal } from './runtime/relay-seal.ts';
import { createResourceSight } from './runtime/resource-sight.ts';
import { assertSubscribable, urisOf } from './runtime/resource-uris.ts';
import { createResources } from './runtime/resources.ts';
import { shutDown } from './runtime/shutdown.ts';
import { createStillHere } from './runtime/still-here.ts';
import { readGauges } from './runtime/store-gauges.ts';
import { forgetStoreElsewhere } from './runtime/store-place.ts';
import { syncStatus } from './runtime/sync-status.ts';
import { createTransfers } from './runtime/transfers.ts';
import { createVectorServer } from './runtime/vector-server.ts';
import { openWork } from './runtime/work.ts';
import { createBackupFiles } from './runtime/work-backups.ts';
import { type MigrateRequest, restoreBackup, vaultsInCopy } from './storage/index.ts';
import { version } from './surfaces/cli/version.ts';
import type { LocalRuntime, OpenOptions } from './surfaces/runtime.ts';

/** Opens the store and puts the services around it. Errors are those of opening: storage_*, model_*, config_invalid. */
export async function openRuntime(config: LoadedConfig, { role, clock }: OpenOptions): Promise<LocalRuntime> {
  const base = await openFoundation(config, { role, clock });
  const { log, store, engines, coordination, embedder, keyring, access, owner } = base;
  const feed = createChangeFeed(coordination);
  const sessions = createSessions(store.withTables<SessionTables>());
  const redact = createRedact(config.security.redact_secrets);
  const memory = createMemory({
    store,
    embedder,
    cache: coordination.cache,
    redact,
    retention: config.storage.retention,
    vector_server: await createVectorServer(engines.vectors, embedder, store.store_id),
    changed: (memory_id) => feed.changed('memory', memory_id),
    longLived: role !== 'command',
    onError: createTroubleLog(log, () => performance.now()),
  });
  const metrics = role === 'server' ? await createMetrics(readGauges(store, memory)) : undefined;
  const work = openWork({ ...base, ...config.claudeops, memory, feed, redact, data_dir: config.data_dir });

  const operations = [
    ...memoryOperations.map((operation) => bindOperation(operation as never, memory.deps as never)),
    ...formatOperations.map((operation) => bindOperation(operation as never, { sessions } as never)),
    ...access.operations,
    ...work.operations,
    ...openPrivacy({ ...work.agents.deps, store, audit: access.audit, memory: memory.deps, sessions }),
  ];
  const executor = createExecutor(operations, createHooks({ metrics, sessions, ...work.agents.deps, log, ...access }));
  const resources = createResources(executor);
  const outside = createOutsideOperations({ log, ...access });
  const mcpSessions = createMcpSessionStore(store);
  const stopMaintenance = maintain(role, {
    ...access,
    ...{ memory: memory.deps, work, sessions, mcpSessions, principal: owner, leases: coordination, log },
  });
  if (role !== 'command') memory.follower.start();

  return {
    hub_id: randomUUID(),
    owner_key: randomBytes(32).toString('base64url'),
    version,
    executor,
    log,
    instructions: INSTRUCTIONS,
    transfers: createTransfers(memory.deps, outside.authorise),
    backupFiles: createBackupFiles(work.backups, outside.authorise),
    localPrincipal: (agent_id) => ({ ...owner, agent_id: agent_id ?? owner.agent_id }),
    health: createHealth({ version, store, embedder, memory, coordination }),
    ready: () => storeCheck(store),
    mcpSessions,
    relay: createRelay(coordination, await openRelaySeal(store)),
    identities: createIdentities(access.identity, config.security.public_url),
    ...createCallLimit(coordination, config.server.calls_per_minute),
    metrics: async () => (metrics ? metrics.expose() : ''),
    readResource: resources.read,
    assertResourceUri: assertSubscribable,
    ...outside,
    mayReadResource: createResourceSight({ store, feed, log, gate: access.gate }),
    listResources: resources.list,
    ...createStillHere({ ...work.agents.deps, store, log }),
    syncStatus: () => syncStatus(store, version),
    followEvents: createEvents({ store, feed, gate: access.gate }),
    onResourceChanged: (listener) =>
      feed.subscribe((kind, id) => {
        for (const uri of urisOf(kind, id)) listener(uri);
      }),
    backup: async (path) => ({ ...(await store.engine.backup(path)), vaults: vaultsInCopy(path) }),
    settle: (onProgress, signal) => memory.follower.settle(signal, onProgress),
    rotateMasterKey: (how) => access.vaults.rotateMasterKey(owner, how),
    inspect: () => inspect({ store, embedder, keyring }),
    ...createReindex(memory),
    close: async ({ abandon = false } = {}) => {
      await access.identity.turnedAway.flush();
      await shutDown({ ...base, abandon, role, executor, memory, work, sessions, stopMaintenance });
    },
  };
}

/** Schedules are the hub's: a command or a stdio server comes and goes. */
function maintain(role: OpenOptions['role'], deps: Parameters<typeof startMaintenance>[0]): () => void {
  return role === 'server' ? startMaintenance(deps) : () => {};
}

interface RestoreHow {
  /** False: only into an empty database; a file is always replaced. */
  readonly replace?: boolean;
  readonly signal?: AbortSignal;
}

/** Replaces the store of this configuration by a backup. Nobody may have it open. */
export async function restoreStore(config: LoadedConfig, path: string, how: RestoreHow = {}) {
  const { postgres } = config.engines;
  if (!postgres) {
    const report = await restoreBackup(config.data_dir, path);
    forgetStoreElsewhere(config.data_dir);
    return { ...report, vaults: vaultsInCopy(path) };
  }
  const { restorePostgres } = await import('./storage/transfer/index.ts');
  const report = await restorePostgres(postgres, path, { ...how, replace: how.replace ?? true });
  return { ...report, vaults: vaultsInCopy(path) };
}

/** Moves a store from one engine to another; the configuration gives what the places do not say. */
export async function moveStore(config: LoadedConfig, request: Omit<MigrateRequest, 'postgres'>) {
  const { migrateStore } = await import('./storage/transfer/index.ts');
  return migrateStore({ ...request, postgres: config.engines.postgres });
}

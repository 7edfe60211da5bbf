// What everything else stands on, opened in order: log, store, keys, rights, then what may need a secret from a vault.
import type { Engines } from '../config/engines.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Principal } from '../kernel/operation.ts';
import { cachedEmbedder } from '../storage/coordination/cached-embedder.ts';
import { type Database, openDatabase } from '../storage/index.ts';
import { type KeyRing, openKeyRing } from '../storage/keyring/index.ts';
import { version } from '../surfaces/cli/version.ts';
import type { Log, OpenOptions } from '../surfaces/runtime.ts';
import { type Access, openAccess } from './access.ts';
import { openCoordination } from './coordination.ts';
import { createEmbedder } from './embedder.ts';
import { createLog } from './log.ts';
import { machineOwner } from './machine-owner.ts';
import { assertStoreHere, noteStoreElsewhere } from './store-place.ts';
import { resolveReferences } from './vault-references.ts';

export interface Foundation {
  readonly log: Log;
  readonly store: Database;
  readonly keyring: KeyRing;
  readonly access: Access;
  readonly owner: Principal;
  /** With their secrets. */
  readonly engines: Engines;
  readonly coordination: Awaited<ReturnType<typeof openCoordination>>;
  readonly embedder: ReturnType<typeof cachedEmbedder>;
}

export async function openFoundation(
  config: LoadedConfig,
  { role, clock }: Pick<OpenOptions, 'role'> & { readonly clock: Clock | undefined },
): Promise<Foundation> {
  const { data_dir, machine_id } = config;
  const log = createLog(config.server.log_level, { machine_id, role });
  const { postgres } = config.engines;
  if (!postgres) assertStoreHere(data_dir);
  const { synchronous } = config.storage;
  const store = await openDatabase({ data_dir, machine_id, synchronous, postgres, ...(clock ? { clock } : {}) });
  if (store.engine.kind !== 'sqlite' && role === 'server') noteStoreElsewhere(data_dir, store.engine.place);
  const keyring = openKeyRing(config.security.keyring, { data_dir, env: process.env });
  const access = openAccess({ store, keyring, security: config.security, log });
  const owner = machineOwner(machine_id);
  const engines = await resolveReferences(config.engines, config.vault_references, async (...wanted) =>
    access.vaults.readNamed(await access.gate.withTeams(owner), ...wanted),
  ).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const coordination = await openCoordination({ ...config, engines }, store, log);
  if (role === 'server')
    await coordination
      .announce({ machine_id, version })
      .catch((error: unknown) => log.warn({ err: error }, 'this hub could not say that it is there'));
  const embedder = cachedEmbedder(createEmbedder(config.storage.embedding), coordination.cache);
  return { log, store, keyring, access, owner, engines, coordination, embedder };
}

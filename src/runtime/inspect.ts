// The slow checks that `haivemind doctor` makes: the whole file, the full-text index, the model's files, the key ring.
import { sql } from 'kysely';
import { toErrorBody } from '../kernel/errors.ts';
import type { Database } from '../storage/database.ts';
import type { Embedder } from '../storage/embedding/port.ts';
import { type KeyRing, masterKeysMissing, namedKeys } from '../storage/keyring/index.ts';
import type { HealthCheck } from '../surfaces/runtime.ts';

const RESTORE = 'Keep the file; restore a copy with `haivemind restore <backup>` or from the backups folder beside it.';

export interface InspectDeps {
  readonly store: Database;
  readonly embedder: Embedder;
  readonly keyring: KeyRing;
}

/** Reads everything once; seconds on a large store. */
export async function inspect({ store, embedder, keyring }: InspectDeps): Promise<readonly HealthCheck[]> {
  return [
    await guarded('integrity', RESTORE, async () => {
      return store.engine.verify();
    }),
    await guarded('full text', 'Export the memories, restore a backup, and import them again.', async () => {
      const living = await sql<{
        count: number;
      }>`select count(*) as count from memories where deleted_at is null`.execute(store.db);
      const memories = living.rows[0]?.count ?? 0;
      const indexed = await store.text.count();
      if (memories !== indexed) throw new Error(`${memories} memories, ${indexed} in the index of words`);
      return `${indexed} memories in the index of words`;
    }),
    await guarded('model', 'Install haivemind again, or copy models/ from a good installation.', async () => {
      await embedder.warm();
      return `${embedder.id} loads`;
    }),
    await guarded('key ring', 'Look at security.keyring in the configuration.', async () => {
      // A key nobody has: asking for it goes all the way and makes nothing.
      await keyring.find('no such key');
      const { missing } = await namedKeys(store, keyring);
      if (missing.length > 0) throw masterKeysMissing(missing, keyring.place);
      return keyring.place;
    }),
  ];
}

async function guarded(name: string, fix: string, check: () => Promise<string>): Promise<HealthCheck> {
  try {
    return { name, status: 'ok', detail: await check() };
  } catch (error) {
    const body = toErrorBody(error);
    if (body.code !== 'internal') return { name, status: 'failed', detail: body.message, fix: body.hint };
    return { name, status: 'failed', detail: error instanceof Error ? error.message : String(error), fix };
  }
}

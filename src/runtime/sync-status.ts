// What this machine would tell a peer: who it is and what it has.
import type { Database } from '../storage/database.ts';
import type { SyncStatus } from '../surfaces/runtime.ts';

export async function syncStatus(store: Database, version: string): Promise<SyncStatus> {
  const origins = await store.db.selectFrom('origins').select(['origin', 'last_sequence']).execute();
  return {
    machine_id: store.machine_id,
    version,
    version_vector: Object.fromEntries(origins.map((row) => [row.origin, row.last_sequence])),
    peers: [],
  };
}

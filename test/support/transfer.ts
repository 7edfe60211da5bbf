// Stores to be moved from engine to engine, and a look at every row of them that uses none of the code that moves them.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openRuntime } from '../../src/compose.ts';
import { migrateStore } from '../../src/storage/transfer/index.ts';
import type { MigrateReport, MigrateRequest } from '../../src/storage/transfer/migrate-store.ts';
import { contextOf, testConfig } from './open-app.ts';
import { postgresRows } from './test-store.ts';

/** Every table that has to arrive with each row, and what its rows are sorted by here. */
export const MOVED_TABLES = {
  store_identity: 'only_row',
  origins: 'origin',
  changes: 'seq',
  memories: 'row_id',
  memory_tags: 'tag, row_id',
  memory_versions: 'memory_id, version',
  memory_vectors: 'vector_seq',
  memory_vector_queue: 'row_id',
  vector_state: 'model_id',
  memory_signatures: 'band, row_id',
  agent_sessions: 'session_key',
  agent_session_calls: 'session_key, operation',
} as const;

export type Contents = Record<string, Record<string, unknown>[]>;

/** All rows of a store in a data directory. */
export function contentsOfDirectory(data_dir: string): Contents {
  return contentsOfFile(join(data_dir, 'haivemind.db'));
}

export function contentsOfFile(file: string): Contents {
  const raw = new DatabaseSync(file, { readOnly: true });
  try {
    return Object.fromEntries(
      Object.entries(MOVED_TABLES).map(([table, order]) => [
        table,
        raw.prepare(`select * from ${table} order by ${order}`).all().map(plain),
      ]),
    );
  } finally {
    raw.close();
  }
}

/** All rows of a store on PostgreSQL. */
export async function contentsOfDatabase(url: string): Promise<Contents> {
  const found: Contents = {};
  for (const [table, order] of Object.entries(MOVED_TABLES))
    found[table] = (await postgresRows(url, `select * from ${table} order by ${order}`, [])).map(plain);
  return found;
}

/** Bytes as text, so that rows of both drivers compare. */
function plain(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ]),
  );
}

/** Moves a store as the command does, without hubs to look for. */
export function move(from: string, to: string, more: Partial<MigrateRequest> = {}): Promise<MigrateReport> {
  return migrateStore({ cwd: '/', dry_run: false, restart: false, guard: async () => {}, ...more, from, to });
}

/** Opens the store on this database and runs operations as one user. */
export async function withStoreOn<T>(
  url: string,
  data_dir: string,
  use: (call: (operation: string, input?: unknown) => Promise<Record<string, never>>) => Promise<T>,
  embedding: 'none' | 'local' = 'none',
): Promise<T> {
  const config = testConfig(data_dir, { embedding }, { url, pool_max_count: 4, statement_timeout_ms: 30_000 });
  const runtime = await openRuntime(config, { role: 'command' });
  try {
    return await use(async (operation, input) => {
      const { output } = await runtime.executor.execute(operation, input, contextOf(config.machine_id));
      return output as Record<string, never>;
    });
  } finally {
    await runtime.close();
  }
}

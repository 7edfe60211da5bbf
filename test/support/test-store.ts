// Which engine the tests of this run have under the store: a file, or a database of its own on the run's PostgreSQL.
import pg from 'pg';
import { freshDatabase } from '../../scripts/engines/index.ts';
import type { PostgresTarget } from '../../src/config/engines.ts';

interface Known {
  readonly target: PostgresTarget;
  readonly drop: () => Promise<void>;
  users: number;
}

const byDirectory = new Map<string, Promise<Known>>();

export const onPostgres = process.env.HAIVEMIND_TEST_ENGINE === 'postgres';

export interface TestStore {
  readonly postgres?: PostgresTarget;
  /** Drops the database with its last user. */
  leave(): Promise<void>;
}

/** The store that belongs to a data directory: the same for all who name the same directory. */
export async function testStore(data_dir: string): Promise<TestStore> {
  if (!onPostgres) return { leave: async () => {} };
  const known = byDirectory.get(data_dir) ?? makeDatabase();
  byDirectory.set(data_dir, known);
  const { target, drop } = await known;
  (await known).users++;
  return {
    postgres: target,
    async leave() {
      const entry = await known;
      entry.users--;
      if (entry.users > 0) return;
      byDirectory.delete(data_dir);
      await drop();
    },
  };
}

async function makeDatabase(): Promise<Known> {
  const server = process.env.HAIVEMIND_TEST_POSTGRES_URL;
  if (!server) throw new Error('postgres: HAIVEMIND_TEST_POSTGRES_URL names no server.');
  const { url, drop } = await freshDatabase(server);
  return { target: { url, pool_max_count: 4, statement_timeout_ms: 30_000 }, drop, users: 0 };
}

/** Runs one statement with `?` for parameters beside the runtime; counts are numbers. */
export async function postgresRows(
  url: string,
  statement: string,
  parameters: readonly (string | number)[],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({
    connectionString: url,
    types: { getTypeParser: ((oid: number) => (oid === 20 ? Number : pg.types.getTypeParser(oid))) as never },
  });
  await client.connect();
  try {
    let position = 0;
    const { rows } = await client.query(
      statement.replace(/\?/g, () => `$${++position}`),
      [...parameters],
    );
    return rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

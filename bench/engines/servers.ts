// The real servers of one run, started when they are needed first: where they are, what they use, what they hold on disk.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import {
  type ChromaServer,
  type EngineServer,
  freshDatabase,
  type PgvectorServer,
  type PostgresServer,
  type RedisServer,
  startChroma,
  startPgvector,
  startPostgres,
  startRedis,
} from '../../scripts/engines/index.ts';
import { argumentsOf } from './cpu.ts';

export type ServerName = 'postgres' | 'redis' | 'chroma' | 'pgvector';

export interface Servers {
  /** Durable: commits wait for the disk. One for the whole run. */
  postgres(): Promise<PostgresServer>;
  /** A new empty database of it. */
  database(): Promise<string>;
  redis(): Promise<RedisServer>;
  chroma(): Promise<ChromaServer>;
  pgvector(): Promise<PgvectorServer>;
  running(): readonly { readonly name: ServerName; readonly pid: number }[];
  /** Ends one, so that the next store gets an empty one. */
  end(name: ServerName): Promise<void>;
  stop(): Promise<void>;
}

/** Settings of PostgreSQL a store of this size is given in practice; its defaults are those of a machine of 1998. */
const SETTINGS = [
  "alter system set shared_buffers = '512MB'",
  "alter system set effective_cache_size = '4GB'",
  "alter system set random_page_cost = '1.1'",
  "alter system set max_wal_size = '4GB'",
];
export const POSTGRES_SETTINGS =
  'shared_buffers 512 MB, effective_cache_size 4 GB, random_page_cost 1.1, max_wal_size 4 GB, the rest as shipped (fsync and synchronous_commit on)';

export function createServers(): Servers {
  const started = new Map<ServerName, Promise<EngineServer>>();
  function once<T extends EngineServer>(name: ServerName, start: () => Promise<T>): Promise<T> {
    const made = (started.get(name) as Promise<T> | undefined) ?? start();
    started.set(name, made);
    return made;
  }
  const up: { name: ServerName; pid: number }[] = [];
  const noted = async <T extends EngineServer>(name: ServerName, server: Promise<T>): Promise<T> => {
    const { pid } = await server;
    if (!up.some((one) => one.name === name)) up.push({ name, pid });
    return server;
  };
  const postgres = () => noted('postgres', once('postgres', startTuned));
  const end = async (name: ServerName): Promise<void> => {
    const server = started.get(name);
    started.delete(name);
    const at = up.findIndex((one) => one.name === name);
    if (at >= 0) up.splice(at, 1);
    await (await server)?.stop();
  };
  return {
    postgres,
    database: async () => (await freshDatabase((await postgres()).url)).url,
    redis: () =>
      noted(
        'redis',
        once('redis', () => startRedis({ password: 'bench' })),
      ),
    chroma: () =>
      noted(
        'chroma',
        once('chroma', () => startChroma()),
      ),
    pgvector: () =>
      noted(
        'pgvector',
        once('pgvector', () => startPgvector()),
      ),
    running: () => [...up],
    end,
    async stop() {
      for (const name of [...started.keys()]) await end(name);
    },
  };
}

async function startTuned(): Promise<PostgresServer> {
  const server = await startPostgres({ durable: true });
  for (const statement of SETTINGS) await ask(server.url, statement);
  await server.restart();
  return server;
}

/** One statement on a connection of its own. */
export async function ask<T = Record<string, unknown>>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as T[];
  } finally {
    await client.end();
  }
}

export async function databaseBytes(url: string): Promise<number> {
  const [row] = await ask<{ bytes: number }>(url, 'select pg_database_size(current_database())::float8 as bytes');
  return row?.bytes ?? Number.NaN;
}

/** What Chroma keeps on disk: its folder is an argument of its process. */
export function chromaBytes(server: ChromaServer): number {
  const given = argumentsOf(server.pid);
  const folder = given[given.indexOf('--path') + 1];
  return folder === undefined ? Number.NaN : folderBytes(folder);
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

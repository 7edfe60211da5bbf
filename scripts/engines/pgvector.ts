// PostgreSQL with the pgvector extension: PGlite behind its socket server, in a process of its own.
import { join } from 'node:path';
import { enginePackages } from './packages.ts';
import { makePlace } from './place.ts';
import { type EngineServer, runEngine } from './process.ts';

export interface PgvectorOptions {
  /** A free one without it. */
  readonly port?: number;
  /** Connections served at once; one more is refused. Default 20. */
  readonly maxConnections?: number;
}

export interface PgvectorServer extends EngineServer {
  readonly url: string;
}

const CONNECTIONS_DEFAULT = 20;

/**
 * PGlite is PostgreSQL 18 with one backend: the socket server takes `maxConnections` connections at once (one more is
 * cut off) and lets their queries in one after the other. A transaction keeps all others waiting until it ends, also by
 * its client's end. What belongs to a session is shared by all of them: settings, temporary tables, named prepared
 * statements (two connections that use the same name collide), advisory locks (never refused), pg_backend_pid. There is
 * one database. The extension is there to be created: `create extension vector`. Enough to test an index with; figures
 * with several clients and anything about locks need a real server. `kill` is SIGKILL. Installs the packages first
 * where they are missing; throws npm's words where they cannot be had.
 */
export async function startPgvector(options: PgvectorOptions = {}): Promise<PgvectorServer> {
  const modules = enginePackages();
  const place = makePlace('pgvector', 'KILL');
  const connections = String(options.maxConnections ?? CONNECTIONS_DEFAULT);
  const server = await runEngine({
    name: 'PGlite with pgvector',
    place,
    port: options.port,
    command: (port) => ({
      command: process.execPath,
      args: [
        join(import.meta.dirname, 'pglite-server.mjs'),
        modules,
        join(place.directory, 'data'),
        String(port),
        connections,
      ],
    }),
    ready: /^ready$/m,
    signals: { stop: 'SIGTERM', kill: 'SIGKILL' },
  });
  return Object.assign(server, { url: `postgres://postgres@127.0.0.1:${server.port}/postgres` });
}

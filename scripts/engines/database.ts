// A new empty database on a running PostgreSQL, so that tests share the server and nothing else.
import { randomUUID } from 'node:crypto';
import { withClient } from './client.ts';

export interface FreshDatabase extends AsyncDisposable {
  readonly url: string;
  /** Disconnects whoever is connected and removes it; again does nothing. */
  drop(): Promise<void>;
}

/** Not for PGlite, which has one database. */
export async function freshDatabase(server_url: string): Promise<FreshDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const maintenance = withDatabase(server_url, 'postgres');
  // From template0, which nobody can be connected to: a connected session would make the copy wait or fail.
  await withClient(maintenance, (client) => client.query(`create database ${name} template template0`));
  const drop = async (): Promise<void> => {
    await withClient(maintenance, (client) => client.query(`drop database if exists ${name} with (force)`));
  };
  return { url: withDatabase(server_url, name), drop, [Symbol.asyncDispose]: drop };
}

function withDatabase(server_url: string, name: string): string {
  const url = new URL(server_url);
  url.pathname = `/${name}`;
  return url.href;
}

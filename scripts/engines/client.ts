// A short connection to a PostgreSQL server, for what tests do to the server itself.
import { createRequire } from 'node:module';

interface PostgresClient {
  on(event: 'error', listener: (error: Error) => void): unknown;
  connect(): Promise<unknown>;
  query(text: string): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>;
  end(): Promise<void>;
}

/** The driver comes without types; this is the part of it used here. */
const { Client } = createRequire(import.meta.url)('pg') as {
  readonly Client: new (options: { readonly connectionString: string }) => PostgresClient;
};

export async function withClient<T>(url: string, use: (client: PostgresClient) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  // Also emitted where the server ends the connection; the query that is waiting, or the next one, rejects with it.
  client.on('error', () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

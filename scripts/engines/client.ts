// A short connection to a PostgreSQL server, for what tests do to the server itself.
import pg from 'pg';

/** Connects, gives the connection, and ends it. */
export async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  // Also emitted where the server ends the connection; the query that is waiting, or the next one, rejects with it.
  client.on('error', () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

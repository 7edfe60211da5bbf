// Statements that come again are planned once a connection: a third of the time of a short query is its plan.
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';

/** Each connection keeps what was prepared on it, so only texts that keep coming are worth it, and only so many. */
const SEEN_BEFORE_PREPARED_COUNT = 3;
const PREPARED_MAX_COUNT = 300;
const WATCHED_MAX_COUNT = 2_000;

export type Ask = (client: pg.ClientBase, text: string, values: unknown[]) => Promise<pg.QueryResult>;

/** Makes the way to send a statement: by name once its text has come several times. */
export function createAsk(): Ask {
  const seen = new LRUCache<string, number>({ max: WATCHED_MAX_COUNT });
  const names = new Map<string, string>();

  function nameOf(text: string): string | undefined {
    const known = names.get(text);
    if (known !== undefined) return known;
    const count = (seen.get(text) ?? 0) + 1;
    seen.set(text, count);
    if (count < SEEN_BEFORE_PREPARED_COUNT || names.size >= PREPARED_MAX_COUNT) return undefined;
    const name = `hm_${createHash('sha256').update(text).digest('base64url').slice(0, 20)}`;
    names.set(text, name);
    return name;
  }

  return (client, text, values) => {
    const name = values.length === 0 ? undefined : nameOf(text);
    return client.query(name === undefined ? { text, values } : { name, text, values });
  };
}

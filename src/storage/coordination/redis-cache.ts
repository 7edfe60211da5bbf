// The shared cache on Redis, and the argument why it does not serve what has changed.
//
// A value that changes is kept only with a ticket that a look gave out before its reader read the store. A change
// removes value and ticket and marks the key before it commits, and removes them again once it has committed. So:
//  - nobody reads the old value from here after the commit: it was removed before, and while the mark stands no ticket
//    is given out; a reader from before the change has a ticket that is gone; the scripts run whole, one by one;
//  - a reader whose look came after `settled` reads the store after the commit.
// What this rests on, and what follows where it does not hold:
//  - The process died, or took more than ten seconds to commit, after `begin`: the mark has run out. Until `settled`
//    (never, if it died) a value read before the commit can be here. It leaves with its time to live, which counts
//    from the reader's look: at most a minute.
//  - The changing process cannot reach Redis while others can (a partition): its changes stay unseen by them until it
//    is back, when it first removes what it changed, or until the minute is over. Waiting for Redis instead would make
//    writes depend on it, which they must not.
//  - Redis restarts from an older snapshot, or another server takes over: both have another run id, and what changes
//    is kept under the run id. It is never seen again.
//  - Redis was away from everybody and starts again: the hubs come back one after the other, so at first each is alone
//    with it as in a partition. Nobody looks before all have had the time to be back (`settled`).
//  - Memory runs full with an eviction policy that takes marks: as if the mark had run out; `settled` still removes.
// A bound per process: beyond some thousand keys changed while away, an epoch is counted up and everything is forgotten.
import { randomUUID } from 'node:crypto';
import { limits } from '../../kernel/limits.ts';
import { type Link, LinkAwayError } from './link.ts';
import type { CacheLook, CacheMiss, SharedCache } from './port.ts';
import { FILL, LOOK } from './redis-cache-scripts.ts';
import { type CacheNames, type Changes, createChanges } from './redis-changes.ts';
import type { RedisConnection } from './redis-connection.ts';
import { AS_BYTES, runScript } from './redis-script.ts';

export interface RedisCacheDeps {
  readonly prefix: string;
  readonly link: () => Link<RedisConnection> | undefined;
  /** The run id of the server the link is connected to. */
  readonly run_id: () => string;
  /** Whether other processes have had time to be connected to this server too. */
  readonly settled: () => boolean;
  /** Values that never change are found here while Redis is away. */
  readonly fallback: SharedCache;
}

export type RedisCache = SharedCache & Pick<Changes, 'catchUp' | 'lost'>;

const NOT_KEPT: CacheMiss = { value: undefined, async fill() {} };

export function createRedisCache({ prefix, link, run_id, settled, fallback }: RedisCacheDeps): RedisCache {
  const name = (kind: string) => (key: string) => `${prefix}cache:${run_id()}:${kind}:${key}`;
  const names: CacheNames = {
    value: name('value'),
    ticket: name('ticket'),
    marks: name('marks'),
    epoch: () => `${prefix}cache:${run_id()}:epoch`,
  };
  const fixedKey = (key: string) => `${prefix}cache:fixed:${key}`;
  const use = <T>(work: (client: RedisConnection) => Promise<T>): Promise<T> =>
    link()?.use(work) ?? Promise.reject(new LinkAwayError());

  async function look(key: string): Promise<CacheLook> {
    if (!settled()) return NOT_KEPT;
    const keys = [names.value(key), names.ticket(key), names.marks(key), names.epoch()];
    const args = [randomUUID(), limits.shared_cache_ticket_ms];
    const [value, ticket] = await use((client) =>
      runScript<[(Buffer | null)?, Buffer?]>(client, LOOK, keys, args),
    ).catch((): [] => []);
    if (value) return { value: new Uint8Array(value) };
    return ticket ? missWith(key, ticket) : NOT_KEPT;
  }

  function missWith(key: string, ticket: Buffer): CacheMiss {
    const keys = [names.value(key), names.ticket(key), names.epoch()];
    return {
      value: undefined,
      async fill(value, { ttl_ms }) {
        const kept_ms = Math.min(Math.floor(ttl_ms), limits.shared_cache_changing_ttl_max_ms);
        const args = [ticket, value, kept_ms, limits.shared_cache_ticket_ms];
        await use((client) => runScript(client, FILL, keys, args)).catch(() => {});
      },
    };
  }

  return {
    async get(key) {
      const found = await use((client) => client.sendCommand<Buffer | null>(['GET', fixedKey(key)], AS_BYTES)).catch(
        () => fallback.get(key),
      );
      return found ? new Uint8Array(found) : undefined;
    },
    async set(key, value, options) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      const px = String(Math.max(1, Math.floor(options.ttl_ms)));
      await use((client) => client.sendCommand(['SET', fixedKey(key), bytes, 'PX', px])).catch(() =>
        fallback.set(key, value, options),
      );
    },
    look,
    ...createChanges({ link, names }),
  };
}

// Leases with Redis in front of the store: Redis turns away those who come second, the store decides and gives the token.
import { randomUUID } from 'node:crypto';
import type { Lease, LeaseStore } from './port.ts';
import type { RedisConnection } from './redis-connection.ts';
import { defineScript, runScript } from './redis-script.ts';

/** KEYS: gate. ARGV: whose, ms. A gate that was forgotten (the server restarted) is closed again. */
const KEEP_GATE = defineScript(`
local whose = redis.call('get', KEYS[1])
if whose and whose ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
return 1
`);

/** KEYS: gate. ARGV: whose. */
const OPEN_GATE = defineScript(
  `
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
`,
  { may_free: true },
);

export interface RedisLeaseDeps {
  readonly prefix: string;
  /** Rejects where Redis is away. */
  readonly use: <T>(work: (client: RedisConnection) => Promise<T>) => Promise<T>;
  /** The leases of the store. */
  readonly store: LeaseStore;
}

/**
 * Every lease is taken, renewed and released in the store, so exclusion and tokens hold whether Redis is there, away,
 * restarted without its data or replaced: there is one source of tokens, which all grow. Before that, `SET NX PX` on a
 * gate in Redis turns away whoever comes while somebody holds the lease: many hubs that ask for it again and again
 * then cost the database nothing. Where Redis is away the store is asked directly. A gate whose opening was lost costs
 * one time to live.
 */
export function createRedisLeases({ prefix, use, store }: RedisLeaseDeps): LeaseStore {
  return {
    async acquire(name, ttl_ms) {
      const gate = `${prefix}lease:${name}`;
      const mine = randomUUID();
      const open = async (): Promise<void> => {
        await use((client) => runScript(client, OPEN_GATE, [gate], [mine])).catch(() => {});
      };
      const closed = await use((client) =>
        client.set(gate, mine, { condition: 'NX', expiration: { type: 'PX', value: ttl_ms } }),
      ).catch(() => 'away' as const);
      if (closed === null) return undefined;
      let lease: Lease | undefined;
      try {
        lease = await store.acquire(name, ttl_ms);
      } finally {
        if (!lease) await open();
      }
      return (
        lease &&
        behindGate(lease, open, async () => {
          await use((client) => runScript(client, KEEP_GATE, [gate], [mine, ttl_ms])).catch(() => {});
        })
      );
    },
  };
}

function behindGate(lease: Lease, open: () => Promise<void>, keep: () => Promise<void>): Lease {
  return {
    name: lease.name,
    token: lease.token,
    held: () => lease.held(),
    async renew() {
      const renewed = await lease.renew();
      await (renewed ? keep() : open());
      return renewed;
    },
    async release() {
      try {
        await lease.release();
      } finally {
        await open();
      }
    },
  };
}

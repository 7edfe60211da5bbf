// Coordination without an engine: this process alone, or several on one store, which then keeps their leases.
import { LRUCache } from 'lru-cache';
import { type Clock, toIso } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { CacheMiss, ChangeMark, Coordination, LeaseStore, Member, SharedCache } from './port.ts';
import { createMemoryLimits } from './rate.ts';

export interface InProcessDeps {
  readonly leases: LeaseStore;
  readonly clock: Clock;
  /** Names this process among all that share the store: never used by another, also not after a restart. */
  readonly member_id: string;
}

/** Also what the other adapters fall back to, and their way to the listeners of this process. */
export function createInProcessCoordination({ leases, clock, member_id }: InProcessDeps): Coordination {
  const listeners = createListeners();
  const take = createMemoryLimits(clock);
  let self: Member | undefined;

  return {
    member_id,
    acquire: (name, ttl_ms) => leases.acquire(name, ttl_ms),
    async publish(channel, message) {
      listeners.tell(channel, message);
    },
    subscribe: listeners.add,
    // Nothing lies between the publisher and the listener that could be interrupted.
    onGap: () => () => {},
    take: async (key, limit) => take(key, limit),
    async announce(about) {
      self = { member_id, about: { ...about }, since: self?.since ?? toIso(clock.now()) };
    },
    members: async () => (self ? [self] : []),
    cache: createMemoryCache(),
    status: async () => ({
      kind: 'in_process',
      state: 'ok',
      detail: 'In this process; leases are kept in the store.',
    }),
    async [Symbol.asyncDispose]() {
      listeners.clear();
      self = undefined;
    },
  };
}

function createListeners() {
  const byChannel = new Map<string, Set<(message: string) => void>>();
  return {
    tell(channel: string, message: string): void {
      for (const listener of [...(byChannel.get(channel) ?? [])]) callListener(() => listener(message));
    },
    add(channel: string, listener: (message: string) => void): () => void {
      // Of its own, so that a function given twice is called twice and each stop ends one of them.
      const own = (message: string) => listener(message);
      const set = byChannel.get(channel) ?? new Set();
      byChannel.set(channel, set.add(own));
      return () => {
        set.delete(own);
        if (set.size === 0 && byChannel.get(channel) === set) byChannel.delete(channel);
      };
    },
    clear: () => byChannel.clear(),
  };
}

/** Listeners must not throw; one that does is told of, and harms neither its neighbours nor a connection. */
export function callListener(call: () => void): void {
  try {
    call();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : new Error('A listener threw.'), { code: 'LISTENER_THREW' });
  }
}

const NOT_KEPT: CacheMiss = { value: undefined, async fill() {} };
const NOTHING_TO_SETTLE: ChangeMark = { async settled() {} };

/** Values that may change always miss: another process on the same store may change them unseen. */
function createMemoryCache(): SharedCache {
  const values = new LRUCache<string, Uint8Array>({
    maxSize: limits.shared_cache_memory_max_bytes,
    sizeCalculation: (value, key) => value.byteLength + key.length + 1,
  });
  return {
    // Copies: what a caller does with its bytes must not change what others get. A Buffer's slice would be none.
    async get(key) {
      const value = values.get(key);
      return value && new Uint8Array(value);
    },
    async set(key, value, { ttl_ms }) {
      values.set(key, new Uint8Array(value), { ttl: ttl_ms });
    },
    look: async () => NOT_KEPT,
    begin: async () => NOTHING_TO_SETTLE,
  };
}

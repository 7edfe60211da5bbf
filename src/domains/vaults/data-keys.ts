// Data keys: one for each vault and epoch, random, kept only wrapped by a master key. Unwrapped ones stay in memory briefly,
// and only for as long as the very same wrapped bytes are in the store.
import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import { SEALING_KEY_BYTES, seal, unseal } from '../../kernel/sealing.ts';
import type { KeyRing, MasterKey } from '../../storage/keyring/port.ts';
import { masterKeyMissing } from './errors.ts';
import { type DataKey, dataKeyOf } from './sealed-secret.ts';

export interface WrappedDataKey {
  readonly vault_id: string;
  readonly epoch: number;
  readonly master_key_id: string;
  readonly wrapped: Uint8Array;
}

export interface DataKeys {
  /** A new data key in its wrapping. Pure: nothing is kept. */
  make(master: MasterKey, vault_id: string, epoch: number): WrappedDataKey;
  /** Errors: `unavailable` without the master key, `storage_corrupt` where the wrapping was changed. */
  open(row: WrappedDataKey): Promise<DataKey>;
  /** The same data key under another master key. */
  rewrap(row: WrappedDataKey, master: MasterKey): Promise<WrappedDataKey>;
  /** Drops a vault's keys from memory. */
  forget(vault_id: string): void;
}

interface Cached {
  readonly wrapped: Buffer;
  readonly key: DataKey;
}

export function createDataKeys(keyring: KeyRing, clock: Clock): DataKeys {
  const opened = new LRUCache<string, Cached>({
    max: limits.vault_data_keys_cached_max_count,
    ttl: limits.vault_data_keys_cached_ms,
    // Asked every time: a clock that tests move has no timers.
    ttlResolution: 0,
    perf: clock,
  });

  async function unwrap(row: WrappedDataKey): Promise<Uint8Array> {
    const master = await keyring.find(row.master_key_id);
    if (!master) throw masterKeyMissing(row.master_key_id, keyring.place);
    return unseal(master.key, row.wrapped, boundTo(row.vault_id, row.epoch));
  }

  return {
    make: (master, vault_id, epoch) => wrap(master, vault_id, epoch, randomBytes(SEALING_KEY_BYTES)),
    async open(row) {
      const name = nameOf(row);
      const known = opened.get(name);
      if (known?.wrapped.equals(row.wrapped)) return known.key;
      const key = dataKeyOf(await unwrap(row));
      opened.set(name, { wrapped: Buffer.from(row.wrapped), key });
      return key;
    },
    rewrap: async (row, master) => wrap(master, row.vault_id, row.epoch, await unwrap(row)),
    forget(vault_id) {
      for (const name of [...opened.keys()]) if (name.startsWith(`${vault_id} `)) opened.delete(name);
    },
  };
}

function wrap(master: MasterKey, vault_id: string, epoch: number, key: Uint8Array): WrappedDataKey {
  return { vault_id, epoch, master_key_id: master.id, wrapped: seal(master.key, key, boundTo(vault_id, epoch)) };
}

function boundTo(vault_id: string, epoch: number) {
  return ['vault-key', vault_id, epoch] as const;
}

/** Ids have no blanks. */
function nameOf({ vault_id, epoch, master_key_id }: WrappedDataKey): string {
  return `${vault_id} ${epoch} ${master_key_id}`;
}

// Questions between hubs that nobody else may read or ask: sealed under the master key that hubs of one store share, good
// for a minute and once. Whoever can publish on the engine in between can then neither forge nor repeat one.
import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Clock } from '../kernel/clock.ts';
import { limits } from '../kernel/limits.ts';
import { seal, unseal } from '../kernel/sealing.ts';
import type { KeyRing } from '../storage/keyring/port.ts';

const envelope = z.object({ key_id: z.string(), sealed: z.base64() });
const letter = z.object({ id: z.string(), at_ms: z.number(), value: z.unknown() });

export interface RelaySeal {
  /** Rejects like the key ring. */
  seal(channel: string, value: unknown): Promise<unknown>;
  /** Undefined for what was not sealed by a hub of this store for this channel, is too old, or was opened before. */
  open(channel: string, message: unknown): Promise<{ readonly value: unknown } | undefined>;
}

export function createRelaySeal(keyring: Pick<KeyRing, 'current' | 'find'>, clock: Clock): RelaySeal {
  const opened = new LRUCache<string, true>({ max: limits.rate_limit_keys_max_count });
  return {
    async seal(channel, value) {
      const { id: key_id, key } = await keyring.current();
      const text = JSON.stringify({ id: randomUUID(), at_ms: clock.now(), value });
      return { key_id, sealed: Buffer.from(seal(key, Buffer.from(text), ['relay', channel])).toString('base64') };
    },
    async open(channel, message) {
      const { data } = envelope.safeParse(message);
      const master = data && (await keyring.find(data.key_id));
      if (!master) return undefined;
      const found = letter.safeParse(read(master.key, data.sealed, channel)).data;
      if (!found) return undefined;
      const { id, at_ms, value } = found;
      if (Math.abs(clock.now() - at_ms) > limits.relayed_message_retention_ms || opened.has(id)) return undefined;
      opened.set(id, true);
      return { value };
    },
  };
}

function read(key: Uint8Array, sealed: string, channel: string): unknown {
  try {
    return JSON.parse(unseal(key, Buffer.from(sealed, 'base64'), ['relay', channel]).toString());
  } catch {
    return undefined;
  }
}

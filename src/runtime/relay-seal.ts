// Questions from one hub to another that nobody in between may read, forge or repeat. The key of a question is agreed with
// the key pair of the hub that is asked, which lives as long as its process, and with a key only the store holds: who can
// publish on the engine between the hubs has neither, and who steals the store later lacks the first.
// Sources: X25519 (RFC 7748), HKDF (RFC 5869).
import { createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, type KeyObject, randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Clock } from '../kernel/clock.ts';
import { limits } from '../kernel/limits.ts';
import { SEALING_KEY_BYTES, seal, unseal } from '../kernel/sealing.ts';
import type { Database } from '../storage/database.ts';

const envelope = z.object({ from: z.string(), sealed: z.base64() });
const letter = z.object({ id: z.string(), at_ms: z.number(), value: z.unknown() });

export interface RelaySeal {
  /** Of this hub: what others need to ask it. */
  readonly public_key: string;
  seal(channel: string, value: unknown, public_key: string): unknown;
  /** Undefined for what was not sealed for this hub and channel by a hub of its store, is too old, or was opened before. */
  open(channel: string, message: unknown): { readonly value: unknown } | undefined;
}

interface IdentityTables {
  store_identity: { relay_key: string };
}

/** Reads the store's key. */
export async function openRelaySeal(store: Database): Promise<RelaySeal> {
  const { db } = store.withTables<IdentityTables>();
  const { relay_key } = await db.selectFrom('store_identity').select('relay_key').executeTakeFirstOrThrow();
  return createRelaySeal(relay_key, store.clock);
}

export function createRelaySeal(store_key: string, clock: Clock): RelaySeal {
  const own = generateKeyPairSync('x25519');
  const opened = new LRUCache<string, true>({ max: limits.rate_limit_keys_max_count });
  return {
    public_key: spelled(own.publicKey),
    seal(channel, value, public_key) {
      const once = generateKeyPairSync('x25519');
      const key = keyOf(once.privateKey, public_key, store_key);
      const text = JSON.stringify({ id: randomUUID(), at_ms: clock.now(), value });
      const sealed = Buffer.from(seal(key, Buffer.from(text), ['relay', channel])).toString('base64');
      return { from: spelled(once.publicKey), sealed };
    },
    open(channel, message) {
      const { data } = envelope.safeParse(message);
      const found = data && letter.safeParse(read(own.privateKey, store_key, channel, data)).data;
      if (!found || Math.abs(clock.now() - found.at_ms) > limits.relayed_message_retention_ms) return undefined;
      if (opened.has(found.id)) return undefined;
      opened.set(found.id, true);
      return { value: found.value };
    },
  };
}

function spelled(key: KeyObject): string {
  return String(key.export({ format: 'jwk' }).x);
}

function keyOf(own: KeyObject, other: string, store_key: string): Uint8Array {
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: other }, format: 'jwk' });
  const shared = diffieHellman({ privateKey: own, publicKey });
  return new Uint8Array(hkdfSync('sha256', shared, store_key, 'haivemind relay', SEALING_KEY_BYTES));
}

function read(own: KeyObject, store_key: string, channel: string, message: z.output<typeof envelope>): unknown {
  try {
    const key = keyOf(own, message.from, store_key);
    return JSON.parse(unseal(key, Buffer.from(message.sealed, 'base64'), ['relay', channel]).toString());
  } catch {
    return undefined;
  }
}

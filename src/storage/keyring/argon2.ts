// From a passphrase to a key, slowly: Argon2id of RFC 9106, by Node's own where it has one, else in JavaScript.
import * as crypto from 'node:crypto';
import { promisify } from 'node:util';
import { SEALING_KEY_BYTES } from '../../kernel/sealing.ts';

export interface Argon2Settings {
  readonly memory_kib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** The second recommended option of RFC 9106, section 4: 64 MiB, three passes, four lanes. */
export const ARGON2_RECOMMENDED: Argon2Settings = { memory_kib: 64 * 1024, passes: 3, lanes: 4 };
/** 128 bits, as the RFC has it. */
export const SALT_BYTES = 16;

export type Derive = (passphrase: string, salt: Uint8Array, settings: Argon2Settings) => Promise<Uint8Array>;

/** 32 bytes. The same passphrase is the same however its accents are typed (NFC). */
export const derive: Derive = (passphrase, salt, settings) =>
  // Node has it since 24.7, in a thread of its own and several times as fast.
  typeof crypto.argon2 === 'function'
    ? deriveNatively(passphrase, salt, settings)
    : deriveInJavaScript(passphrase, salt, settings);

export const deriveNatively: Derive = async (passphrase, salt, { memory_kib, passes, lanes }) => {
  const message = passphrase.normalize('NFC');
  const cost = { memory: memory_kib, passes, parallelism: lanes, tagLength: SEALING_KEY_BYTES };
  return promisify(crypto.argon2)('argon2id', { message, nonce: salt, ...cost });
};

/** Lets the event loop go on every few milliseconds; a second or two altogether. */
export const deriveInJavaScript: Derive = async (passphrase, salt, { memory_kib, passes, lanes }) => {
  const { argon2idAsync } = await import('@noble/hashes/argon2.js');
  const cost = { m: memory_kib, t: passes, p: lanes, dkLen: SEALING_KEY_BYTES };
  return argon2idAsync(passphrase.normalize('NFC'), salt, cost);
};

// Master keys as values: made, named, and written as text. A name is made from the key, so a damaged key betrays itself.
import { createHash, randomBytes } from 'node:crypto';
import { SEALING_KEY_BYTES } from '../../kernel/sealing.ts';
import type { MasterKey } from './port.ts';

const ID_LABEL = 'haivemind master key id';
const ID_CHARS = 12;

export function makeMasterKey(): MasterKey {
  return masterKeyOf(randomBytes(SEALING_KEY_BYTES));
}

/** The id is the first 12 characters of a SHA-256 over a label and the key: 72 bits that say nothing about the key. */
export function masterKeyOf(key: Uint8Array): MasterKey {
  const id = createHash('sha256').update(`${ID_LABEL}\0`).update(key).digest('base64url').slice(0, ID_CHARS);
  return { id, key };
}

export function toText(key: MasterKey): string {
  return Buffer.from(key.key).toString('base64');
}

/** Reads base64 or base64url of exactly 32 bytes; undefined for anything else. */
export function fromText(text: string): MasterKey | undefined {
  const key = Buffer.from(text, 'base64');
  const same =
    key.toString('base64url') ===
    text
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/={1,2}$/, '');
  return same && key.length === SEALING_KEY_BYTES ? masterKeyOf(key) : undefined;
}

// Identifiers: an entity prefix and 26 characters of ULID (Crockford base32), so that ids sort by creation time.
import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Makes ids such as `mem_01j8...`: 48 bits of time and 80 random bits, as in the ULID specification. */
export function newId(prefix: string, now_ms: number): string {
  return `${prefix}_${encodeTime(now_ms)}${encodeRandom()}`;
}

function encodeTime(now_ms: number): string {
  let rest = Math.max(0, Math.floor(now_ms));
  let out = '';
  for (let i = 0; i < 10; i++) {
    out = `${ALPHABET[rest % 32]}${out}`;
    rest = Math.floor(rest / 32);
  }
  return out;
}

function encodeRandom(): string {
  let out = '';
  for (const byte of randomBytes(16)) out += ALPHABET[byte & 31];
  return out;
}

/** What callers may pass as an id of any entity: short, printable, no white space. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:@/-]*$/;

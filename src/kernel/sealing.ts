// Authenticated encryption of small values: AES-256-GCM of node:crypto with a random nonce, bound to what it belongs to.
// Layout: 1 byte format (1), 12 bytes nonce, 16 bytes tag, ciphertext. Source: NIST SP 800-38D.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { failure } from './errors.ts';

const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES;
export const SEALING_KEY_BYTES = 32;

/**
 * Seals bytes under a key of 32 bytes. `bound` says what they belong to, part by part: opening needs the very same parts,
 * so a sealed value that is moved to another place is as good as destroyed.
 */
export function seal(key: Uint8Array, plain: Uint8Array, bound: readonly (string | number)[]): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated(bound));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.from([FORMAT]), nonce, cipher.getAuthTag(), body]);
}

/** Opens what `seal` made. Throws `storage_corrupt` where any byte, the key or what it is bound to differs. */
export function unseal(key: Uint8Array, sealed: Uint8Array, bound: readonly (string | number)[]): Buffer {
  if (sealed.length < HEAD_BYTES || sealed[0] !== FORMAT) throw notAuthentic();
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(sealed.subarray(1 + NONCE_BYTES, HEAD_BYTES));
  decipher.setAAD(associated(bound));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(HEAD_BYTES)), decipher.final()]);
  } catch {
    throw notAuthentic();
  }
}

/** As JSON: parts cannot run into each other. */
function associated(bound: readonly (string | number)[]): Buffer {
  return Buffer.from(JSON.stringify(['haivemind', ...bound]));
}

function notAuthentic() {
  return failure(
    'storage_corrupt',
    'A sealed value does not open: it was changed, moved, or sealed with another key.',
    'Check that the key ring has every earlier master key, or restore the store from a backup.',
  );
}

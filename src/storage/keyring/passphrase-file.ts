// The file of a key ring under a passphrase: how the key is derived, and under that key the list of master keys.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { failure, HaivemindError } from '../../kernel/errors.ts';
import { seal, unseal } from '../../kernel/sealing.ts';
import { type Argon2Settings, derive, SALT_BYTES } from './argon2.ts';
import { type KeyList, parsedJson, readKeyList, writeKeyList } from './key-list.ts';

/** Bounds of what is taken from a file, so that a changed one cannot ask for all memory there is: 1 GiB, 16 passes. */
const MEMORY_MAX_KIB = 1024 * 1024;
const PASSES_MAX = 16;
const LANES_MAX = 16;

const fileShape = z.strictObject({
  format: z.literal(1),
  derivation: z.strictObject({
    algorithm: z.literal('argon2id'),
    memory_kib: z.number().int().min(1024).max(MEMORY_MAX_KIB),
    passes: z.number().int().min(1).max(PASSES_MAX),
    lanes: z.number().int().min(1).max(LANES_MAX),
    salt: z.base64(),
  }),
  sealed_keys: z.base64(),
});

const CHECK_BOUND = ['keyring', 'passphrase'];

/** Derives from a fresh salt: a second or two where Node has no Argon2 of its own. */
export async function lockWith(passphrase: string, keys: KeyList, cost: Argon2Settings): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(passphrase, salt, cost);
  const sealed = seal(key, Buffer.from(writeKeyList(keys)), CHECK_BOUND);
  const content = {
    format: 1,
    derivation: { algorithm: 'argon2id', ...cost, salt: salt.toString('base64') },
    sealed_keys: Buffer.from(sealed).toString('base64'),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** Undefined where this is not the passphrase: the sealed list is its own check. `config_invalid` where the file is none. */
export async function unlockWith(passphrase: string, text: string, path: string): Promise<KeyList | undefined> {
  const parsed = fileShape.safeParse(parsedJson(text));
  if (!parsed.success) throw damaged(path);
  const { derivation, sealed_keys } = parsed.data;
  const key = await derive(passphrase, Buffer.from(derivation.salt, 'base64'), derivation);
  const opened = openedBy(key, Buffer.from(sealed_keys, 'base64'));
  if (opened === undefined) return undefined;
  return readKeyList(opened) ?? Promise.reject(damaged(path));
}

function openedBy(key: Uint8Array, sealed: Uint8Array): string | undefined {
  try {
    return unseal(key, sealed, CHECK_BOUND).toString();
  } catch (error) {
    if (error instanceof HaivemindError && error.code === 'storage_corrupt') return undefined;
    throw error;
  }
}

function damaged(path: string) {
  return failure(
    'config_invalid',
    `${path} is not a file of master keys under a passphrase, or it was damaged.`,
    'Put back the copy you keep of it. Without its keys what they sealed stays closed; move it away only to begin anew.',
  );
}

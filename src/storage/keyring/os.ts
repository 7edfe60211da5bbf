// The key ring of the system: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows. One entry for each
// key and one that names the current key, so that of two processes that make the first key at once neither loses its own.
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import { fromText, makeMasterKey, toText } from './master-key.ts';
import type { KeyRing, MasterKey } from './port.ts';

const CURRENT = 'current master key';
const accountOf = (id: string): string => `master key ${id}`;

/** `service` separates several stores of one user. */
export function osKeyRing(service: string): KeyRing {
  const place = `key ring of the system, service ${service}`;
  const known = new Map<string, MasterKey>();
  const get = (account: string) => answer(async () => (await entryOf(service, account)).getPassword());
  const put = (account: string, value: string) =>
    answer(async () => (await entryOf(service, account)).setPassword(value));

  const find = async (id: string): Promise<MasterKey | undefined> => {
    const text = known.has(id) ? undefined : await get(accountOf(id));
    if (typeof text !== 'string') return known.get(id);
    const key = fromText(text);
    if (key?.id !== id) throw damaged(place, id);
    known.set(id, key);
    return key;
  };
  const current = async (): Promise<MasterKey | undefined> => {
    const id = await get(CURRENT);
    return typeof id === 'string' ? ((await find(id)) ?? Promise.reject(damaged(place, id))) : undefined;
  };
  const make = async (): Promise<MasterKey> => {
    const key = makeMasterKey();
    await put(accountOf(key.id), toText(key));
    await put(CURRENT, key.id);
    return key;
  };
  return {
    place,
    // Read back after making one: where another process was at it too, both go on with the key that is named in the end.
    current: async () => (await current()) ?? (await make().then(current)) ?? Promise.reject(unavailable()),
    find,
    rotate: make,
  };
}

/** Loaded with the first question: native code has no place in the start. */
async function entryOf(service: string, account: string) {
  const { AsyncEntry } = await import('@napi-rs/keyring');
  // Without this a missing Secret Service means the kernel's keyring, which forgets everything at the next start.
  return new AsyncEntry(service, account, { linux: { store: 'secret-service' } });
}

/** A key ring that is locked may wait for its owner at a screen nobody sits at: not for ever. */
async function answer<T>(ask: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable()), limits.keyring_answer_timeout_ms);
  });
  try {
    return await Promise.race([ask(), late]);
  } catch (error) {
    throw unavailable(error);
  } finally {
    clearTimeout(timer);
  }
}

function unavailable(cause?: unknown) {
  const linux = 'Run it in a session with an unlocked Secret Service (gnome-keyring, KWallet)';
  return failure(
    'unavailable',
    'The key ring of the system does not answer, or it is locked.',
    `${process.platform === 'linux' ? linux : 'Unlock it'}, or choose another security.keyring.source: file, env or passphrase.`,
    cause === undefined ? {} : { cause },
  );
}

function damaged(place: string, id: string) {
  return failure(
    'config_invalid',
    `The entry of master key ${id} is missing or was changed (${place}).`,
    'Restore that entry, or the key ring it was in. Without it what that key sealed stays closed.',
  );
}

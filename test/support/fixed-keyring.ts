// A key ring in memory, for tests of what lies under master keys: nothing of it outlives the test.
import { randomBytes } from 'node:crypto';
import { SEALING_KEY_BYTES } from '../../src/kernel/sealing.ts';
import type { KeyRing, MasterKey } from '../../src/storage/keyring/port.ts';

/** Starts with one fresh key; `rotate` adds another and keeps the earlier ones. */
export function fixedKeyRing(): KeyRing {
  let current = freshKey(1);
  const keys = new Map([[current.id, current]]);
  return {
    place: 'memory (tests)',
    current: async () => current,
    find: async (id) => keys.get(id),
    rotate: async () => {
      current = freshKey(keys.size + 1);
      keys.set(current.id, current);
      return current;
    },
  };
}

function freshKey(number: number): MasterKey {
  return { id: `test-key-${number}`, key: randomBytes(SEALING_KEY_BYTES) };
}

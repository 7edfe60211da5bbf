// A list of master keys as text, the current one last: what the key file holds, and what a passphrase seals.
import { z } from 'zod';
import { fromText, toText } from './master-key.ts';
import type { MasterKey } from './port.ts';

/** At least one: the last is the current key. */
export type KeyList = readonly [MasterKey, ...MasterKey[]];

const listShape = z.strictObject({
  format: z.literal(1),
  keys: z.array(z.strictObject({ id: z.string(), key: z.string() })).min(1),
});

export function writeKeyList(keys: KeyList): string {
  const rows = keys.map((key) => ({ id: key.id, key: toText(key) }));
  return `${JSON.stringify({ format: 1, keys: rows }, null, 2)}\n`;
}

/** Undefined for anything that is no such list, also where a key does not fit its id. Never throws: errors of parsers quote. */
export function readKeyList(text: string): KeyList | undefined {
  const parsed = listShape.safeParse(parsedJson(text));
  if (!parsed.success) return undefined;
  const keys: MasterKey[] = [];
  for (const row of parsed.data.keys) {
    const key = fromText(row.key);
    if (key?.id !== row.id) return undefined;
    keys.push(key);
  }
  const [first, ...others] = keys;
  return first && [first, ...others];
}

export function currentOf(keys: KeyList): MasterKey {
  return keys.at(-1) ?? keys[0];
}

/** Undefined where the text is no JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// Master keys that a store names, against those the key ring has: a store that came without its key ring (a restored
// backup, another machine) must not begin with a new key beside the one that opens what it holds.
import { type QueryExecutorProvider, sql } from 'kysely';
import { failure, type HaivemindError } from '../../kernel/errors.ts';
import type { KeyRing, MasterKey } from './port.ts';

interface Reader {
  readonly db: QueryExecutorProvider;
}

const RING_HINT =
  'Bring the key ring of this store, or the passphrase or variable it was made with (docs/key-ring.md). Lost for good: `haivemind token rotate-key --revoke-old` begins with another; what the earlier one wrapped stays closed.';

export interface NamedKeys {
  readonly present: readonly string[];
  readonly missing: readonly string[];
  /** Those of `missing` that keys of vaults need. */
  readonly missing_for_vaults: readonly string[];
}

/**
 * Ids of the master keys that wrap keys of vaults and keys that sign; a retired key that signed is destroyed and counts
 * no more. Makes nothing. Errors are those of the key ring.
 */
export async function namedKeys({ db }: Reader, keyring: KeyRing): Promise<NamedKeys> {
  const { rows } = await sql<{ id: string; vaults: number }>`
    select id, max(vaults) as vaults from (
      select distinct master_key_id as id, 1 as vaults from vault_keys
      union all select master_key_id, 0 from signing_keys where retired_at is null
    ) as named group by id order by id`.execute(db);
  const present: string[] = [];
  const missing: typeof rows = [];
  for (const row of rows) {
    if (await keyring.find(row.id)) present.push(row.id);
    else missing.push(row);
  }
  const ids = (some: typeof rows) => some.map(({ id }) => id);
  return { present, missing: ids(missing), missing_for_vaults: ids(missing.filter(({ vaults }) => vaults === 1)) };
}

/**
 * The key that wraps whatever is new in this store. Where the store names keys that the ring lacks, only a current key
 * that the store names as well will do: nothing begins with another key by itself. `replaces_signing_key`: what wraps
 * the present one is of no matter. Errors: `unavailable` for the others, those of the key ring.
 */
export async function wrappingKey(
  store: Reader,
  keyring: KeyRing,
  { replaces_signing_key = false } = {},
): Promise<MasterKey> {
  const { present, ...found } = await namedKeys(store, keyring);
  const missing = replaces_signing_key ? found.missing_for_vaults : found.missing;
  if (missing.length === 0) return keyring.current();
  // A ring that has one of them is not empty: asking for its current key makes none.
  const current = present.length > 0 ? await keyring.current() : undefined;
  if (current && present.includes(current.id)) return current;
  throw masterKeysMissing(missing, keyring.place);
}

export function masterKeysMissing(missing: readonly string[], place: string): HaivemindError {
  return failure(
    'unavailable',
    `The key ring (${place}) has not all master keys of this store: ${missing.join(', ')} missing. What they wrapped stays closed.`,
    RING_HINT,
    { details: { master_key_ids: [...missing] } },
  );
}

// Vaults as a caller may see them: facts for the policy, and the one place where a rule begins.
import { toIso } from '../../kernel/clock.ts';
import { failure } from '../../kernel/errors.ts';
import type { Principal } from '../../kernel/operation.ts';
import { type AccessLevel, assertAllowed, mayUseVault, type VaultFacts } from '../access/index.ts';
import type { WrappedDataKey } from './data-keys.ts';
import type { VaultDeps, VaultReader, VaultTrx } from './deps.ts';
import { dataKeyMissing, vaultNotFound } from './errors.ts';
import { factsFrom, findDataKey, findVault, grantsOf, holdVault, type VaultRow } from './repository.ts';
import type { DataKey } from './sealed-secret.ts';

/** What the policy looks at; undefined where there is no such vault. */
export async function vaultFacts(db: VaultReader, vault_id: string): Promise<VaultFacts | undefined> {
  const vault = await findVault(db, vault_id);
  return vault && factsFrom(vault, await grantsOf(db, [vault_id]));
}

/** The vault, if the principal may use it so at this moment. Errors: not_found, forbidden. */
export async function usableVault(
  deps: VaultDeps,
  principal: Principal,
  vault_id: string,
  needed: AccessLevel,
): Promise<VaultRow> {
  const { db } = deps.store;
  return assertUsable(deps, db, principal, { vault_id, needed, vault: await findVault(db, vault_id) });
}

export interface Change {
  readonly trx: VaultTrx;
  readonly vault: VaultRow;
  /** ISO time of the change. */
  readonly now: string;
}

/** Runs a change of a vault: held against other changes, and allowed at this moment. */
export function changeVault<T>(
  deps: VaultDeps,
  principal: Principal,
  vault_id: string,
  needed: AccessLevel,
  work: (change: Change) => Promise<T>,
): Promise<T> {
  return deps.store.write(async (trx) => {
    const held = await holdVault(deps.store, trx, vault_id);
    const vault = await assertUsable(deps, trx, principal, { vault_id, needed, vault: held });
    return work({ trx, vault, now: toIso(deps.store.clock.now()) });
  });
}

interface Wanted {
  readonly vault_id: string;
  readonly needed: AccessLevel;
  readonly vault: VaultRow | undefined;
}

async function assertUsable(
  deps: VaultDeps,
  db: VaultReader,
  principal: Principal,
  { vault_id, needed, vault }: Wanted,
): Promise<VaultRow> {
  const absent = () => vaultNotFound(vault_id);
  if (!vault) throw absent();
  const facts = factsFrom(vault, await grantsOf(db, [vault_id]));
  assertAllowed(mayUseVault(principal, facts, needed, toIso(deps.store.clock.now())), absent);
  return vault;
}

/** The data key of an epoch, as the store has it now: a vault that any hub destroyed has none. */
export async function openDataKey(deps: VaultDeps, vault_id: string, epoch: number): Promise<DataKey> {
  const row: WrappedDataKey | undefined = await findDataKey(deps.store.db, vault_id, epoch);
  if (!row) throw dataKeyMissing(vault_id, epoch);
  return deps.keys.open(row);
}

/** Throws `invalid_input` unless the time is still to come. */
export function assertFuture(field: string, time: string | undefined, now: string): void {
  if (time === undefined || time > now) return;
  throw failure('invalid_input', `${field} is not in the future.`, 'Give a later time, or leave it out for none.');
}

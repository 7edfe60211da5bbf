// Errors of the vault domain. None of them holds anything that was sealed.
import { failure, type HaivemindError } from '../../kernel/errors.ts';

/** A vault that is absent, destroyed or not visible: the three are not told apart. */
export function vaultNotFound(vault_id: string): HaivemindError {
  return failure('not_found', `There is no vault ${vault_id}.`, 'list_vaults names those you may use.', {
    details: { vault_id },
  });
}

export function secretNotFound(vault_id: string, key: string, version?: number): HaivemindError {
  const what = version === undefined ? `secret ${key}` : `version ${version} of secret ${key}`;
  return failure(
    'not_found',
    `There is no ${what} in vault ${vault_id}.`,
    'list_vault_secrets names its secrets; with include_deleted also those restore_vault_secret brings back.',
    { details: { vault_id, key, ...(version === undefined ? {} : { version }) } },
  );
}

export function secretExpired(vault_id: string, key: string, version: number, expired_at: string): HaivemindError {
  return failure(
    'conflict',
    `Version ${version} of secret ${key} expired at ${expired_at}: it is not given out any more.`,
    'Store a new value with store_in_vault.',
    { details: { vault_id, key, version, expired_at } },
  );
}

export function masterKeyMissing(master_key_id: string, place: string): HaivemindError {
  return failure(
    'unavailable',
    `Master key ${master_key_id} is not in the key ring (${place}), so what it wrapped stays closed.`,
    'Bring that key ring to this machine, or give the hub the passphrase or variable it was made with.',
    { details: { master_key_id } },
  );
}

export function dataKeyMissing(vault_id: string, epoch: number): HaivemindError {
  return failure(
    'storage_corrupt',
    `Vault ${vault_id} has lost its data key ${epoch}: what it sealed cannot be opened.`,
    'Restore the store from a backup that still has it.',
    { details: { vault_id, epoch } },
  );
}

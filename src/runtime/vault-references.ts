// `vault:<vault>/<key>` in the configuration: secrets of other services that the store's own vaults hold.
import { type Engines, type VaultReference, withVaultSecrets } from '../config/engines.ts';
import { failure, HaivemindError } from '../kernel/errors.ts';

/** The newest value of a secret, read as the machine's owner and on record with its reason. */
export type ReadSecret = (vault: string, key: string, reason: string) => Promise<string>;

/** Throws `config_invalid` naming the setting whose secret cannot be had, and why. */
export async function resolveReferences(
  engines: Engines,
  references: readonly VaultReference[],
  read: ReadSecret,
): Promise<Engines> {
  const secrets = new Map<VaultReference['field'], string>();
  for (const { field, vault, key } of references) {
    try {
      secrets.set(field, await read(vault, key, `setting ${field}`));
    } catch (cause) {
      if (!(cause instanceof HaivemindError)) throw cause;
      throw failure('config_invalid', `${field}: vault:${vault}/${key}: ${cause.message}`, cause.hint, { cause });
    }
  }
  return withVaultSecrets(engines, secrets);
}

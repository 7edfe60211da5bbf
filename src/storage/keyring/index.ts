// The key ring: where the master keys are that wrap the keys of vaults and of the token signer.
import { join } from 'node:path';
import { environmentKeyRing } from './environment.ts';
import { fileKeyRing } from './file.ts';
import { osKeyRing } from './os.ts';
import { passphraseKeyRing } from './passphrase.ts';
import type { KeyRing } from './port.ts';

export { masterKeysMissing, namedKeys } from './named-keys.ts';
export type { KeyRing, MasterKey } from './port.ts';

/** The section `security.keyring` of the configuration. */
export interface KeyRingSettings {
  readonly source: 'file' | 'env' | 'passphrase' | 'os';
  /** Full path of the file of source `file`. */
  readonly file: string;
  readonly env: string;
  readonly service: string;
}

export interface KeyRingPlace {
  readonly data_dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The key ring the configuration asks for. Touches nothing yet: the place is looked at, and made, by the first call, which
 * also rejects where it is set up wrongly. One for each process: what a passphrase opens stays open with it.
 */
export function openKeyRing(settings: KeyRingSettings, { data_dir, env }: KeyRingPlace): KeyRing {
  switch (settings.source) {
    case 'file':
      return fileKeyRing(settings.file);
    case 'env':
      return environmentKeyRing(settings.env, env);
    case 'passphrase':
      return passphraseKeyRing({ path: join(data_dir, 'keys', 'passphrase.json'), name: settings.env, env });
    case 'os':
      return osKeyRing(settings.service);
  }
}

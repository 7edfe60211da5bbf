// What identity needs from outside.
import type { Database } from '../../storage/database.ts';
import type { KeyRing } from '../../storage/keyring/port.ts';
import type { Audit, AuditTables } from '../audit/index.ts';
import type { IssuerSettings } from './issuer-settings.ts';
import type { TokenTables } from './token-tables.ts';

/** Of the configuration's section `security`. */
export interface IdentitySettings {
  readonly public_url?: string | undefined;
  readonly issuers: readonly IssuerSettings[];
  readonly tailscale: { readonly enabled: boolean; readonly socket: string };
}

export interface IdentityDeps {
  readonly store: Database<TokenTables & AuditTables>;
  readonly keyring: KeyRing;
  readonly audit: Audit;
  readonly settings: IdentitySettings;
  /** An audit row of a refused request that could not be written. */
  readonly onError: (error: unknown) => void;
}

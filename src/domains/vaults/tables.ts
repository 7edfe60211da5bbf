// Columns of the vault tables. What is secret stands only in `sealed` columns.
import type { VersionedColumns } from '../../storage/tables.ts';

export interface VaultTable extends VersionedColumns {
  vault_id: string;
  name: string;
  description: string;
  vault_type: string;
  user_id: string;
  /** Set for vaults of a team: the team's roles decide, not who made it. */
  team_id: string | null;
  project_id: string | null;
  /** Number of the data key that seals new versions. */
  epoch: number;
  created_at: string;
  destroyed_at: string | null;
}

/** A data key, wrapped by the master key. Without its row everything it sealed is noise. */
export interface VaultKeyTable {
  vault_id: string;
  epoch: number;
  master_key_id: string;
  wrapped: Uint8Array;
  created_at: string;
}

export interface VaultSecretTable extends VersionedColumns {
  secret_id: string;
  vault_id: string;
  secret_key: string;
  version: number;
  rotation_days: number | null;
  created_at: string;
  created_by: string;
  updated_at: string;
  updated_by: string;
  expires_at: string | null;
  deleted_at: string | null;
  deleted_by: string | null;
  purge_at: string | null;
}

export interface VaultSecretVersionTable {
  secret_id: string;
  version: number;
  epoch: number;
  sealed: Uint8Array;
  sealed_metadata: Uint8Array;
  created_at: string;
  created_by: string;
  /** From then on this version is not given out; a later version has its own. */
  expires_at: string | null;
}

export interface VaultGrantTable extends VersionedColumns {
  grant_id: string;
  vault_id: string;
  grantee_type: string;
  grantee_id: string;
  access_level: string;
  granted_at: string;
  granted_by: string;
  expires_at: string | null;
}

export interface VaultTables {
  vaults: VaultTable;
  vault_keys: VaultKeyTable;
  vault_secrets: VaultSecretTable;
  vault_secret_versions: VaultSecretVersionTable;
  vault_grants: VaultGrantTable;
}

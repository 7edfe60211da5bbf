// The operations of this domain, in the order tools are listed.
import { createVault } from './create_vault.ts';
import { deleteVaultSecret } from './delete_vault_secret.ts';
import { destroyVault } from './destroy_vault.ts';
import { listVaultSecrets } from './list_vault_secrets.ts';
import { listVaults } from './list_vaults.ts';
import { restoreVaultSecret } from './restore_vault_secret.ts';
import { retrieveFromVault } from './retrieve_from_vault.ts';
import { rotateVaultKey } from './rotate_vault_key.ts';
import { shareVault } from './share_vault.ts';
import { storeInVault } from './store_in_vault.ts';
import { vaultAuditLog } from './vault_audit_log.ts';

export const vaultOperations = [
  createVault,
  listVaults,
  storeInVault,
  retrieveFromVault,
  listVaultSecrets,
  deleteVaultSecret,
  restoreVaultSecret,
  shareVault,
  vaultAuditLog,
  rotateVaultKey,
  destroyVault,
] as const;

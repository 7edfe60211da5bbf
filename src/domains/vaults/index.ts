// Vaults: secrets under keys of their own. What other domains and compose.ts may use.
export type { TeamVaultEvent, VaultTrx } from './deps.ts';
export { vaultOperations } from './operations/index.ts';
export type { MasterRotation } from './rules/master-key.ts';
export { createVaults, type VaultOptions, type Vaults } from './service.ts';
export type { VaultTables } from './tables.ts';

// Operating modes: solo, team, vault. What other domains and compose.ts may use.
export { leaveLostMode } from './change.ts';
export type { ModeDeps, VaultEntry, VaultSight } from './deps.ts';
export { createModes, type ModeRow, type Modes, modeName } from './modes.ts';
export { modeOperations } from './operations/index.ts';
export type { ModeTables } from './tables.ts';

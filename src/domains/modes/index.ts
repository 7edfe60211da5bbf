// Operating modes: solo, team, vault. What other domains and compose.ts may use.
export { createModes, type Modes } from './modes.ts';
export type { ModeTables } from './tables.ts';

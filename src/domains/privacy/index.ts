// Privacy: what is known of a person, taken along or erased. What other domains and compose.ts may use.
export type { PrivacyDeps, PrivacyTables } from './deps.ts';
export type { ExportFormat } from './formats.ts';
export { privacyOperations } from './operations/index.ts';

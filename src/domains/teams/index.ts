// Teams: people who share memories and vaults. What other domains and compose.ts may use.
export { membershipsOf } from './memberships.ts';
export type { TeamTables } from './tables.ts';

// Teams: people who share memories and vaults. What other domains and compose.ts may use.
export { logTeamActivity, pruneTeams, type TeamActivity } from './activity.ts';
export { ofColleagues } from './colleagues.ts';
export type { TeamDeps } from './deps.ts';
export { teamNotFound } from './errors.ts';
export { membershipsOf } from './memberships.ts';
export { teamOperations } from './operations/index.ts';
export type { TeamTables } from './tables.ts';

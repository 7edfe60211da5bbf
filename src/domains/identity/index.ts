// Identity: who calls, how that was proved, and what their session has done. What other domains and compose.ts may use.
export { createIdentity, type IdentityDomain } from './identity.ts';
export type { IdentitySettings } from './identity-deps.ts';
export { identityOperations } from './operations/index.ts';
export { type CallCount, createSessions, type SessionState, type Sessions } from './sessions.ts';
export type { SessionTables } from './tables.ts';
export type { KnownCaller } from './token-checks.ts';
export type { TokenTables } from './token-tables.ts';

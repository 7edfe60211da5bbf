// Identity: who calls, and what their session has done. What other domains and compose.ts may use.
export { type CallCount, createSessions, type SessionState, type Sessions } from './sessions.ts';
export type { SessionTables } from './tables.ts';

// The hash chain: each row's hash covers the row and the hash before it, so that no row can be changed, moved or taken out
// unseen. Names and reasons are covered by salted digests, which stay when they are erased.
import { hash, randomBytes } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { AuditLogTable } from './tables.ts';

export type AuditLogRow = Selectable<AuditLogTable>;

/** `previous_hash` of the first row. */
export const CHAIN_START = '0'.repeat(64);

/** SHA-256, hex, over the row's columns in this order as a JSON list. */
export function hashOf(row: Omit<AuditLogRow, 'hash'>): string {
  const { seq, at, subject_id, action, target_type, target_id, result, details_digest, previous_hash } = row;
  return sha256([seq, at, subject_id, action, target_type, target_id, result, details_digest, previous_hash]);
}

/** The salt keeps a short reason or name from being guessed from its digest after it was erased. */
export function newSalt(): string {
  return randomBytes(16).toString('base64url');
}

export function digestOf(salt: string, details: string): string {
  return sha256([salt, details]);
}

export interface SubjectNames {
  readonly user_id: string;
  readonly agent_id: string;
  readonly machine_id: string;
}

/** The id is made of the names, so that whoever exchanges the names of a subject has to change the rows of the chain. */
export function subjectIdOf(salt: string, { user_id, agent_id, machine_id }: SubjectNames): string {
  return `sub_${sha256([salt, user_id, agent_id, machine_id])}`;
}

/** JSON keeps the parts apart. */
function sha256(parts: readonly (string | number | null)[]): string {
  return hash('sha256', JSON.stringify(parts), 'hex');
}

// The hash chain: each row's hash covers the row and the hash before it, so that no row can be changed, moved or taken out
// unseen. Names and reasons are covered by a salted digest, which stays when they are erased.
import { createHash, randomBytes } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { AuditLogTable } from './tables.ts';

export type AuditLogRow = Selectable<AuditLogTable>;

/** `previous_hash` of the first row. */
export const CHAIN_START = '0'.repeat(64);

/** SHA-256, hex, over the row's columns in this order as a JSON list. */
export function hashOf(row: Omit<AuditLogRow, 'hash'>): string {
  const { seq, at, subject_id, action, target_type, target_id, result, details_digest, previous_hash } = row;
  return sha256(
    JSON.stringify([seq, at, subject_id, action, target_type, target_id, result, details_digest, previous_hash]),
  );
}

/** The salt keeps a short reason or name from being guessed from its digest after it was erased. */
export function newSalt(): string {
  return randomBytes(16).toString('base64url');
}

export function digestOf(salt: string, details: string): string {
  return sha256(JSON.stringify([salt, details]));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

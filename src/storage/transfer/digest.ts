// Content hashes that are the same on every engine: SHA-256 over each row in canonical form, chained in key order, so
// that where pages begin and end does not matter and a run that was interrupted goes on from the last state.
import { createHash, hash } from 'node:crypto';
import type { Row, Value } from './port.ts';

/** State of a table without rows. */
export const EMPTY_HASH = hash('sha256', '');

/** The state after one more row. `columns` has to be in the same order on both sides. */
export function extended(state: string, columns: readonly string[], row: Row): string {
  const values = columns.map((column) => row[column] ?? null);
  const text = state + JSON.stringify(values.map(canonical));
  const bytes = values.filter((value) => value instanceof Uint8Array);
  // At once where it can be: an object for each of a million rows would wait for the collector.
  if (bytes.length === 0) return hash('sha256', text);
  const parts = createHash('sha256').update(text);
  for (const part of bytes) parts.update(part);
  return parts.digest('hex');
}

/** Of one row. */
export function rowHash(columns: readonly string[], row: Row): string {
  return extended(EMPTY_HASH, columns, row);
}

/** Bytes follow the text of the row; their length there says where each ends. JSON writes -0 as 0, as SQLite keeps it. */
function canonical(value: Value): unknown {
  return value instanceof Uint8Array ? { bytes: value.byteLength } : value;
}

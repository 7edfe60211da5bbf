// Content hashes that are the same on every engine: SHA-256 over each row in canonical form, chained in key order, so
// that where pages begin and end does not matter and a run that was interrupted goes on from the last state.
import { createHash } from 'node:crypto';
import type { Row, Value } from './port.ts';

/** State of a table without rows. */
export const EMPTY_HASH = createHash('sha256').digest('hex');

/** The state after one more row. `columns` has to be in the same order on both sides. */
export function extended(state: string, columns: readonly string[], row: Row): string {
  const hash = createHash('sha256').update(state);
  const plain: unknown[] = [];
  for (const column of columns) plain.push(canonical(row[column] ?? null));
  hash.update(JSON.stringify(plain));
  for (const column of columns) {
    const value = row[column];
    if (value instanceof Uint8Array) hash.update(value);
  }
  return hash.digest('hex');
}

/** Of one row. */
export function rowHash(columns: readonly string[], row: Row): string {
  return extended(EMPTY_HASH, columns, row);
}

/** Bytes follow the text of the row; their length there says where each ends. JSON writes -0 as 0, as SQLite keeps it. */
function canonical(value: Value): unknown {
  return value instanceof Uint8Array ? { bytes: value.byteLength } : value;
}

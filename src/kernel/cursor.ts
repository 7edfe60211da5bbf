// Opaque page cursors: where the previous page ended, encoded so that callers do not build on its shape.
import { failure } from './errors.ts';

/** Encodes the sort key of the last row of a page. */
export function encodeCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/**
 * Decodes a cursor with `length` parts: texts, then the whole number that every cursor of this server ends with.
 * Throws `invalid_input` for anything else.
 */
export function decodeCursor(cursor: string, length: number): (string | number)[] {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (
      Array.isArray(key) &&
      key.length === length &&
      key.every((part, i) => (i < length - 1 ? typeof part === 'string' : Number.isSafeInteger(part) && part >= 0))
    ) {
      return key as (string | number)[];
    }
  } catch {
    // Falls through to the one error below.
  }
  throw failure('invalid_input', 'cursor is not one of this server.', 'Leave cursor out to begin at the first page.');
}

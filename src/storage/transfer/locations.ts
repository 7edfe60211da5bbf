// `sqlite:<file or data directory>` and `postgres://...` as places of a store.
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { failure } from '../../kernel/errors.ts';
import type { PostgresSettings } from '../postgres/pool.ts';
import { STORE_FILE } from '../sqlite/open.ts';

export type StoreLocation =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly settings: PostgresSettings };

/**
 * Reads a location; relative paths are resolved against `cwd`. A path that ends in .db is a file, any other a data
 * directory. Throws `invalid_input` and never repeats the text: it may hold a password.
 */
export function storeLocation(text: string, cwd: string): StoreLocation {
  if (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)) return { kind: 'postgres', settings: { url: text } };
  const [, path] = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(text) ?? [];
  if (path !== undefined) {
    const full = resolve(cwd, path);
    return { kind: 'sqlite', file: isFile(full) ? full : join(full, STORE_FILE) };
  }
  throw failure(
    'invalid_input',
    'That is not the place of a store.',
    'Write sqlite:<file or data directory> or postgres://user@host:5432/database.',
  );
}

function isFile(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? found.isFile() : path.endsWith('.db');
}

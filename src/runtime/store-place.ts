// A note in the data directory of a hub whose store is on PostgreSQL: a shell or a stdio server started there without
// the address would otherwise begin a second, empty store and find nothing in it.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failure } from '../kernel/errors.ts';
import { makeDirectory } from '../storage/make-directory.ts';

const fileOf = (data_dir: string): string => join(data_dir, 'store-elsewhere.txt');

/** Notes where the store of this directory's hub is; `place` holds no password. */
export function noteStoreElsewhere(data_dir: string, place: string): void {
  makeDirectory(data_dir);
  writeFileSync(fileOf(data_dir), `${place}\n`, { mode: 0o600 });
}

/** Throws `config_invalid` where the store of this directory is on PostgreSQL. */
export function assertStoreHere(data_dir: string): void {
  const file = fileOf(data_dir);
  if (!existsSync(file)) return;
  throw failure(
    'config_invalid',
    `The hub of ${data_dir} keeps its memories in PostgreSQL at ${readFileSync(file, 'utf8').trim()}, which this process is not told of.`,
    `Set HAIVEMIND_DATABASE_URL or storage.postgres as for the hub; or remove ${file} to have a store of this directory's own.`,
  );
}

/** A store was put into the directory itself. */
export function forgetStoreElsewhere(data_dir: string): void {
  rmSync(fileOf(data_dir), { force: true });
}

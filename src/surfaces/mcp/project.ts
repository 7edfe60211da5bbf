// The project a caller works in, told by its working directory.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { limits } from '../../kernel/limits.ts';
import { isOneLine } from '../../kernel/text-safety.ts';

/** Name of the repository around a directory, else of the directory; undefined for places that are no project. */
export function projectNameOf(cwd: string): string | undefined {
  const root = repositoryRoot(cwd) ?? cwd;
  if (root === homedir() || dirname(root) === root) return undefined;
  const name = basename(root);
  return name !== '' && name.length <= limits.name_length_max_chars && isOneLine(name) ? name : undefined;
}

function repositoryRoot(cwd: string): string | undefined {
  for (let directory = cwd; ; directory = dirname(directory)) {
    if (existsSync(join(directory, '.git'))) return directory;
    if (dirname(directory) === directory) return undefined;
  }
}

// What the bundle is made from, as one hash: set-up builds again only when it changed. Runs on Node 18 and later.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const INPUTS = ['src', 'scripts/build.ts', 'package.json', 'package-lock.json', 'tsconfig.json'];
/** Name of the file in dist/ that holds the hash of the sources it was built from. */
export const STAMP_FILE = '.built-from';

/** SHA-256 over names and contents of everything the build reads, tests aside. */
export function sourceHash(root) {
  const hash = createHash('sha256');
  for (const input of INPUTS) {
    for (const file of filesBelow(join(root, input))) {
      hash.update(`${relative(root, file).split(sep).join('/')}\0`);
      hash.update(readFileSync(file));
      hash.update('\0');
    }
  }
  return hash.digest('hex');
}

function filesBelow(path) {
  if (!existsSync(path)) return [];
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path];
    throw error;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const child = join(path, entry.name);
    if (entry.isDirectory()) return filesBelow(child);
    return entry.name.endsWith('.test.ts') ? [] : [child];
  });
}

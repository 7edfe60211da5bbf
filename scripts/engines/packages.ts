// The engines that come from npm, installed once by their own lock file, apart from the project's own packages.
import { join } from 'node:path';
import { installPackages } from '../test-packages.ts';

/** The node_modules they are in. Throws npm's words where the registry is out of reach. */
export function enginePackages(): string {
  return installPackages({
    source: join(import.meta.dirname, '..', '..', 'test', 'engines', 'packages'),
    name: 'engines',
  });
}

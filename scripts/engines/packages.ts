// The engines that come from npm, installed once by their own lock file, apart from the project's own packages.
import { join } from 'node:path';
import { installPackages } from '../test-packages.ts';

const source = join(import.meta.dirname, '..', '..', 'test', 'engines', 'packages');

/** The node_modules they are in. Throws npm's words where the registry is out of reach. */
export function enginePackages(say: (text: string) => void = () => {}): string {
  return installPackages({ source, name: 'engines', say });
}

// The folder this program is installed in, from the entry file it runs: dist/cli.js or src/cli.ts.
import { dirname } from 'node:path';
import type { CliContext } from './contract.ts';

export function installRootOf(ctx: Pick<CliContext, 'entryPath'>): string {
  return dirname(dirname(ctx.entryPath));
}

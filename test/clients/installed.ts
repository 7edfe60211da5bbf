// The real clients, installed once from the npm registry by their own lock file.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages } from '../../scripts/test-packages.ts';
import { projectRoot } from '../cli-binary.ts';

const modules = join(projectRoot, 'node_modules', '.test-clients', 'node_modules');

/** Entry files to run with Node. */
export const clientPaths = {
  claude: join(modules, '@anthropic-ai', 'claude-code', 'cli-wrapper.cjs'),
  conformance: join(modules, '@modelcontextprotocol', 'conformance', 'dist', 'index.js'),
  inspector: join(modules, '@modelcontextprotocol', 'inspector', 'clients', 'launcher', 'build', 'index.js'),
  mcp_remote: join(modules, 'mcp-remote', 'dist', 'proxy.js'),
} as const;

/**
 * Installs what is missing; nothing runs during the installation, and Claude Code's program comes as an npm package.
 * Throws with npm's own words where the registry is out of reach.
 */
export function ensureClients(): void {
  installPackages({ source: join(import.meta.dirname, 'packages'), name: 'clients' });
  for (const path of Object.values(clientPaths))
    if (!existsSync(path)) throw new Error(`${path} is missing after the installation.`);
}

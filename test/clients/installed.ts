// The real clients, installed once from the npm registry by their own lock file.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../cli-binary.ts';

const packages = join(import.meta.dirname, 'packages');
/** Below node_modules, where no other tool looks for sources or tests. */
const installation = join(projectRoot, 'node_modules', '.test-clients');
const modules = join(installation, 'node_modules');
const stamp = join(modules, '.haivemind-installed');

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
  const wanted = createHash('sha256')
    .update(readFileSync(join(packages, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  mkdirSync(installation, { recursive: true });
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(join(packages, file), join(installation, file));
  const first = npm('ci');
  // Mirrors may lack optional packages of other platforms, which `ci` takes for a lock that does not fit.
  const result = first.status === 0 ? first : npm('install', '--no-save');
  if (result.status !== 0) {
    throw new Error(
      `The clients of test/clients/packages could not be installed from the npm registry:\n${result.stderr}`,
    );
  }
  for (const path of Object.values(clientPaths))
    if (!existsSync(path)) throw new Error(`${path} is missing after the installation.`);
  writeFileSync(stamp, wanted);
}

function npm(...words: string[]): { status: number | null; stderr: string } {
  const script = process.env.npm_execpath;
  const [command, ...first] = script && /npm-cli\.c?js$/.test(script) ? [process.execPath, script] : ['npm'];
  const args = [
    ...first,
    ...words,
    '--ignore-scripts',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  return spawnSync(command, args, { cwd: installation, encoding: 'utf8' });
}

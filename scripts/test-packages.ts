// Packages that only tests run (real clients, engines from npm), installed once by a lock file of their own into
// node_modules/.test-<name>, where no other tool looks for sources or tests.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const modulesOfProject = join(import.meta.dirname, '..', 'node_modules');

export interface TestPackages {
  /** The folder with package.json and package-lock.json. */
  readonly source: string;
  readonly name: string;
  /** Told before an installation, which takes a while. */
  say?(text: string): void;
}

/**
 * Installs what is missing and returns its node_modules. No package's own script runs during the installation. Several
 * processes may ask at once: each installs beside the place, and the first one done puts its own there.
 * Throws with npm's own words where the registry is out of reach.
 */
export function installPackages({ source, name, say }: TestPackages): string {
  const wanted = createHash('sha256')
    .update(readFileSync(join(source, 'package-lock.json')))
    .digest('hex');
  const place = join(modulesOfProject, `.test-${name}`);
  if (isInstalled(place, wanted)) return join(place, 'node_modules');
  say?.(`installing ${name} for the tests from the npm registry, once`);
  const beside = `${place}-${process.pid}`;
  rmSync(beside, { recursive: true, force: true });
  mkdirSync(beside, { recursive: true });
  try {
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(source, file), join(beside, file));
    install(source, beside);
    writeFileSync(stampOf(beside), wanted);
    if (!isInstalled(place, wanted)) {
      rmSync(place, { recursive: true, force: true });
      renameSync(beside, place);
    }
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
  return join(place, 'node_modules');
}

function stampOf(place: string): string {
  return join(place, 'node_modules', '.haivemind-installed');
}

function isInstalled(place: string, wanted: string): boolean {
  const stamp = stampOf(place);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
}

function install(source: string, directory: string): void {
  const first = npm(directory, 'ci');
  // Mirrors may lack optional packages of other platforms, which `ci` takes for a lock that does not fit.
  const result = first.status === 0 ? first : npm(directory, 'install', '--no-save');
  if (result.status === 0) return;
  throw new Error(`The packages of ${source} could not be installed from the npm registry:\n${result.stderr}`);
}

function npm(cwd: string, ...words: string[]): { status: number | null; stderr: string } {
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
  return spawnSync(command, args, { cwd, encoding: 'utf8' });
}

// Directories as they are, byte for byte, and installations of the product that a test may damage.
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../cli-binary.ts';

/** Hash of every file below a directory. SQLite's shared memory (-shm) is left out: it holds locks, no data. */
export function snapshot(directory: string): Readonly<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(directory, name);
    if (name.endsWith('-shm') || !statSync(path).isFile()) continue;
    const bytes = readFileSync(path);
    // An empty write-ahead log is as good as none.
    if (name.endsWith('-wal') && bytes.length === 0) continue;
    files[name] = createHash('sha256').update(bytes).digest('hex');
  }
  return files;
}

export interface Install {
  readonly cli: string;
  readonly models_dir: string;
  remove(): void;
}

/** A copy of the built product with models of its own; packages are shared. */
export function copyInstall(): Install {
  const base = mkdtempSync(join(tmpdir(), 'haivemind-install-'));
  for (const name of ['dist', 'models', 'package.json']) {
    cpSync(join(projectRoot, name), join(base, name), { recursive: true });
  }
  symlinkSync(join(projectRoot, 'node_modules'), join(base, 'node_modules'));
  return {
    cli: join(base, 'dist', 'cli.js'),
    models_dir: join(base, 'models'),
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}

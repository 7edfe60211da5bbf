// Runs the built command in a place of its own: a data directory and a HOME that exist for one test file.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { STAMP_FILE, sourceHash } from '../scripts/source-hash.mjs';

export const projectRoot = join(import.meta.dirname, '..');
export const node24 = join(projectRoot, 'node_modules', 'node', 'bin', 'node');
export const cliPath = join(projectRoot, 'dist', 'cli.js');

/** Builds dist/ where it is missing or older than the sources: `npm test` has done it, a single test file may not. */
export function ensureBuilt(): void {
  const stamp = join(projectRoot, 'dist', STAMP_FILE);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sourceHash(projectRoot)) return;
  const result = spawnSync(node24, [join(projectRoot, 'scripts', 'build.ts')], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`the build failed:\n${result.stdout}${result.stderr}`);
}

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Place {
  readonly home: string;
  readonly data_dir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs a command to its end. */
  run(args: readonly string[], options?: { readonly input?: string; readonly env?: NodeJS.ProcessEnv }): Promise<Ran>;
  /** Starts a command and returns at once; it is ended with the place. */
  start(args: readonly string[]): ChildProcess;
  /** Starts a server command with --json and waits until it listens. */
  serve(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<RunningServer>;
  remove(): Promise<void>;
}

export interface RunningServer {
  readonly child: ChildProcess;
  /** The line it printed when it listened. */
  readonly listening: { readonly url: string; readonly sync_url?: string; readonly pid: number };
  stop(signal?: NodeJS.Signals): Promise<Ran>;
}

export function makePlace(): Place {
  const base = mkdtempSync(join(tmpdir(), 'haivemind-cli-'));
  const home = join(base, 'home');
  const data_dir = join(base, 'data');
  mkdirSync(home);
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: home,
    HAIVEMIND_DATA_DIR: data_dir,
    HAIVEMIND_PORT: '0',
    HAIVEMIND_SYNC_PORT: '0',
    HAIVEMIND_LOG_LEVEL: 'silent',
  };
  const children = new Set<ChildProcess>();

  function start(args: readonly string[], more: NodeJS.ProcessEnv = {}): ChildProcess {
    const child = spawn(node24, [cliPath, ...args], { cwd: home, env: { ...env, ...more }, stdio: 'pipe' });
    children.add(child);
    child.on('close', () => children.delete(child));
    return child;
  }

  return {
    home,
    data_dir,
    env,
    start: (args) => start(args),
    run(args, options = {}) {
      const child = start(args, options.env);
      child.stdin?.on('error', () => {});
      child.stdin?.end(options.input ?? '');
      return ended(child);
    },
    async serve(args, more) {
      const child = start([...args, '--json'], more);
      const end = ended(child);
      const line = await firstLine(child, end);
      const server: RunningServer = {
        child,
        listening: JSON.parse(line),
        async stop(signal = 'SIGTERM') {
          child.kill(signal);
          return end;
        },
      };
      return server;
    },
    async remove() {
      const left = [...children].map((child) => new Promise((resolve) => child.once('close', resolve)));
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(left);
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Collects what a process says until it ends. */
export function ended(child: ChildProcess): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

async function firstLine(child: ChildProcess, end: Promise<Ran>): Promise<string> {
  if (!child.stdout) throw new Error('no stdout');
  const line = new Promise<string>((resolve) => {
    if (child.stdout) createInterface({ input: child.stdout }).once('line', resolve);
  });
  const early = end.then((ran) => {
    throw new Error(`the server ended with ${ran.code ?? ran.signal}:\n${ran.stdout}${ran.stderr}`);
  });
  return Promise.race([line, early]);
}

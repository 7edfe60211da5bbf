// Processes of the product for a bench: where it lies, in which environment it runs, how it is started, asked and stopped.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { STAMP_FILE, sourceHash } from '../../scripts/source-hash.mjs';

export const projectRoot = join(import.meta.dirname, '..', '..');

/** The built command; `--entry` of the bench names another build of it, to compare two. */
export function cliEntry(): string {
  return resolve(process.env.HAIVEMIND_BENCH_ENTRY ?? join(projectRoot, 'dist', 'cli.js'));
}

/** Builds dist/ where it is older than the sources. */
export function ensureBuilt(): void {
  if (process.env.HAIVEMIND_BENCH_ENTRY !== undefined) return;
  const stamp = join(projectRoot, 'dist', STAMP_FILE);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sourceHash(projectRoot)) return;
  const result = spawnSync(process.execPath, [join(projectRoot, 'scripts', 'build.ts')], { stdio: 'inherit' });
  if (result.status !== 0) throw new Error('The build failed; its output is above.');
}

export interface Hub {
  readonly url: string;
  readonly pid: number;
  /** The longest stretch in which the main thread could not turn to anything else, since the last call; milliseconds. */
  longestBlock(): Promise<number>;
  stop(): Promise<void>;
}

export interface Place {
  readonly data_dir: string;
  readonly env: Record<string, string>;
  startHub(): Promise<Hub>;
  /** Runs a command to its end; rejects when it fails. Resolves with the milliseconds it took and what it printed. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<{ ms: number; stdout: string }>;
  /** Resolves when no memory waits for its vector any more. */
  vectorsMade(): Promise<void>;
  remove(): void;
}

/** A home and a data directory of their own. */
export function makePlace(): Place {
  const base = mkdtempSync(join(tmpdir(), 'haivemind-bench-'));
  const data_dir = join(base, 'data');
  for (const folder of ['home', 'data']) mkdirSync(join(base, folder));
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: join(base, 'home'),
    HAIVEMIND_DATA_DIR: data_dir,
    HAIVEMIND_PORT: '0',
    HAIVEMIND_SYNC_PORT: '0',
    HAIVEMIND_LOG_LEVEL: 'silent',
  };
  return {
    data_dir,
    env,
    startHub: () => startHub(env),
    run: (args, more = {}) => run(args, { ...env, ...more }),
    vectorsMade: () => vectorsMade(join(data_dir, 'haivemind.db')),
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}

function run(args: readonly string[], env: Record<string, string>): Promise<{ ms: number; stdout: string }> {
  const started = performance.now();
  const child = spawn(process.execPath, [cliEntry(), ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((done, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const ms = performance.now() - started;
      if (code === 0) done({ ms, stdout });
      else reject(new Error(`haivemind ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`));
    });
  });
}

async function startHub(env: Record<string, string>): Promise<Hub> {
  const watch = join(import.meta.dirname, 'watch-main-thread.ts');
  const profile = process.env.HAIVEMIND_BENCH_PROFILE;
  const flags = ['--import', watch, ...(profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [])];
  const child = spawn(process.execPath, [...flags, cliEntry(), 'serve', '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const { url } = JSON.parse(await firstLine(child)) as { url: string };
  return {
    url,
    pid: child.pid as number,
    longestBlock: () =>
      new Promise((done) => {
        child.once('message', (message) => done((message as { longest_ms: number }).longest_ms));
        child.send('read');
      }),
    stop: () => stopped(child),
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((done, reject) => {
    if (!child.stdout) return reject(new Error('The hub has no standard output.'));
    createInterface({ input: child.stdout }).once('line', done);
    child.once('exit', (code) => reject(new Error(`The hub ended with ${code} before it listened.`)));
  });
}

/** Asks a process to end and waits until it has. */
export function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    child.once('exit', () => done());
    child.kill('SIGTERM');
  });
}

async function vectorsMade(file: string): Promise<void> {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
  const waiting = db.prepare('select count(*) as count from memory_vector_queue');
  try {
    while ((waiting.get() as { count: number }).count > 0) await new Promise((next) => setTimeout(next, 20));
  } finally {
    db.close();
  }
}

/** Resident memory of a process in MiB. */
export function residentMib(pid: number): number {
  if (existsSync(`/proc/${pid}/status`)) {
    const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib) / 1024;
  }
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return Number(stdout) / 1024;
}

// `npm start` in a clone of the project: what set-up does, what it leaves alone, and how it says what is wrong.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ended, projectRoot, type Ran } from './cli-binary.ts';

let base: string;
let clone: string;
let env: NodeJS.ProcessEnv;
const children = new Set<ChildProcess>();

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'haivemind-clone-'));
  clone = join(base, 'clone');
  mkdirSync(join(base, 'home'));
  copyWorkingTree(clone);
  env = {
    // As in a fresh clone: the system's Node, which may be older than the one the project brings along.
    PATH: (process.env.PATH ?? '')
      .split(delimiter)
      .filter((directory) => !directory.includes('node_modules'))
      .join(delimiter),
    HOME: join(base, 'home'),
    HAIVEMIND_PORT: '0',
    HAIVEMIND_SYNC_PORT: '0',
    HAIVEMIND_LOG_LEVEL: 'silent',
  };
});
afterAll(async () => {
  const left = [...children].map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(left);
  rmSync(base, { recursive: true, force: true });
});

/** What git would hand out, with the changes not committed yet. */
function copyWorkingTree(target: string): void {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: projectRoot,
  });
  const present = new Set(readdirSync(projectRoot));
  for (const name of listed.toString().split('\0')) {
    if (name === '' || !present.has(name.split('/')[0] ?? '')) continue;
    mkdirSync(dirname(join(target, name)), { recursive: true });
    cpSync(join(projectRoot, name), join(target, name), { force: true, errorOnExist: false });
  }
}

/** The packages of this project stand in for an installation; the stamp says they belong to the lock file. */
function pretendInstalled(target: string): void {
  const modules = join(target, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(join(projectRoot, 'node_modules'))) {
    if (name === '.haivemind-installed') continue;
    symlinkSync(join(projectRoot, 'node_modules', name), join(modules, name));
  }
  const lock = readFileSync(join(target, 'package-lock.json'));
  writeFileSync(join(modules, '.haivemind-installed'), createHash('sha256').update(lock).digest('hex'));
}

function setup(words: readonly string[], more: NodeJS.ProcessEnv = {}, cwd = clone): ChildProcess {
  return started('node', [join(cwd, 'scripts', 'setup.mjs'), ...words], more, cwd);
}

function started(command: string, words: readonly string[], more: NodeJS.ProcessEnv, cwd = clone): ChildProcess {
  const child = spawn(command, words, { cwd, env: { ...env, ...more }, stdio: 'pipe' });
  children.add(child);
  child.on('close', () => children.delete(child));
  return child;
}

interface Up {
  readonly child: ChildProcess;
  readonly end: Promise<Ran>;
  readonly text: string;
}

async function untilUp(child: ChildProcess): Promise<Up> {
  const end = ended(child);
  let text = '';
  await new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('Other clients')) resolve();
    });
    void end.then(() => resolve());
  });
  return { child, end, text };
}

describe('without packages', () => {
  it('says that the registry cannot be reached, and how to go on', async () => {
    const offline = {
      npm_config_registry: 'http://127.0.0.1:9/',
      npm_config_fetch_retries: '0',
      npm_config_cache: join(base, 'cache'),
    };
    const ran = await ended(setup(['start'], offline));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(
      'error: packages could not be installed: the npm registry could not be reached.\nhint: Check the network',
    );
    expect(ran.stderr).not.toMatch(/^\s+at /m);
  });

  it('knows three commands', async () => {
    const ran = await ended(setup(['sing']));
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('hint: Use npm start, npm test');
  });

  it('misses package-lock.json by name', async () => {
    const partial = join(base, 'partial');
    cpSync(join(clone, 'scripts'), join(partial, 'scripts'), { recursive: true });
    const ran = await ended(setup(['start'], {}, partial));
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('package-lock.json is missing');
  });
});

describe('npm test', () => {
  it('does not begin without an engine that is none', async () => {
    const installed = join(base, 'installed');
    cpSync(clone, installed, { recursive: true });
    pretendInstalled(installed);
    const ran = await ended(setup(['test'], { HAIVEMIND_TEST_SKIP_ENGINES: 'redis,elastic' }, installed));
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain('error: HAIVEMIND_TEST_SKIP_ENGINES names elastic; the engines are postgres, redis');
  });
});

describe('npm start', () => {
  beforeAll(() => pretendInstalled(clone));

  it('builds, starts, checks itself, and is back at once the second time', async () => {
    const data = { HAIVEMIND_DATA_DIR: join(base, 'data') };
    const first = await untilUp(setup(['start'], data));
    expect(first.text).toContain('haivemind: building');
    expect(first.text).toContain('Self-check: stored mem_');
    expect(first.text).toContain(`${join(clone, 'dist', 'cli.js')} mcp`);
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(first.text)?.[0];
    expect((await fetch(`${url}/health`)).status).toBe(200);

    const beside = await ended(setup(['start'], data));
    expect(beside.code).toBe(0);
    expect(beside.stdout).toContain('already runs');

    first.child.kill('SIGINT');
    expect(await first.end).toMatchObject({ code: 0 });

    const second = await untilUp(setup(['start'], data));
    expect(second.text).not.toContain('building');
    expect(second.text).toContain(/stored mem_\w+/.exec(first.text)?.[0]);
    second.child.kill('SIGTERM');
    expect(await second.end).toMatchObject({ code: 0 });
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('leaves no server behind when npm ends by %s', async (signal) => {
    const data_dir = join(base, `npm-${signal}`);
    const { child, text } = await untilUp(started('npm', ['start'], { HAIVEMIND_DATA_DIR: data_dir }));
    expect(text).toContain('hAIveMind is up');
    expect(existsSync(join(data_dir, 'hub.json'))).toBe(true);
    child.kill(signal);
    await expect.poll(() => existsSync(join(data_dir, 'hub.json')), { timeout: 20_000 }).toBe(false);
  });

  it('builds again when a source changed', async () => {
    const file = join(clone, 'src', 'kernel', 'clock.ts');
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n// changed\n`);
    const ran = await ended(setup(['prepare']));
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.stdout).toContain('haivemind: building');
    expect((await ended(setup(['prepare']))).stdout).toBe('');
  });

  it('says that the port is taken', async () => {
    const other = createServer((_request, response) => response.end());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const port = String((other.address() as AddressInfo).port);
    try {
      const ran = await ended(setup(['start'], { HAIVEMIND_PORT: port, HAIVEMIND_DATA_DIR: join(base, 'other') }));
      expect(ran.code).toBe(5);
      expect(ran.stderr).toContain(`error: Port 127.0.0.1:${port} is in use`);
      expect(ran.stderr).toContain('hint: Stop it, or choose another port');
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });

  it('says that the sources do not build', async () => {
    writeFileSync(join(clone, 'src', 'cli.ts'), 'this is not a program');
    const ran = await ended(setup(['prepare']));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('error: the build failed.');
  });
});

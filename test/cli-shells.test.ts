// What depends on the shell and the Node around the command: completion scripts, and a Node that is too old.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cliPath, ensureBuilt, makePlace, type Place } from './cli-binary.ts';

let place: Place;

beforeAll(() => {
  ensureBuilt();
  place = makePlace();
});
afterAll(() => place.remove());

function installed(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** The first Node on PATH that is older than the product accepts. */
function oldNode(): string | undefined {
  const places = (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, 'node'));
  return [...places, '/usr/bin/node'].find((path) => {
    if (!existsSync(path)) return false;
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    return Number(/^v(\d+)/.exec(stdout)?.[1] ?? 24) < 24;
  });
}

describe('completion', () => {
  async function script(shell: string): Promise<string> {
    const ran = await place.run(['completion', shell]);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    return ran.stdout;
  }

  async function bashCompletes(...words: string[]): Promise<string[]> {
    const source = `${await script('bash')}
COMP_WORDS=(haivemind "$@"); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _haivemind; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync('bash', ['-c', source, 'bash', ...words], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout.split('\n').filter((line) => line !== '');
  }

  it('completes groups, verbs, flags and choices in bash', async () => {
    expect(await bashCompletes('mem')).toEqual(['memory']);
    expect(await bashCompletes('memory', 'sto')).toEqual(['store']);
    expect(await bashCompletes('search', 'some words', '--cat')).toEqual(['--category']);
    expect(await bashCompletes('search', '--category', 'inc')).toEqual(['incidents']);
    expect(await bashCompletes('completion', 'bash', '--js')).toEqual(['--json']);
  });

  it.each(['bash', 'zsh', 'fish'])('parses in %s', async (shell) => {
    const text = await script(shell);
    expect(text).toContain('haivemind');
    if (!installed(shell)) return;
    const { status, stderr } = spawnSync(shell, ['-n'], { input: text, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('knows no other shell', async () => {
    expect(await place.run(['completion', 'csh'])).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('a Node that is too old', () => {
  const old = oldNode();

  it.skipIf(old === undefined)('gets one clear line', () => {
    for (const words of [[], ['mcp'], ['--version']]) {
      const { status, stdout, stderr } = spawnSync(old ?? '', [cliPath, ...words], { encoding: 'utf8' });
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(/^haivemind needs Node\.js 24 or later, this is v\d+\..+\n$/);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
  });
});

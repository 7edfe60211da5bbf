// `haivemind token`: the token alone on standard output, once; everything else where no variable catches it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRuntime } from '../../../compose.ts';
import { operationDefinitions } from '../../../domains/operations.ts';
import type { LocalRuntime } from '../../runtime.ts';
import type { CliContext, OperationShape } from '../contract.ts';
import { configFor } from '../globals.ts';
import { runCli } from '../main.ts';

let data_dir: string;
let runtime: LocalRuntime;

/** A command line as a shell runs it. */
async function run(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const code = await runCli(words, context(written));
  return { code, ...written };
}

function context(written: { stdout: string; stderr: string }): CliContext {
  const stream = (name: 'stdout' | 'stderr') => ({
    write(text: string) {
      written[name] += text;
    },
    isTTY: false,
    columns: 80,
  });
  const io = {
    env: { HAIVEMIND_DATA_DIR: data_dir, HAIVEMIND_MACHINE_ID: 'm1', HOME: data_dir },
    cwd: data_dir,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    stdin: (async function* () {})(),
    stdinIsTTY: false,
    signal: new AbortController().signal,
  };
  const unused = () => Promise.reject(new Error('not of this test'));
  return {
    io,
    version: '0',
    entryPath: join(import.meta.dirname, '..', '..', '..', 'cli.ts'),
    openRuntime,
    restore: unused,
    moveStore: unused,
    loadOperations: async () => operationDefinitions as unknown as readonly OperationShape[],
  };
}

beforeAll(async () => {
  data_dir = mkdtempSync(join(tmpdir(), 'haivemind-token-'));
  const ctx = context({ stdout: '', stderr: '' });
  const config = configFor(ctx, {});
  // Another process on the same data directory, as a hub is.
  runtime = await openRuntime({ ...config, server: { ...config.server, log_level: 'silent' } }, { role: 'server' });
});
afterAll(async () => {
  await runtime.close();
  rmSync(data_dir, { recursive: true, force: true });
});

describe('token create', () => {
  test('prints the token and nothing else, so that a variable can take it', async () => {
    const words = ['--user', 'bob@example.com', '--agent', 'claude', '--machine', 'web-1', '--label', 'laptop'];
    const scopes = ['--scope', 'memory.read vault', '--scope', 'team.read'];
    const { code, stdout, stderr } = await run('token', 'create', ...words, ...scopes, '--days', '3');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(stderr).toContain('bob@example.com');
    for (const part of stdout.trim().split('.')) expect(stderr).not.toContain(part);
    expect(await runtime.identities.bearer(stdout.trim())).toMatchObject({
      user_id: 'bob@example.com',
      agent_id: 'claude',
      machine_id: 'web-1',
      credential: { admin: false, scopes: ['memory.read', 'team.read', 'vault.read', 'vault.write', 'vault.share'] },
    });
  });

  test('prints all of it as JSON where that is asked for', async () => {
    const { stdout, stderr } = await run('token', 'create', '--user', 'ann', '--admin', '--json');
    const { token, ...rest } = JSON.parse(stdout);
    expect(rest).toMatchObject({ user: 'ann', admin: true, jti: expect.stringMatching(/^tok_/) });
    expect(stderr).toBe('');
    expect(await runtime.identities.bearer(token)).toMatchObject({ credential: { admin: true } });
  });

  test.each([[[]], [['--user', 'a b']], [['--user', 'b', '--days', '400']], [['--user', 'b', '--scope', 'all']]])(
    'with %j prints no token',
    async (words) => {
      const { code, stdout, stderr } = await run('token', 'create', ...words);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^error: .+\nhint: .+\n$/);
    },
  );
});

test('list shows no token; revoke ends one for those who run already', async () => {
  const token = (await run('token', 'create', '--user', 'cid')).stdout.trim();
  const listed = await run('token', 'list', '--user', 'cid');
  const jti = listed.stdout.split('\t')[0] ?? '';
  expect(jti).toMatch(/^tok_/);
  expect(listed.stdout).not.toContain(token.split('.')[2]);
  expect(await run('token', 'revoke', jti)).toMatchObject({ code: 0, stdout: expect.stringContaining(jti) });
  await expect(runtime.identities.bearer(token)).rejects.toMatchObject({ code: 'unauthenticated' });
  expect((await run('token', 'list', '--user', 'cid')).stdout).toBe('');
  expect((await run('token', 'list', '--user', 'cid', '--all')).stdout).toContain(jti);
  expect((await run('token', 'revoke', `tok_${'0'.repeat(26)}`)).stderr).toContain('no such token');
});

test('rotate-key leaves tokens valid, unless it is told to end them', async () => {
  const token = (await run('token', 'create', '--user', 'dan')).stdout.trim();
  expect(await run('token', 'rotate-key')).toMatchObject({ code: 0 });
  expect(await runtime.identities.bearer(token)).toMatchObject({ user_id: 'dan' });
  expect(await run('token', 'rotate-key', '--revoke-old')).toMatchObject({ code: 0 });
  await expect(runtime.identities.bearer(token)).rejects.toMatchObject({ code: 'unauthenticated' });
});

// `haivemind audit`: files, exit codes and what is printed, over a store of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'haivemind-audit-command-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const entry = join(import.meta.dirname, '../../../cli.ts');

async function haivemind(...words: string[]) {
  const data_dir = join(directory, 'data');
  const env = { PATH: process.env.PATH, HOME: directory, HAIVEMIND_DATA_DIR: data_dir };
  const child = spawn(process.execPath, [entry, ...words], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const textOf = async (stream: typeof child.stdout) => (await stream.toArray()).join('');
  const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const code = child.exitCode ?? (await new Promise<number | null>((resolve) => child.once('exit', resolve)));
  return { code, stdout, stderr };
}

test('an anchor is written once, verified, and damage is told with its row and by the exit code', async () => {
  expect(await haivemind('audit', 'anchor', '-o', 'anchor.json')).toMatchObject({ code: 0, stdout: '' });
  const text = readFileSync(join(directory, 'anchor.json'), 'utf8');
  expect(JSON.parse(text)).toMatchObject({ seq: expect.any(Number), hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect((await haivemind('audit', 'anchor', '-o', 'anchor.json')).code).toBe(2);
  expect(readFileSync(join(directory, 'anchor.json'), 'utf8')).toBe(text);

  const fine = await haivemind('audit', 'verify', '--anchor', 'anchor.json');
  expect(fine).toMatchObject({ code: 0, stdout: expect.stringContaining('all in order') });
  expect((await haivemind('audit', 'verify', '--anchor', 'no-such-file')).code).toBe(3);
  writeFileSync(join(directory, 'not-an-anchor.json'), '[]');
  expect((await haivemind('audit', 'verify', '--anchor', 'not-an-anchor.json')).code).toBe(2);

  const raw = new DatabaseSync(join(directory, 'data', 'haivemind.db'));
  raw.exec("update audit_log set result = 'refused' where seq = 1");
  raw.close();
  const broken = await haivemind('audit', 'verify');
  expect(broken).toMatchObject({ code: 1, stdout: expect.stringContaining('row 1: Its hash does not fit') });
  const json = await haivemind('audit', 'verify', '--json');
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, first_bad_seq: 1 });
  expect((await haivemind('audit', 'list', '--json')).stdout).toContain('anchor_audit_log');
});

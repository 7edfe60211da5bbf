// The command killed with -9 in the middle, again and again: the next run goes on and ends the same.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshDatabase, type PostgresServer, startPostgres } from '../../../scripts/engines/index.ts';
import { ended, node24, projectRoot } from '../../../test/cli-binary.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { openApp } from '../../../test/support/open-app.ts';
import { contentsOfDatabase, contentsOfDirectory } from '../../../test/support/transfer.ts';

/** More than one page of them. */
const MEMORIES = 700;
const TIMEOUT_MS = 180_000;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'haivemind-transfer-kill-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(from: string, to: string) {
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    HAIVEMIND_LOG_LEVEL: 'silent',
    HAIVEMIND_DATA_DIR: join(folder, 'none'),
  };
  const words = [join(projectRoot, 'src', 'cli.ts'), 'migrate-store', '--from', from, '--to', to, '--json'];
  return spawn(node24, words, { cwd: folder, env, stdio: 'pipe' });
}

/** Kills at this many batches. */
async function killAt(from: string, to: string, batches: number): Promise<void> {
  const child = start(from, to);
  const end = ended(child);
  let seen = 0;
  createInterface({ input: child.stdout }).on('line', () => {
    if (++seen === batches) child.kill('SIGKILL');
  });
  expect(await end).toMatchObject({ signal: 'SIGKILL' });
}

async function complete(from: string, to: string): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await ended(start(from, to));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

describeEngine('postgres', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test('twice on the way to PostgreSQL, and twice on the way back', { timeout: TIMEOUT_MS }, async () => {
    await using database = await freshDatabase(server.url);
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    {
      await using app = await openApp({ data_dir: a });
      await Promise.all(
        Array.from({ length: MEMORIES }, (_, index) =>
          app.store(`Memory ${index} of the hall, ${'word '.repeat(index % 50)}`, { tags: [`tag${index % 7}`, 'all'] }),
        ),
      );
    }
    for (const [from, to] of [
      [`sqlite:${a}`, database.url],
      [database.url, `sqlite:${b}`],
    ] as const) {
      await killAt(from, to, 5);
      await killAt(from, to, 9);
      expect(await complete(from, to)).toMatchObject({ type: 'done', resumed: true, memories: MEMORIES });
    }
    const before = contentsOfDirectory(a);
    expect(await contentsOfDatabase(database.url)).toEqual(before);
    expect(contentsOfDirectory(b)).toEqual(before);
    await using app = await openApp({ data_dir: b });
    expect((await app.call('search_memories', { query: 'memory 77 hall' })).results.length).toBeGreaterThan(0);
  });
});

// `haivemind tasks`: files in, the board and the queue out, files out again, over a store of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'haivemind-tasks-command-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const entry = join(import.meta.dirname, '../../../cli.ts');

async function haivemind(words: readonly string[], { data = 'data', stdin = '' } = {}) {
  const env = { PATH: process.env.PATH, HOME: directory, HAIVEMIND_DATA_DIR: join(directory, data) };
  const child = spawn(process.execPath, [entry, ...words], { cwd: directory, env, stdio: 'pipe' });
  child.stdin.end(stdin);
  const textOf = async (stream: typeof child.stdout) => (await stream.toArray()).join('');
  const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const code = child.exitCode ?? (await new Promise<number | null>((resolve) => child.once('exit', resolve)));
  return { code, stdout, stderr };
}

const BOARD = `# Search
## Make it fast
- [ ] Measure queries !high ^measure
- [ ] Tune shards after:measure
- [ ] Tune heap after:measure
- [%] no such box
`;

test('a board in Markdown comes in, is drawn, and goes out', { timeout: 180_000 }, async () => {
  writeFileSync(join(directory, 'board.md'), BOARD);
  const first = await haivemind(['tasks', 'import', 'board.md']);
  expect(first).toMatchObject({
    ...{ code: 0, stdout: '4 created, 0 updated, 0 unchanged, 0 skipped, 0 failed, 1 problems (markdown)\n' },
    stderr: 'board.md:6: [%] is no box that is known\n',
  });
  expect((await haivemind(['tasks', 'import', 'board.md'])).stdout).toContain('0 created, 0 updated, 4 unchanged');

  const ready = await haivemind(['tasks', 'ready']);
  expect(ready.stdout).toMatch(/^task_\w+\thigh\tMeasure queries\t\t\n$/);
  const short = JSON.parse((await haivemind(['tasks', 'ready', '--json'])).stdout);
  expect(short.tasks).toHaveLength(1);
  // The long way round, which every other command goes, says the same.
  expect(JSON.parse((await haivemind(['tasks', '--json', 'ready'])).stdout)).toEqual(short);
  expect((await haivemind(['tasks', 'ready', '--limt', '3'])).stderr).toContain('--limit');
  expect((await haivemind(['tasks', 'ready', '--limit', 'x'])).code).toBe(2);

  const board = await haivemind(['tasks', 'board']);
  expect(board.stdout.split('\n').map((line) => line.split('\t').slice(0, 3).join(' '))).toEqual([
    ...['todo 1 *', 'todo 1.1 *', 'todo 1.2a *', 'todo 1.2b ', ''],
  ]);
  const stories = await haivemind(['tasks', 'board', '--stories']);
  expect(stories.stdout).toContain('  1* Measure queries [todo] 0m high ready\n  2a* Tune shards [todo] 0m waits\n');
  expect(stories.stdout).not.toContain('\u001b');
  expect(stories.stdout).not.toContain('task_');
  expect((await haivemind(['tasks', 'board', '--stories', '--ids'])).stdout).toMatch(/\n {4}task_\w+\n/);
  expect((await haivemind(['tasks', 'board', '--help'])).stdout).toContain('--stories');

  expect((await haivemind(['tasks', 'export', '-o', 'out.jsonl'])).code).toBe(0);
  const again = await haivemind(['tasks', 'import', '-'], {
    ...{ data: 'other', stdin: readFileSync(join(directory, 'out.jsonl'), 'utf8') },
  });
  expect(again.stdout).toBe('4 created, 0 updated, 0 unchanged, 0 skipped, 0 failed, 0 problems (json)\n');
  const markdown = await haivemind(['tasks', 'export', '--format', 'markdown'], { data: 'other' });
  expect(markdown.stdout).toContain('- [ ] **1*** Measure queries !high <!-- markdown:board.md#measure -->\n');
  expect((await haivemind(['tasks', 'import', 'no-such-file'])).code).toBe(3);
});

test('a long file is sent in parts', async () => {
  const lines = Array.from({ length: 900 }, (_, i) =>
    JSON.stringify({
      ...{
        id: `bd-${i}`,
        title: `Bead ${i}`,
        status: 'open',
        priority: 2,
        issue_type: 'task',
        description: 'd'.repeat(600),
      },
      // Each waits for the one after it in the file.
      ...(i < 899 ? { dependencies: [{ issue_id: `bd-${i}`, depends_on_id: `bd-${i + 1}`, type: 'blocks' }] } : {}),
    }),
  );
  writeFileSync(join(directory, 'issues.jsonl'), ['{broken', ...lines].join('\n'));
  const report = await haivemind(['tasks', 'import', 'issues.jsonl', '--json'], { data: 'long' });
  expect(JSON.parse(report.stdout)).toMatchObject({
    format: 'beads',
    created: 900,
    failed: 0,
    problems: [{ line: 1 }],
  });
  expect((await haivemind(['tasks', 'ready'], { data: 'long' })).stdout).toContain('Bead 899');
});

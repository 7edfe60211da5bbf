// The bench of engines runs from end to end at a tiny size; how fast anything is is for people to read.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { chosenCombinations, environmentOf } from './combinations.ts';
import { cpuSeconds, memoryMib } from './cpu.ts';
import { type Measured, medianOf } from './load.ts';
import type { Run } from './report.ts';

const program = join(import.meta.dirname, 'run.ts');

it('measures a small store on SQLite, with the quality of its answers, and reports it', { timeout: 240_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'haivemind-engines-test-'));
  try {
    const file = join(folder, 'report.json');
    const args = ['--only', 'sqlite', '--sizes', '30', '--rounds', '1', '--round-ms', '50', '--json', file];
    // The sample in the project: the full set takes a minute to embed.
    const env = { ...process.env, HAIVEMIND_SHARED_DATA: join(folder, 'nothing') };
    const result = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', env });
    expect(result.status, result.stderr).toBe(0);
    expect(result.stdout).toContain('## The table');
    const run = JSON.parse(readFileSync(file, 'utf8')) as Run;
    expect(run.cells.map(({ memories, hubs, clients }) => [memories, hubs, clients])).toEqual([
      [30, 1, 1],
      [30, 1, 16],
    ]);
    for (const { actions } of run.cells)
      for (const { count, p50_ms, per_second } of Object.values(actions)) {
        expect(count).toBeGreaterThan(0);
        expect(p50_ms).toBeGreaterThan(0);
        expect(per_second).toBeGreaterThan(0);
      }
    expect(run.quality[0]?.questions).toBeGreaterThan(5);
    // Of a sample this small every right answer is among ten; less means that rows and memories are mixed up.
    expect(run.quality[0]?.recall_10).toBeGreaterThan(0.8);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('refuses a combination and a size that do not exist', () => {
  expect(() => chosenCombinations('sqlite,oracle')).toThrow('There is no combination oracle');
  const result = spawnSync(process.execPath, [program, '--sizes', 'many'], { encoding: 'utf8' });
  expect(result.status).not.toBe(0);
  expect(result.stderr).toContain('many is no number');
});

it('does not begin without an engine a combination needs', () => {
  const [full] = chosenCombinations('postgres+chroma+redis');
  const at = { postgres: 'postgres://a', redis: 'redis://b', chroma: 'http://c' };
  expect(full && environmentOf(full, at, tmpdir())).toEqual({
    HAIVEMIND_DATABASE_URL: 'postgres://a',
    HAIVEMIND_REDIS_URL: 'redis://b',
    HAIVEMIND_CHROMA_URL: 'http://c',
  });
  expect(() => full && environmentOf(full, { ...at, chroma: undefined }, tmpdir())).toThrow('Chroma was not started');
});

it.runIf(process.platform === 'linux')('counts the processor time of children with their parent', () => {
  const before = cpuSeconds(process.pid);
  const burn = 'const end = performance.now() + 300; while (performance.now() < end);';
  spawnSync(process.execPath, ['-e', burn]);
  expect(cpuSeconds(process.pid) - before).toBeGreaterThan(0.05);
  expect(memoryMib(process.pid)).toBeGreaterThan(10);
});

it('takes the middle of rounds, each figure for itself', () => {
  const round = (ms: number, engine: number): Measured => ({
    count: 2,
    min_ms: ms,
    p50_ms: ms,
    p95_ms: ms,
    per_second: 1_000 / ms,
    by_words: 0,
    settled_per_second: Number.NaN,
    cost: { hubs: ms, engines: { postgres: engine } },
  });
  const middle = medianOf([round(5, 1), round(100, 3), round(4, 2)]);
  expect(middle).toMatchObject({ count: 6, p50_ms: 5, per_second: 200, cost: { hubs: 5, engines: { postgres: 2 } } });
});

// The bench runs and reports its floors; how fast they are is for people to read, never for an assertion.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { aimsOf } from './speed/aims.ts';
import type { Floors } from './speed/floors.ts';
import { note, SHARE_TAGS } from './speed/notes.ts';
import { summarise } from './speed/stats.ts';

it('prints and saves the floors', { timeout: 180_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'haivemind-bench-test-'));
  const file = join(folder, 'report.json');
  try {
    const run = join(import.meta.dirname, 'run.ts');
    const result = spawnSync(process.execPath, [run, '--quick', '--only', 'floors', '--json', file], {
      encoding: 'utf8',
    });
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
    expect(result.stdout).toContain('## Floors of this run');
    const { measured } = JSON.parse(readFileSync(file, 'utf8')) as { measured: { floors: Floors } };
    const names = ['query embedding', 'document embedding', 'durable commit', 'MCP echo, stdio', 'MCP echo, HTTP'];
    for (const name of names) expect(measured.floors[name as keyof Floors].min_ms).toBeGreaterThan(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('refuses a part that does not exist', () => {
  const run = join(import.meta.dirname, 'run.ts');
  const result = spawnSync(process.execPath, [run, '--only', 'flors'], { encoding: 'utf8' });
  expect(result.status).not.toBe(0);
  expect(result.stderr).toContain('There is no part called flors');
});

it('summarises durations by nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(summarise(hundred, 1_000)).toEqual({ count: 100, min_ms: 1, p50_ms: 50, p95_ms: 95, per_second: 100 });
});

it('makes the same distinct notes each time, tagged in the stated shares', () => {
  const notes = Array.from({ length: 2_000 }, (_, i) => note(i));
  expect(notes[17]).toEqual(note(17));
  expect(new Set(notes.map(({ content }) => content)).size).toBe(notes.length);
  const tagged = (tag: string) => notes.filter(({ tags }) => tags.includes(tag)).length;
  expect(tagged(SHARE_TAGS.one_percent)).toBe(20);
  expect(tagged(SHARE_TAGS.half)).toBe(1_000);
});

it('judges an aim by the floors of its own run', () => {
  const floor = summarise([4], 4);
  const floors = Object.fromEntries(
    ['query embedding', 'document embedding', 'durable commit', 'MCP echo, stdio', 'MCP echo, HTTP', 'node start'].map(
      (name) => [name, floor],
    ),
  ) as unknown as Floors;
  const search = (p50_ms: number) => ({
    ...summarise([p50_ms], p50_ms),
    size: 100_000,
    way: 'REST' as const,
    clients: 1,
    action: 'search' as const,
  });
  const judged = (p50_ms: number) => aimsOf({ floors, operations: { rows: [search(p50_ms)], blocks: [] } })[0];
  expect(judged(21)).toMatchObject({ bar: 21, measured: 21, met: true });
  expect(judged(22)).toMatchObject({ met: false });
});

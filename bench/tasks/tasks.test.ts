// The bench's board is what it says it is, and its report judges by the figures.
import { expect, test } from 'vitest';
import type { Summary } from '../speed/stats.ts';
import { boardFile, isFree } from './board.ts';
import type { Measured } from './measure.ts';
import { aims, report } from './report.ts';
import { STEPS } from './steps.ts';

test('a board has the tasks and dependencies that are asked for, the same every time', () => {
  const size = { tasks: 500, edges: 1_000 };
  const text = boardFile(size);
  expect(boardFile(size)).toBe(text);
  expect(boardFile(size, 2)).not.toBe(text);
  const items = text.split('\n').map((line) => JSON.parse(line) as { external_id: string; depends_on: string[] });
  expect(items).toHaveLength(size.tasks);
  expect(items.reduce((sum, { depends_on }) => sum + depends_on.length, 0)).toBe(size.edges);
  const number = (name: string) => Number(name.slice('bench:'.length));
  for (const { external_id, depends_on } of items) {
    if (isFree(number(external_id))) expect(depends_on).toEqual([]);
    for (const on of depends_on) expect(number(on)).toBeLessThan(number(external_id));
  }
});

const time = (p50_ms: number): Summary => ({ count: 1, min_ms: p50_ms / 2, p50_ms, p95_ms: p50_ms * 2, per_second: 1 });

function measured(step_ms: number, doubles: number): Measured {
  const steps = new Map(STEPS.map((step) => [step, time(step_ms)]));
  const race = { claimers: 12, claims: 100, per_second: 500, doubles, left: 0 };
  return {
    size: { tasks: 1, edges: 0 },
    floors: { commit: time(1), echo: time(0.5), start: time(30) },
    import_seconds: 1,
    ways: [{ way: 'MCP stdio, by hub', steps }],
    races: [{ way: 'MCP stdio, by hub', ...race }],
    cli: time(100),
  };
}

test('aims are met or not by what was measured; a task given out twice is never met', () => {
  expect(aims(measured(5.5, 0)).map(({ met }) => met)).toEqual([true, true, true, true, true]);
  expect(aims(measured(7, 1)).map(({ met }) => met)).toEqual([false, true, true, false, true]);
  expect(report(measured(7, 1))).toContain('NOT MET');
});

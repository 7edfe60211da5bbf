// A run without an engine must not look like a run with it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { skippedEngines } from '../../scripts/engines/skipped.ts';
import { countReport } from '../../scripts/test-counts.ts';
import { node24, projectRoot } from '../cli-binary.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'haivemind-suites-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the sample suite on a machine that seems to have no programs at all. */
function runSample(skip: string) {
  const report = join(directory, 'report.json');
  const config = join(import.meta.dirname, 'sample', 'vitest.config.ts');
  const args = ['run', '--config', config, '--reporter=json', `--outputFile=${report}`];
  const result = spawnSync(node24, [join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs'), ...args], {
    cwd: projectRoot,
    encoding: 'utf8',
    env: { PATH: directory, HOME: directory, HAIVEMIND_TEST_SKIP_ENGINES: skip },
  });
  const text = readFileSync(report, 'utf8');
  return { counts: countReport(text, result.status), text };
}

it('is one failure with the name of the engine where it is missing', () => {
  const { counts, text } = runSample('');
  expect(counts).toEqual({ passed: 1, failed: 1, skipped: 0 });
  expect(text).toContain('redis: Redis (7 or later)');
});

it('is skipped where a developer says so', () => {
  expect(runSample('chroma, redis').counts).toEqual({ passed: 1, failed: 0, skipped: 2 });
});

it('refuses a name that is no engine', () => {
  expect(skippedEngines(' redis,postgres')).toEqual(['postgres', 'redis']);
  expect(skippedEngines(undefined)).toEqual([]);
  expect(() => skippedEngines('redis,elastic')).toThrow('names elastic; the engines are postgres, redis');
});

// Everything `npm test` checks, in order; ends with one line of counts. Started by setup.mjs, after installation.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skippedEngines } from './engines/skipped.ts';
import { type Counts, countReport, NO_COUNTS, summaryLine } from './test-counts.ts';

const root = join(import.meta.dirname, '..');
const skipped = skippedEngines(process.env.HAIVEMIND_TEST_SKIP_ENGINES);
const nightly = process.argv.includes('--nightly');

const CHECKS: readonly (readonly [name: string, ...command: string[]])[] = [
  ['type check', 'tsc', '-p', 'tsconfig.json', '--noEmit'],
  ['lint and format', 'biome', 'check', '.'],
  ['dependency rules', 'depcruise', '--config', '.dependency-cruiser.cjs', 'src'],
  ['unused code', 'knip'],
  ['generated documents', 'node', 'scripts/generate-docs.ts', '--check'],
  ['build', 'node', 'scripts/build.ts'],
];

const totals: Counts = { ...NO_COUNTS };
for (const [name, command = '', ...args] of CHECKS) {
  heading(name);
  const passed = run(command, args) === 0;
  if (!passed) process.stdout.write(`${name} failed\n`);
  add(passed ? { ...NO_COUNTS, passed: 1 } : { ...NO_COUNTS, failed: 1 });
}
add(runTests());
process.stdout.write(`\n${summaryLine(totals, skipped)}\n`);
process.exitCode = totals.failed > 0 ? 1 : 0;

/** Runs vitest with its own output for people and its JSON report for the counts. */
function runTests(): Counts {
  heading(nightly ? 'tests, the nightly ones too' : 'tests');
  const directory = mkdtempSync(join(tmpdir(), 'haivemind-test-'));
  const report = join(directory, 'report.json');
  const include = nightly ? ['--config', 'scripts/vitest.nightly.config.ts'] : [];
  try {
    const status = run('vitest', [
      'run',
      ...include,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ]);
    return countReport(readIfPresent(report), status);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[]): number | null {
  const result = spawnSync(join(root, 'node_modules', '.bin', command), args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (result.error) process.stdout.write(`${command} could not be started: ${result.error.message}\n`);
  return result.status;
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function heading(text: string): void {
  process.stdout.write(`\n--- ${text}\n`);
}

function add(counts: Counts): void {
  totals.passed += counts.passed;
  totals.failed += counts.failed;
  totals.skipped += counts.skipped;
}

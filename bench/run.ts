// `npm run bench`: speed and weight beside the floors of the same run, then the quality of search and of redaction.
// Run: node bench/run.ts [--only floors,operations,filters,starts,weight,import,writers,retrieval,redaction] [--quick]
//   [--json file] [--entry other/dist/cli.js]
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { aimsOf, aimsTable } from './speed/aims.ts';
import { measureImport, measureWriters } from './speed/bulk.ts';
import { measureFilters } from './speed/filters.ts';
import { measureFloors } from './speed/floors.ts';
import { measureOperations } from './speed/operations.ts';
import { ensureBuilt } from './speed/place.ts';
import { PREPARED_NOTE, SIZES } from './speed/prepared-store.ts';
import {
  bulkTables,
  filtersTable,
  floorsTable,
  type Measurements,
  operationsTables,
  quotedTable,
  startsTable,
  weightTables,
} from './speed/report.ts';
import { measureStarts } from './speed/starts.ts';
import { measureWeight } from './speed/weight.ts';

const PARTS = [
  'floors',
  'starts',
  'weight',
  'writers',
  'import',
  'operations',
  'filters',
  'retrieval',
  'redaction',
] as const;
type Part = (typeof PARTS)[number];

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    entry: { type: 'string' },
  },
});
if (flags.entry) process.env.HAIVEMIND_BENCH_ENTRY = flags.entry;

await main(chosenParts(flags.only), flags.quick);

async function main(parts: ReadonlySet<Part>, quick: boolean): Promise<void> {
  if ([...parts].some((part) => !['floors', 'retrieval', 'redaction'].includes(part))) ensureBuilt();
  const sizes = SIZES.slice(0, quick ? 2 : 3);
  const largest = quick ? SIZES[1] : SIZES[2];
  print(`# Benchmarks of hAIveMind${quick ? ' (quick)' : ''}\n\n${machine()}`);
  if (parts.has('operations') || parts.has('filters') || parts.has('weight')) print(PREPARED_NOTE);
  const measured: Measurements = { floors: await measureFloors() };
  print(floorsTable(measured.floors));
  if (parts.has('starts')) {
    measured.starts = await measureStarts(quick ? 6 : 15, say);
    print(startsTable(measured));
  }
  if (parts.has('weight')) {
    measured.weight = await measureWeight(sizes, say);
    print(weightTables(measured));
  }
  if (parts.has('writers')) measured.writers = await measureWriters(quick ? 200 : 800);
  if (parts.has('import')) measured.imports = await measureImport(quick ? 500 : 3_000);
  if (measured.writers || measured.imports) print(bulkTables(measured));
  if (parts.has('operations')) {
    const ways = ['stdio, direct', 'stdio, by hub', 'HTTP /mcp', 'REST'] as const;
    measured.operations = await measureOperations({ sizes, ways, clients: [1, 4], say });
    print(operationsTables(measured));
  }
  if (parts.has('filters')) {
    measured.filters = await measureFilters(largest, say);
    print(filtersTable(measured, largest));
  }
  print(quotedTable());
  const aims = aimsOf(measured);
  if (aims.length > 0) print(aimsTable(aims));
  if (flags.json) {
    const report = { machine: machine(), quick, measured, aims };
    writeFileSync(flags.json, `${JSON.stringify(report, null, 2)}\n`);
  }
  for (const part of ['retrieval', 'redaction'] as const) if (parts.has(part)) runProgram(part);
}

function chosenParts(only: readonly string[] | undefined): ReadonlySet<Part> {
  const names = only?.flatMap((list) => list.split(',')) ?? PARTS;
  const unknown = names.filter((name) => !PARTS.includes(name as Part));
  if (unknown.length === 0) return new Set(names as Part[]);
  throw new Error(`There is no part called ${unknown.join(', ')}. Parts: ${PARTS.join(', ')}.`);
}

/** Benches that are programs of their own. */
function runProgram(part: 'retrieval' | 'redaction'): void {
  const file = join(import.meta.dirname, part, 'run.ts');
  if (!existsSync(file)) {
    print(`(no bench of ${part} here)`);
    return;
  }
  print(`## ${part === 'retrieval' ? 'Quality of search' : 'Redaction of secrets'}\n`);
  const result = spawnSync(process.execPath, [file], { stdio: 'inherit' });
  if (result.status !== 0) process.exitCode = 1;
}

function machine(): string {
  const processors = cpus();
  const memory_gib = Math.round(totalmem() / 2 ** 30);
  return `Node ${process.versions.node}, ${platform()} ${release()}, ${processors.length} x ${processors[0]?.model.trim() ?? 'unknown processor'}, ${memory_gib} GiB. ${new Date().toISOString().slice(0, 10)}.`;
}

function print(text: string): void {
  console.log(`${text}\n`);
}

/** What happens now, for people who wait; not part of the report. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

// `npm run bench:engines`: the same server on SQLite, PostgreSQL, Redis, Chroma and pgvector, with one hub and three, in
// one table of one run. Run: node bench/engines/run.ts [--sizes 10000,100000] [--quick] [--only sqlite,postgres,...]
//   [--no-quality] [--rounds 3] [--round-ms 1000] [--json file]
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../speed/place.ts';
import { PREPARED_NOTE } from '../speed/prepared-store.ts';
import { type Combination, chosenCombinations } from './combinations.ts';
import { measureEngineFloors } from './floors.ts';
import {
  floorsText,
  growthText,
  hubsText,
  mainText,
  preparedText,
  qualityText,
  type Run,
  weightText,
} from './report.ts';
import { createServers, POSTGRES_SETTINGS } from './servers.ts';
import { measureQualities, measureSize } from './session.ts';

const { values: flags } = parseArgs({
  allowNegative: true,
  options: {
    sizes: { type: 'string' },
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    quality: { type: 'boolean', default: true },
    rounds: { type: 'string' },
    'round-ms': { type: 'string' },
    json: { type: 'string' },
  },
});

await main();

async function main(): Promise<void> {
  const sizes = numbers(flags.sizes ?? (flags.quick ? '1000' : '10000,100000'));
  const [rounds = 3] = numbers(flags.rounds ?? (flags.quick ? '1' : '3'));
  const [round_ms = 1_000] = numbers(flags['round-ms'] ?? (flags.quick ? '700' : '1000'));
  const combinations = chosenCombinations(flags.only);
  ensureBuilt();
  print(`# Engines side by side${flags.quick ? ' (quick)' : ''}\n\n${machine()}\n\n${PREPARED_NOTE}`);
  if (combinations.some(({ rows }) => rows === 'postgres')) print(`PostgreSQL: ${POSTGRES_SETTINGS}.`);
  const servers = createServers();
  try {
    const run: Run = {
      floors: await measureEngineFloors(servers, enginesOf(combinations)),
      prepared: [],
      cells: [],
      weights: [],
      quality: [],
    };
    for (const name of ['redis', 'chroma'] as const) await servers.end(name);
    print(floorsText(run));
    const options = { servers, combinations, rounds, round_ms, say };
    if (flags.quality) await measureQualities(options, run);
    for (const size of sizes) {
      await measureSize(size, options, run);
      // After each size: a run that is ended early has said something.
      if (flags.json) save(flags.json, { machine: machine(), sizes, rounds, round_ms, ...run });
    }
    for (const text of [mainText, hubsText, growthText, preparedText, weightText, qualityText]) print(text(run));
  } finally {
    await servers.stop();
  }
}

function save(file: string, report: object): void {
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}

function numbers(list: string): number[] {
  return list.split(',').map((text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value > 0) return value;
    throw new Error(`${text} is no number of things.`);
  });
}

function enginesOf(combinations: readonly Combination[]): ReadonlySet<string> {
  return new Set(combinations.flatMap(({ rows, vectors, redis }) => [rows, vectors, ...(redis ? ['redis'] : [])]));
}

function machine(): string {
  const processors = cpus();
  const memory_gib = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0]?.toFixed(1);
  return `Node ${process.versions.node}, ${platform()} ${release()}, ${processors.length} x ${processors[0]?.model.trim() ?? 'unknown processor'}, ${memory_gib} GiB, load before ${load}; ${new Date().toISOString().slice(0, 16)} UTC. Clients, hubs and engines share these processors.`;
}

function print(text: string): void {
  if (text !== '') console.log(`${text}\n`);
}

/** What happens now, for people who wait; not part of the report. */
function say(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}

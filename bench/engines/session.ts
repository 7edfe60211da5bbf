// One store of a size on every combination asked for: filled, served by one hub and by several, weighed, removed.
import { makePlace, type Place } from '../speed/place.ts';
import { type Addresses, type Combination, environmentOf } from './combinations.ts';
import { memoryMib } from './cpu.ts';
import { type Hubs, startHubs } from './hubs.ts';
import { measureLoad } from './load.ts';
import { measureQuality, qualitySet, qualityStore } from './quality.ts';
import type { Run } from './report.ts';
import { chromaBytes, databaseBytes, type Servers } from './servers.ts';
import { fillIndex, moveToPostgres, sqliteRow, sqliteStore, untilSettled } from './stores.ts';

export interface SessionOptions {
  readonly servers: Servers;
  readonly combinations: readonly Combination[];
  readonly rounds: number;
  readonly round_ms: number;
  readonly say: (text: string) => void;
}

/** Fills, measures and removes a store of this size; results are added to `run`. */
export async function measureSize(size: number, options: SessionOptions, run: Run): Promise<void> {
  const place = await sqliteStore(size, options.say);
  run.prepared.push(sqliteRow(place, size));
  await onEach(place, size, options, run, async (combination, open, postgres) => {
    for (const count of combination.hubs) {
      const hubs = await open(count);
      try {
        for (const clients of combination.clients) {
          options.say(`${size.toLocaleString('en')}, ${combination.name}, ${count} hubs, ${clients} clients`);
          const actions = await measureLoad({
            ...options,
            hubs,
            clients,
            engines: options.servers.running,
            settled: () => untilSettled(place, postgres),
          });
          run.cells.push({ memories: size, combination, hubs: count, clients, actions });
        }
        run.weights.push({
          memories: size,
          combination: combination.name,
          hubs: count,
          ...weigh(hubs, options.servers),
        });
      } finally {
        await hubs.stop();
      }
    }
  });
}

/** The quality of answers on each combination, with one hub. */
export async function measureQualities(options: SessionOptions, run: Run): Promise<void> {
  const asked = qualitySet();
  if (asked.sampled) options.say('the data of the full sets is not on this machine: quality is of the sample');
  const place = await qualityStore(asked, options.say);
  const size = asked.set.memories.length;
  await onEach(place, size, options, run, async (combination, open) => {
    options.say(`quality of ${asked.name}, ${combination.name}`);
    const hubs = await open(1);
    try {
      const measures = await measureQuality(asked, hubs.list[0]?.url ?? '');
      const questions = asked.set.queries.length;
      run.quality.push({ set: asked.name, combination: combination.name, questions, ...measures });
    } finally {
      await hubs.stop();
    }
  });
}

type Work = (
  combination: Combination,
  open: (count: number) => Promise<Hubs>,
  postgres: string | undefined,
) => Promise<void>;

/** Runs work on every combination that takes a store of this size, with its engines filled; removes the place. */
async function onEach(
  place: Place,
  size: number,
  { servers, combinations, say }: SessionOptions,
  run: Run,
  work: Work,
): Promise<void> {
  const chosen = combinations.filter((combination) => size <= combination.size_max);
  const filled = new Set<string>();
  // Commands that move and fill have a home of their own: the place's is in use while its hub runs.
  const desk = makePlace();
  try {
    let postgres: string | undefined;
    if (chosen.some((combination) => combination.rows === 'postgres')) {
      say(`moving ${size.toLocaleString('en')} memories to PostgreSQL`);
      postgres = await servers.database();
      run.prepared.push(await moveToPostgres(place, postgres, size));
    }
    for (const combination of chosen) {
      const own = combination.rows === 'sqlite' ? undefined : postgres;
      if (combination.vectors !== 'chroma') await servers.end('chroma');
      const at = await addressesFor(combination, servers, own);
      if (combination.vectors !== 'embedded' && !filled.has(combination.vectors)) {
        say(`filling ${combination.vectors}`);
        const env = environmentOf({ ...combination, redis: false }, at, desk.data_dir);
        run.prepared.push(await fillIndex(desk, env, combination.vectors, () => indexBytes(combination, servers)));
        filled.add(combination.vectors);
      }
      const open = (count: number): Promise<Hubs> =>
        startHubs(count, (folder) => environmentOf(combination, at, folder), own === undefined ? place : undefined);
      await work(combination, open, own);
      // Each begins with an empty cache, and nobody pays for an engine that is not its own.
      await servers.end('redis');
    }
  } finally {
    for (const name of ['redis', 'chroma', 'pgvector'] as const) await servers.end(name);
    desk.remove();
    place.remove();
  }
}

async function addressesFor(
  { vectors, redis }: Combination,
  servers: Servers,
  postgres: string | undefined,
): Promise<Addresses> {
  return {
    postgres,
    redis: redis ? (await servers.redis()).url : undefined,
    chroma: vectors === 'chroma' ? (await servers.chroma()).url : undefined,
    pgvector: vectors === 'pgvector' ? (await servers.pgvector()).url : undefined,
  };
}

async function indexBytes({ vectors }: Combination, servers: Servers): Promise<number> {
  return vectors === 'chroma' ? chromaBytes(await servers.chroma()) : databaseBytes((await servers.pgvector()).url);
}

function weigh(hubs: Hubs, servers: Servers): { mib_per_hub: number; engines_mib: Record<string, number> } {
  const mib = hubs.list.reduce((sum, { pid }) => sum + memoryMib(pid), 0);
  const engines = servers.running().map(({ name, pid }) => [name, memoryMib(pid)]);
  return { mib_per_hub: mib / hubs.list.length, engines_mib: Object.fromEntries(engines) };
}

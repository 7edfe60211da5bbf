// Store, retrieve, search and list by every way into the product, at several sizes of the store, for 1 and 4 clients.
import { type BenchClient, httpClient, restClient, stdioClient, type Way } from './clients.ts';
import { note, question } from './notes.ts';
import { type Hub, makePlace, type Place } from './place.ts';
import { placeStore, type Size } from './prepared-store.ts';
import { type Summary, timedInParallel } from './stats.ts';

export type Action = 'search' | 'retrieve' | 'list' | 'store';

export interface OperationRow extends Summary {
  readonly size: number;
  readonly way: Way;
  readonly clients: number;
  readonly action: Action;
}

export interface OperationOptions {
  readonly sizes: readonly Size[];
  readonly ways: readonly Way[];
  readonly clients: readonly number[];
  readonly say: (text: string) => void;
}

export interface OperationResult {
  readonly rows: OperationRow[];
  /** Longest block of the hub's main thread while it answered searches, per size; milliseconds. */
  readonly blocks: { readonly size: number; readonly searching_ms: number; readonly idle_ms: number }[];
}

const COUNTS: Readonly<Record<Action, number>> = { search: 60, retrieve: 100, list: 60, store: 60 };
/** A reader's question is asked once in a run, so that no cache of questions answers it. */
let asked = 0;
let stored = 0;

export async function measureOperations(options: OperationOptions): Promise<OperationResult> {
  const result: OperationResult = { rows: [], blocks: [] };
  for (const size of options.sizes) {
    const place = makePlace();
    try {
      await placeStore(place.data_dir, size, options.say);
      options.say(`${size.toLocaleString('en')} memories`);
      await measureSize(place, size, options, result);
    } finally {
      place.remove();
    }
  }
  return result;
}

async function measureSize(
  place: Place,
  size: number,
  options: OperationOptions,
  result: OperationResult,
): Promise<void> {
  const measure = async (way: Way, hub: Hub | undefined) => {
    for (const count of options.clients) {
      result.rows.push(...(await measureWay({ place, size, way, clients: count, hub })));
    }
  };
  if (options.ways.includes('stdio, direct')) await measure('stdio, direct', undefined);
  const served = options.ways.filter((way) => way !== 'stdio, direct');
  if (served.length === 0) return;
  const hub = await place.startHub();
  try {
    for (const way of served) await measure(way, hub);
    result.blocks.push(await measureBlock(place, size, hub));
  } finally {
    await hub.stop();
  }
}

interface Case {
  readonly place: Place;
  readonly size: number;
  readonly way: Way;
  readonly clients: number;
  readonly hub: Hub | undefined;
}

async function measureWay({ place, size, way, clients, hub }: Case): Promise<OperationRow[]> {
  const opened: BenchClient[] = [];
  try {
    for (let i = 0; i < clients; i++) opened.push(await openClient(way, place, hub));
    const of = (client: number): BenchClient => opened[client] as BenchClient;
    const ids = await firstQuestions(opened);
    const steps: Readonly<Record<Action, (client: number, i: number) => Promise<unknown>>> = {
      search: (client) => of(client).call('search_memories', { query: question(asked++), limit: 10 }),
      retrieve: (client, i) => of(client).call('retrieve_memory', { memory_id: ids[i % ids.length] }),
      list: (client) => of(client).call('get_recent_memories', { hours: 80_000, limit: 20 }),
      store: (client) => of(client).call('store_memory', newMemory()),
    };
    const rows: OperationRow[] = [];
    for (const action of ['search', 'retrieve', 'list', 'store'] as const) {
      const summary = await timedInParallel(clients, COUNTS[action], steps[action]);
      rows.push({ size, way, clients, action, ...summary });
    }
    await place.vectorsMade();
    return rows;
  } finally {
    for (const client of opened) await client.close();
  }
}

function openClient(way: Way, place: Place, hub: Hub | undefined): Promise<BenchClient> | BenchClient {
  if (!hub || way === 'stdio, direct' || way === 'stdio, by hub') return stdioClient(place.env);
  return way === 'REST' ? restClient(hub.url) : httpClient(hub.url);
}

/** Loads model and index in every process before anything is measured; the ids it finds are retrieved later. */
async function firstQuestions(clients: readonly BenchClient[]): Promise<string[]> {
  const ids = new Set<string>();
  for (const client of clients) {
    for (let i = 0; i < 10; i++) {
      const { results } = await client.call('search_memories', { query: question(asked++), limit: 20 });
      for (const { memory_id } of results as { memory_id: string }[]) ids.add(memory_id);
    }
  }
  return [...ids];
}

function newMemory(): Record<string, unknown> {
  const { content, category, tags, project } = note(stored++, Date.now() % 1_000_003);
  return { content, category, tags: [...tags], project };
}

/** Searches one after the other while the hub watches its main thread; before it the same time without work. */
async function measureBlock(place: Place, size: number, hub: Hub): Promise<OperationResult['blocks'][number]> {
  await place.vectorsMade();
  const client = restClient(hub.url);
  const search = () => client.call('search_memories', { query: question(asked++), limit: 10 });
  const begun = performance.now();
  await hub.longestBlock();
  for (let i = 0; i < 60; i++) await search();
  const searching_ms = await hub.longestBlock();
  const took_ms = performance.now() - begun;
  await new Promise((next) => setTimeout(next, took_ms));
  return { size, searching_ms, idle_ms: await hub.longestBlock() };
}

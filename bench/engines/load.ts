// Clients of one or several hubs at once: how long calls take, how many a second, what each costs on the processors.
import { type BenchClient, restClient, type ToolName } from '../speed/clients.ts';
import { note, question } from '../speed/notes.ts';
import { type Summary, summarise } from '../speed/stats.ts';
import { cpuSeconds } from './cpu.ts';
import type { Hubs } from './hubs.ts';

export type Action = 'search' | 'list' | 'retrieve' | 'store';
export const ACTIONS: readonly Action[] = ['search', 'list', 'retrieve', 'store'];

/** Milliseconds of processor time a call costs, summed over the processes of one kind. */
export interface Cost {
  readonly hubs: number;
  /** By engine. */
  readonly engines: Readonly<Record<string, number>>;
}

export interface Measured extends Summary {
  /** For stores until each has its vector and the index has it. */
  readonly cost: Cost;
  /** Searches only: the share that was answered by words alone, because the index did not answer; else 0. */
  readonly by_words: number;
  /** Stores only: with vectors, a second; else NaN. */
  readonly settled_per_second: number;
}

export interface LoadOptions {
  readonly hubs: Hubs;
  readonly clients: number;
  readonly rounds: number;
  readonly round_ms: number;
  /** Of the engines that run now. */
  readonly engines: () => readonly { readonly name: string; readonly pid: number }[];
  /** Resolves when no memory waits for its vector and no vector for the index. */
  readonly settled: () => Promise<void>;
}

/** Writes of a round at most: each leaves an embedding behind that has to be waited for. */
const STORES_PER_ROUND: Readonly<Record<number, number>> = { 1: 40, 16: 160 };
const WARM_SEARCHES = 8;
const IDS_KEPT = 50;

/** Numbers that never come again, so that no cache of questions answers and no text is stored twice. */
const next = { question: 0, note: 0 };

export async function measureLoad(options: LoadOptions): Promise<Readonly<Record<Action, Measured>>> {
  const clients = Array.from({ length: options.clients }, (_, i) => balancedClient(options.hubs, i));
  const ids = await warm(clients, options.hubs.list.length);
  await options.settled();
  const steps: Readonly<Record<Action, (client: BenchClient, i: number) => Promise<unknown>>> = {
    search: (client) => client.call('search_memories', { query: question(next.question++), limit: 10 }),
    list: (client) => client.call('get_recent_memories', { hours: 80_000, limit: 20 }),
    retrieve: (client, i) => client.call('retrieve_memory', { memory_id: ids[i % ids.length] }),
    store: (client) => client.call('store_memory', newMemory()),
  };
  const result: Partial<Record<Action, Measured>> = {};
  for (const action of ACTIONS) {
    const rounds: Measured[] = [];
    for (let round = 0; round < options.rounds; round++) {
      rounds.push(await measureRound(clients, steps[action], action === 'store', options));
    }
    result[action] = medianOf(rounds);
  }
  return result as Record<Action, Measured>;
}

/** Calls go to the hubs in turn, as behind a balancer; connections are kept. */
function balancedClient(hubs: Hubs, first: number): BenchClient {
  const all = hubs.list.map(({ url }) => restClient(url));
  let turn = first;
  return {
    pid: undefined,
    call: (tool: ToolName, input) => (all[turn++ % all.length] as BenchClient).call(tool, input),
    close: async () => {},
  };
}

/** Every hub loads its model and index, statements get prepared; the ids found are retrieved later. */
async function warm(clients: readonly BenchClient[], hubs: number): Promise<string[]> {
  const ids = new Set<string>();
  for (let i = 0; i < WARM_SEARCHES * hubs; i++) {
    const client = clients[i % clients.length] as BenchClient;
    const { results } = await client.call('search_memories', { query: question(next.question++), limit: 20 });
    for (const { memory_id } of results as { memory_id: string }[]) if (ids.size < IDS_KEPT) ids.add(memory_id);
    await client.call('get_recent_memories', { hours: 80_000, limit: 20 });
  }
  for (const client of clients) await client.call('store_memory', newMemory());
  return [...ids];
}

async function measureRound(
  clients: readonly BenchClient[],
  step: (client: BenchClient, i: number) => Promise<unknown>,
  stores: boolean,
  { hubs, engines, settled, round_ms }: LoadOptions,
): Promise<Measured> {
  const durations: number[] = [];
  const most = stores ? (STORES_PER_ROUND[clients.length] ?? 10 * clients.length) : Number.POSITIVE_INFINITY;
  const hubsBefore = total(hubs.list);
  const enginesBefore = engines().map(({ name, pid }) => ({ name, pid, seconds: cpuSeconds(pid) }));
  const begun = performance.now();
  let taken = 0;
  let byWords = 0;
  await Promise.all(
    clients.map(async (client, lane) => {
      for (let i = lane; taken < most && performance.now() - begun < round_ms; i++) {
        taken++;
        const started = performance.now();
        const answer = await step(client, i);
        durations.push(performance.now() - started);
        if ((answer as { mode?: string }).mode === 'text') byWords++;
      }
    }),
  );
  const wall_ms = performance.now() - begun;
  if (stores) await settled();
  const settled_ms = performance.now() - begun;
  const each = (seconds: number): number => (seconds * 1_000) / durations.length;
  const costs = enginesBefore.map(({ name, pid, seconds }) => [name, each(cpuSeconds(pid) - seconds)] as const);
  return {
    ...summarise(durations, wall_ms),
    cost: { hubs: each(total(hubs.list) - hubsBefore), engines: Object.fromEntries(costs) },
    by_words: byWords / durations.length,
    settled_per_second: stores ? (durations.length / settled_ms) * 1_000 : Number.NaN,
  };
}

function total(processes: readonly { readonly pid: number }[]): number {
  return processes.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
}

/** Of each figure the middle one: rounds that another program disturbed fall out. */
export function medianOf(rounds: readonly Measured[]): Measured {
  const of = (value: (round: Measured) => number): number => {
    const sorted = rounds.map(value).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  const names = Object.keys(rounds[0]?.cost.engines ?? {});
  return {
    count: rounds.reduce((sum, round) => sum + round.count, 0),
    min_ms: of((round) => round.min_ms),
    p50_ms: of((round) => round.p50_ms),
    p95_ms: of((round) => round.p95_ms),
    per_second: of((round) => round.per_second),
    by_words: of((round) => round.by_words),
    settled_per_second: of((round) => round.settled_per_second),
    cost: {
      hubs: of((round) => round.cost.hubs),
      engines: Object.fromEntries(names.map((name) => [name, of((round) => round.cost.engines[name] ?? 0)])),
    },
  };
}

function newMemory(): Record<string, unknown> {
  const { content, category, tags, project } = note(next.note++, Date.now() % 1_000_003);
  return { content, category, tags: [...tags], project };
}

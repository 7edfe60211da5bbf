// How long things take to be there: `haivemind mcp` to its first list of tools, --version, a hub to /health.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { stdioClient } from './clients.ts';
import { cliEntry, makePlace, type Place, stopped } from './place.ts';
import { placeStore } from './prepared-store.ts';
import { type Summary, summarise } from './stats.ts';

export interface StartRow extends Summary {
  readonly start: string;
}

const HELLO = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'bench', version: '1.0.0' },
};
const OPENING = [
  { jsonrpc: '2.0', id: 1, method: 'initialize', params: HELLO },
  { jsonrpc: '2.0', method: 'notifications/initialized' },
  { jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} },
];

export async function measureStarts(repeats: number, say: (text: string) => void): Promise<StartRow[]> {
  const rows: StartRow[] = [];
  const add = async (start: string, count: number, once: () => Promise<number>) => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) times.push(await once());
    rows.push({
      start,
      ...summarise(
        times,
        times.reduce((sum, time) => sum + time, 0),
      ),
    });
  };
  await add('first ever: new store, no compiled code', Math.ceil(repeats / 3), () =>
    inNewPlace((place) => firstList({ ...place.env, NODE_DISABLE_COMPILE_CACHE: '1' })),
  );
  await add('new store', Math.ceil(repeats / 2), () => inNewPlace((place) => firstList(place.env)));
  await inNewPlace(async (place) => {
    await placeStore(place.data_dir, 1_000, say);
    await firstList(place.env);
    await add('1,000 memories', repeats, () => firstList(place.env));
    await add('1,000 memories, to first answer of a search', Math.ceil(repeats / 2), () => firstSearch(place));
    await add('--version', repeats, async () => (await place.run(['--version'])).ms);
    await add('up, to /health', Math.ceil(repeats / 2), () => hubToHealth(place.env));
    const hub = await place.startHub();
    await add('beside a hub', repeats, () => firstList(place.env));
    await add('search from the shell, beside a hub', Math.ceil(repeats / 2), async () => {
      return (await place.run(['search', 'replica lag', '--json'])).ms;
    });
    await hub.stop();
  });
  return rows;
}

async function inNewPlace<T>(work: (place: Place) => Promise<T>): Promise<T> {
  const place = makePlace();
  try {
    return await work(place);
  } finally {
    place.remove();
  }
}

/** Milliseconds from the start of the process to its answer to tools/list, asked at once as clients do. */
async function firstList(env: Record<string, string>): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [cliEntry(), 'mcp'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const answered = new Promise<number>((done, reject) => {
    child.once('exit', (code) => reject(new Error(`haivemind mcp ended with ${code} before it listed its tools.`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"id":2')) done(performance.now() - started);
    });
  });
  child.stdin.write(OPENING.map((message) => `${JSON.stringify(message)}\n`).join(''));
  const took_ms = await answered;
  const gone = new Promise((done) => child.once('exit', done));
  child.stdin.end();
  await gone;
  return took_ms;
}

async function firstSearch(place: Place): Promise<number> {
  const started = performance.now();
  const client = await stdioClient(place.env);
  await client.call('search_memories', { query: 'replica lag after a failover' });
  const took_ms = performance.now() - started;
  await client.close();
  return took_ms;
}

async function hubToHealth(env: Record<string, string>): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [cliEntry(), 'up', '--json'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise<string>((done, reject) => {
    child.once('exit', (code) => reject(new Error(`haivemind up ended with ${code}.`)));
    createInterface({ input: child.stdout }).once('line', done);
  });
  const { url } = JSON.parse(line) as { url: string };
  const answer = await fetch(`${url}/health`);
  await answer.arrayBuffer();
  const took_ms = performance.now() - started;
  child.removeAllListeners('exit');
  await stopped(child);
  return took_ms;
}

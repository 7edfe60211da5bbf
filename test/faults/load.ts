// Clients that store, change, delete, search and read without pause, and remember what they were told.
import { setTimeout as pause } from 'node:timers/promises';
import { type Seeded, sentence } from '../support/seeded.ts';
import type { Answer, Call, Failed } from './callers.ts';

/** One memory, written by one client and read by all. */
export interface Entry {
  readonly memory_id: string;
  /** A word that no other memory has. */
  readonly token: string;
  /** What each version says, from the first; the last ones may not be acknowledged yet. */
  readonly contents: string[];
  /** The newest acknowledged version; each version is one effect. */
  version: number;
  /** Acknowledged, or just being asked for. */
  deleted: boolean | 'asked';
}

export interface Load {
  readonly entries: readonly Entry[];
  /** Failures that a caller repeats: lost connections and `unavailable`. */
  readonly failures: readonly Failed[];
  /** Searches by meaning that were answered by words alone, and by both. */
  readonly searched: { text: number; hybrid: number; noticed: number };
  acknowledged(): number;
  /** Resolves when so many further writes have been acknowledged; rejects where a client found something wrong. */
  more(writes: number): Promise<void>;
  /** Ends after the calls under way. Rejects where a client found something wrong. */
  stop(): Promise<void>;
}

interface State {
  readonly entries: Entry[];
  readonly failures: Failed[];
  readonly searched: { text: number; hybrid: number; noticed: number };
  acknowledged: number;
  running: boolean;
}

interface Client {
  readonly call: Call;
  readonly random: Seeded;
  readonly own: Entry[];
  readonly state: State;
}

/** A call is repeated for at most this long: nothing in these tests is away for longer. */
const PERSISTENCE_MS = 60_000;
const REPEAT_PAUSE_MS = 50;

export function startLoad(calls: readonly Call[], random: Seeded): Load {
  const state: State = {
    entries: [],
    failures: [],
    searched: { text: 0, hybrid: 0, noticed: 0 },
    acknowledged: 0,
    running: true,
  };
  const clients = calls.map((call): Client => ({ call, random: random.fork(), own: [], state }));
  const ends = Promise.all(clients.map((client) => live(client)));
  ends.catch(() => {
    state.running = false;
  });
  const load: Load = {
    entries: state.entries,
    failures: state.failures,
    searched: state.searched,
    acknowledged: () => state.acknowledged,
    async more(writes) {
      const wanted = state.acknowledged + writes;
      while (state.acknowledged < wanted) {
        if (!state.running) await ends;
        await pause(10);
      }
    },
    async stop() {
      state.running = false;
      await ends;
    },
  };
  return load;
}

async function live(client: Client): Promise<void> {
  while (client.state.running) await step(client);
}

async function step(client: Client): Promise<void> {
  const { random, own, state } = client;
  const mine = own.filter((entry) => !entry.deleted);
  const dice = random.below(100);
  if (dice < 30 || mine.length === 0) return store(client);
  if (dice < 55) return update(client, random.pick(mine));
  if (dice < 62) return remove(client, random.pick(mine));
  if (dice < 75) return search(client, random.pick(mine));
  await read(client, dice < 85 ? random.pick(own) : random.pick(state.entries));
}

async function store(client: Client): Promise<void> {
  const token = client.random.word();
  const content = sentence(client.random, token);
  const { output } = ok(await persist(client, 'store_memory', { content, category: 'project', tags: ['load', token] }));
  const entry: Entry = { memory_id: String(output.memory_id), token, contents: [content], version: 1, deleted: false };
  client.own.push(entry);
  client.state.entries.push(entry);
  client.state.acknowledged++;
  await read(client, entry);
}

async function update(client: Client, entry: Entry): Promise<void> {
  const content = sentence(client.random, entry.token);
  const expected_version = entry.version;
  entry.contents[expected_version] = content;
  const input = { memory_id: entry.memory_id, content, expected_version };
  const answer = await persist(client, 'update_memory', input);
  // After an answer that was lost, the repetition finds the version that its first try made.
  if ('failed' in answer && !(answer.failed.code === 'conflict' && answer.repeated)) wrong(entry, answer);
  if ('output' in answer && answer.output.version !== expected_version + 1) wrong(entry, answer.output);
  entry.version = expected_version + 1;
  client.state.acknowledged++;
  await read(client, entry);
}

async function remove(client: Client, entry: Entry): Promise<void> {
  entry.deleted = 'asked';
  const answer = await persist(client, 'delete_memory', { memory_id: entry.memory_id });
  if ('failed' in answer && !(answer.failed.code === 'not_found' && answer.repeated)) wrong(entry, answer);
  entry.deleted = true;
  entry.version++;
  client.state.acknowledged++;
  await read(client, entry);
}

/** Whoever reads sees at least what was acknowledged to anybody before it asked. */
async function read(client: Client, entry: Entry): Promise<void> {
  const before = { version: entry.version, deleted: entry.deleted };
  const answer = await persist(client, 'retrieve_memory', { memory_id: entry.memory_id });
  if ('failed' in answer) {
    if (answer.failed.code !== 'not_found' || entry.deleted === false) wrong(entry, answer);
    return;
  }
  const { version, content } = answer.output;
  const fresh = Number(version) >= before.version && before.deleted !== true;
  if (!fresh || content !== entry.contents[Number(version) - 1]) wrong(entry, { before, seen: answer.output });
}

async function search(client: Client, entry: Entry): Promise<void> {
  const { output } = ok(await persist(client, 'search_memories', { query: entry.token, limit: 3, detail: 'ids' }));
  const ids = (output.results as { memory_id: string }[]).map((result) => result.memory_id);
  if (!ids.includes(entry.memory_id)) wrong(entry, output);
  const { searched } = client.state;
  if (output.mode === 'hybrid') searched.hybrid++;
  else searched.text++;
  if (typeof output.notice === 'string') searched.noticed++;
}

type Persisted = Answer & { readonly repeated: boolean };

/** As a careful client does: what failed for no fault of its own is sent again, elsewhere. */
async function persist({ call, state }: Client, tool: string, input: Record<string, unknown>): Promise<Persisted> {
  const end_ms = performance.now() + PERSISTENCE_MS;
  for (let repeated = false; ; repeated = true) {
    const answer = await call(tool, input);
    if ('output' in answer || !['cut', 'unavailable'].includes(answer.failed.code)) return { ...answer, repeated };
    state.failures.push(answer.failed);
    if (performance.now() > end_ms) throw new Error(`${tool} fails for too long: ${answer.failed.message}`);
    await pause(REPEAT_PAUSE_MS);
  }
}

function ok(answer: Persisted): { readonly output: Readonly<Record<string, unknown>> } {
  if ('failed' in answer) throw new Error(`${answer.failed.tool}: ${answer.failed.message}`);
  return answer;
}

function wrong(entry: Entry, seen: unknown): never {
  const { contents, ...rest } = entry;
  throw new Error(`${JSON.stringify(rest)} of ${contents.length} versions, but: ${JSON.stringify(seen, hubNames)}`);
}

const hubNames = (key: string, value: unknown): unknown =>
  key === 'hub' ? (value as { readonly name: string }).name : value;

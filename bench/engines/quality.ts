// How good the answers are on a combination: a set of questions asked of a hub, as any client asks.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DEPTH, type Measures, mean, measure } from '../retrieval/metrics.ts';
import { type RetrievalSet, readSets } from '../retrieval/sets.ts';
import { restClient } from '../speed/clients.ts';
import { makePlace, type Place, projectRoot } from '../speed/place.ts';
import { importInto } from './stores.ts';

const STORE_FILE = 'haivemind.db';

export interface QualitySet {
  readonly name: string;
  readonly set: RetrievalSet;
  readonly sampled: boolean;
}

/** The notes of operations, or the sample of them in this project where the data is not on this machine. */
export function qualitySet(): QualitySet {
  const { sets, sampled } = readSets();
  const [set] = sets;
  if (!set) throw new Error('There is no set of questions.');
  return { name: set.name, set, sampled };
}

/** A place whose SQLite store holds the set, imported through a hub; kept, because embedding it takes a minute. */
export async function qualityStore({ set }: QualitySet, say: (text: string) => void): Promise<Place> {
  const lines = set.memories.map((memory, index) => JSON.stringify(inputOf(memory, index + 1))).join('\n');
  const key = keyOf(lines);
  const kept = join(tmpdir(), 'haivemind-bench-cache', `quality-${key}.db`);
  const place = makePlace();
  const file = join(place.data_dir, STORE_FILE);
  if (existsSync(kept)) {
    copyFileSync(kept, file);
    return place;
  }
  say(`importing ${set.memories.length} memories of ${set.name}, once on this machine ...`);
  await importInto(place, `${lines}\n`);
  mkdirSync(dirname(kept), { recursive: true });
  copyFileSync(file, `${kept}.${process.pid}`);
  renameSync(`${kept}.${process.pid}`, kept);
  return place;
}

/** Names what decides the content of the store: its schema, the model, the memories. */
function keyOf(lines: string): string {
  const hash = createHash('sha256').update(lines);
  const schema = join(projectRoot, 'src', 'storage', 'migrations');
  for (const name of readdirSync(schema).sort()) hash.update(readFileSync(join(schema, name)));
  hash.update(readFileSync(join(projectRoot, 'models', 'config.json')));
  return hash.digest('hex').slice(0, 12);
}

function inputOf(memory: RetrievalSet['memories'][number], row: number): Record<string, unknown> {
  const { content, project, session_id, sequence } = memory;
  const place = { project, session_id, sequence };
  return { content, category: 'infrastructure', metadata: { row }, ...place };
}

/** Asks every question of the hub; a memory that stands for another of the same text is found by its own row. */
export async function measureQuality({ set }: QualitySet, url: string): Promise<Measures> {
  const client = restClient(url);
  const measures: Measures[] = [];
  for (const { text, project, grades } of set.queries) {
    const input = { query: text, limit: DEPTH, detail: 'full', ...(project === undefined ? {} : { project }) };
    const { results } = await client.call('search_memories', input);
    const rows = (results as { metadata: { row: number } }[]).map(({ metadata }) => metadata.row);
    measures.push(measure(rows, grades));
  }
  return mean(measures);
}

// The combinations of engines that are compared, and what tells a hub to use one.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Combination {
  readonly name: string;
  readonly rows: 'sqlite' | 'postgres';
  readonly vectors: 'embedded' | 'chroma' | 'pgvector';
  readonly redis: boolean;
  /** How many hubs side by side are measured. */
  readonly hubs: readonly number[];
  /** Clients at once. PGlite has one backend: what several clients get of it says nothing about PostgreSQL. */
  readonly clients: readonly number[];
  /** Largest store measured. */
  readonly size_max: number;
}

const SEVERAL = { hubs: [1, 3], clients: [1, 16], size_max: Number.POSITIVE_INFINITY } as const;

/** Those that share rows stand together and in this order: each goes on with the store of the one before. */
export const COMBINATIONS: readonly Combination[] = [
  { ...SEVERAL, name: 'sqlite', rows: 'sqlite', vectors: 'embedded', redis: false, hubs: [1] },
  { ...SEVERAL, name: 'postgres', rows: 'postgres', vectors: 'embedded', redis: false },
  { ...SEVERAL, name: 'postgres+redis', rows: 'postgres', vectors: 'embedded', redis: true },
  { ...SEVERAL, name: 'postgres+chroma', rows: 'postgres', vectors: 'chroma', redis: false },
  { ...SEVERAL, name: 'postgres+chroma+redis', rows: 'postgres', vectors: 'chroma', redis: true },
  // HNSW is built in WebAssembly here, at a tenth of the speed of the real extension.
  {
    name: 'postgres+pgvector (PGlite)',
    rows: 'postgres',
    vectors: 'pgvector',
    redis: false,
    hubs: [1],
    clients: [1],
    size_max: 10_000,
  },
];

export interface Addresses {
  readonly postgres?: string | undefined;
  readonly redis?: string | undefined;
  readonly chroma?: string | undefined;
  readonly pgvector?: string | undefined;
}

/** Environment of a hub on these engines; pgvector has no variable of its own and gets a configuration file. */
export function environmentOf(combination: Combination, at: Addresses, folder: string): Record<string, string> {
  const env: Record<string, string> = {};
  if (combination.rows === 'postgres') env.HAIVEMIND_DATABASE_URL = given(at.postgres, 'PostgreSQL');
  if (combination.redis) env.HAIVEMIND_REDIS_URL = given(at.redis, 'Redis');
  if (combination.vectors === 'chroma') env.HAIVEMIND_CHROMA_URL = given(at.chroma, 'Chroma');
  if (combination.vectors === 'pgvector') {
    const file = join(folder, 'config.json');
    const vectors = { engine: 'pgvector', url: given(at.pgvector, 'pgvector') };
    writeFileSync(file, JSON.stringify({ storage: { vectors } }));
    env.HAIVEMIND_CONFIG = file;
  }
  return env;
}

function given(url: string | undefined, engine: string): string {
  if (url === undefined) throw new Error(`${engine} was not started.`);
  return url;
}

/** Throws where a name is none of a combination. */
export function chosenCombinations(names: string | undefined): readonly Combination[] {
  if (names === undefined) return COMBINATIONS;
  return names.split(',').map((name) => {
    const found = COMBINATIONS.find((one) => one.name === name || one.name.startsWith(`${name} (`));
    if (found) return found;
    throw new Error(`There is no combination ${name}. Choose of ${COMBINATIONS.map((one) => one.name).join(', ')}.`);
  });
}

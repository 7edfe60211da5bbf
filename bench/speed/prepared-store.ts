// Stores of 1,000 to 100,000 memories, made once per machine and kept in the directory of temporary files: embedding
// 100,000 texts takes minutes. The first texts get the model's own vectors; the others' are such a vector with noise.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { storeBatch } from '../../src/domains/memory/rules/store.ts';
import type { MemoryTables } from '../../src/domains/memory/tables.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { createLocalEmbedder } from '../../src/storage/embedding/local.ts';
import type { EmbeddedChunk } from '../../src/storage/embedding/port.ts';
import { createFts5Index } from '../../src/storage/text/fts5.ts';
import { encodeVector } from '../../src/storage/vectors/codec.ts';
import { createMemoryIndex } from '../../src/storage/vectors/memory-index.ts';
import { note, seeded } from './notes.ts';
import { projectRoot } from './place.ts';
import { insertVectors, type PreparedVector } from './prepared-vectors.ts';

const REAL_VECTORS_COUNT = 4_000;
const BATCH_COUNT = 1_000;
/** Length of the noise beside a unit vector: such twins have a cosine of about 0.93. */
const NOISE_LENGTH = 0.4;
const STORE_FILE = 'haivemind.db';

export const PREPARED_NOTE = `Stores are prepared: the first ${REAL_VECTORS_COUNT.toLocaleString('en')} memories carry the model's vectors, the others such a vector with noise (cosine about 0.93).`;

/** Puts a store of this many memories into a data directory, from the cache where it is there. */
export async function placeStore(data_dir: string, count: number, say: (text: string) => void): Promise<void> {
  const cached = join(tmpdir(), 'haivemind-bench-cache', `${count}-${sourceKey()}.db`);
  if (!existsSync(cached)) {
    say(`making a store of ${count.toLocaleString('en')} memories, once on this machine ...`);
    await makeStore(cached, count);
  }
  copyFileSync(cached, join(data_dir, STORE_FILE));
}

/** Bytes on disk of the prepared store. */
export function storeBytes(data_dir: string): number {
  return readdirSync(data_dir)
    .filter((name) => name.startsWith(STORE_FILE))
    .reduce((sum, name) => sum + statSync(join(data_dir, name)).size, 0);
}

/** Names what decides the bytes of a store: a change there makes another store. */
function sourceKey(): string {
  const hash = createHash('sha256');
  const folders = ['src/storage/migrations', 'src/storage/text', 'src/storage/vectors', 'src/storage/embedding'];
  const files = folders.flatMap((folder) => readdirSync(join(projectRoot, folder)).map((name) => join(folder, name)));
  const others = [
    'src/domains/memory/rules/signature.ts',
    'src/domains/memory/rules/identity.ts',
    'models/config.json',
  ];
  for (const file of [...files, ...others].filter((name) => !name.includes('.test.')).sort()) {
    if (statSync(join(projectRoot, file)).isFile()) hash.update(readFileSync(join(projectRoot, file)));
  }
  for (const name of ['notes.ts', 'prepared-store.ts', 'prepared-vectors.ts']) {
    hash.update(readFileSync(join(import.meta.dirname, name)));
  }
  return hash.update(`${hostname()}/${userInfo().username}`).digest('hex').slice(0, 12);
}

async function makeStore(target: string, count: number): Promise<void> {
  const folder = `${target}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  await using embedder = createLocalEmbedder({ models_dir: join(projectRoot, 'models') });
  let now_ms = Date.now() - count * 60_000;
  const base = await openDatabase({
    data_dir: folder,
    machine_id: hostname(),
    synchronous: 'NORMAL',
    // One memory a minute up to now, so that filters on time have something to tell apart.
    clock: { now: () => (now_ms += 60_000 / 8) },
  });
  const store = { ...base.withTables<MemoryTables>(), text: createFts5Index(base.raw) };
  const real: EmbeddedChunk[] = [];
  const random = seeded(11);
  const caller = {
    principal: { user_id: userInfo().username, agent_id: 'bench', machine_id: hostname() },
    project: undefined,
  };
  const deps = {
    store,
    redact: async (text: string) => ({ text, findings: [] }),
    vectors: { follow: () => {}, forget: () => {}, claimUntil: () => Number.MAX_SAFE_INTEGER },
    retention: [],
    changed: () => {},
  };
  const index = createMemoryIndex(embedder.dimensions);
  for (let first = 0; first < count; first += BATCH_COUNT) {
    const notes = Array.from({ length: Math.min(BATCH_COUNT, count - first) }, (_, i) => note(first + i));
    const stored = await storeBatch(
      deps,
      notes.map((input) => ({ input: { ...input, tags: [...input.tags], metadata: {} }, extras: { skip_twin: true } })),
      caller,
    );
    if (first < REAL_VECTORS_COUNT) {
      for (const { chunks } of await embedder.embedDocuments(notes.map(({ content }) => content))) {
        real.push(chunks[0] as EmbeddedChunk);
      }
    }
    const vectors = stored
      .filter(({ created }) => created)
      .map(({ row_id }, i): PreparedVector => {
        const at = first + i;
        const like = real[at % real.length] as EmbeddedChunk;
        const vector = at < real.length ? like.vector : withNoise(like.vector, random);
        const encoded = encodeVector(vector);
        index.upsert(row_id, [encoded]);
        return { row_id, vector: encoded, end_char: notes[i]?.content.length ?? 0, tokens: like.tokens ?? null };
      });
    insertVectors(store.raw, embedder.id, vectors);
  }
  await index.fit();
  const fit = index.exportFit();
  if (fit) {
    store.raw
      .prepare('insert or replace into vector_state (model_id, state, row_count) values (?, ?, ?)')
      .run(embedder.id, fit, index.size);
  }
  store.raw.exec('pragma wal_checkpoint(truncate)');
  await base.close();
  renameSync(join(folder, STORE_FILE), target);
  rmSync(folder, { recursive: true, force: true });
}

function withNoise(vector: Float32Array, random: () => number): Float32Array {
  const scale = NOISE_LENGTH * Math.sqrt(3 / vector.length);
  const noisy = vector.map((value) => value + (random() * 2 - 1) * scale);
  const length = Math.hypot(...noisy);
  return noisy.map((value) => value / length);
}

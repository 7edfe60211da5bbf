// Stores of 1,000 to 100,000 memories, made once per machine and kept in the directory of temporary files: embedding
// 100,000 texts takes minutes. The first texts get the model's own vectors; the others' are such a vector with noise.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { MemoryDatabase } from '../../src/domains/memory/repository.ts';
import type { RuleDeps } from '../../src/domains/memory/rules/deps.ts';
import { bandKeys, shingles } from '../../src/domains/memory/rules/signature.ts';
import { storeBatch } from '../../src/domains/memory/rules/store.ts';
import type { MemoryTables } from '../../src/domains/memory/tables.ts';
import { databaseOn } from '../../src/storage/database.ts';
import { createLocalEmbedder } from '../../src/storage/embedding/local.ts';
import { openSqliteEngine } from '../../src/storage/sqlite/engine.ts';
import { textIndexDdl } from '../../src/storage/text/fts5.ts';
import { indexText } from '../../src/storage/text/tokens.ts';
import { decodeVector, encodeVector } from '../../src/storage/vectors/codec.ts';
import { createMemoryIndex } from '../../src/storage/vectors/memory-index.ts';
import { note, seeded } from './notes.ts';
import { projectRoot } from './place.ts';
import { insertVectors, type PreparedVector } from './prepared-vectors.ts';

export const SIZES = [1_000, 10_000, 100_000] as const;
export type Size = (typeof SIZES)[number];

const REAL_VECTORS_COUNT = 2_000;
const BATCH_COUNT = 1_000;
/** Length of the noise beside a unit vector: such twins have a cosine of about 0.93. */
const NOISE_LENGTH = 0.4;
const STORE_FILE = 'haivemind.db';

export const PREPARED_NOTE = `Stores are prepared: the first ${REAL_VECTORS_COUNT.toLocaleString('en')} memories carry the model's vectors, the others such a vector with noise (cosine about 0.93).`;

/** Puts a store of this many memories, one of SIZES, into a data directory, from the cache where it is there. */
export async function placeStore(data_dir: string, count: Size, say: (text: string) => void): Promise<void> {
  copyFileSync(await cachedStore(count, say), join(data_dir, STORE_FILE));
}

async function cachedStore(count: Size, say: (text: string) => void): Promise<string> {
  const cached = join(tmpdir(), 'haivemind-bench-cache', `${count}-${sourceKey()}.db`);
  if (existsSync(cached)) return cached;
  // A larger store begins as the next smaller one.
  const smaller = SIZES.filter((size) => size < count).at(-1);
  const begun = smaller === undefined ? undefined : { size: smaller, file: await cachedStore(smaller, say) };
  say(`making a store of ${count.toLocaleString('en')} memories, once on this machine ...`);
  await makeStore(cached, count, begun);
  return cached;
}

/** Bytes on disk of the prepared store. */
export function storeBytes(data_dir: string): number {
  return readdirSync(data_dir)
    .filter((name) => name.startsWith(STORE_FILE))
    .reduce((sum, name) => sum + statSync(join(data_dir, name)).size, 0);
}

const KEY_SAMPLE_COUNT = 50;

/** Names what decides the content of a store: its schema, its model, and what is derived of some notes. */
function sourceKey(): string {
  const hash = createHash('sha256').update(
    `${hostname()}/${userInfo().username}/${REAL_VECTORS_COUNT}/${NOISE_LENGTH}`,
  );
  const schema = join(projectRoot, 'src', 'storage', 'migrations');
  for (const name of readdirSync(schema).sort()) hash.update(readFileSync(join(schema, name)));
  for (const name of ['config.json', 'token_basis.bin']) hash.update(readFileSync(join(projectRoot, 'models', name)));
  hash.update(textIndexDdl.join(';'));
  for (let i = 0; i < KEY_SAMPLE_COUNT; i++) {
    const made = note(i);
    hash.update(JSON.stringify([made, indexText(made.content), bandKeys(shingles(made.content))]));
  }
  return hash.digest('hex').slice(0, 12);
}

/** Makes a store, or makes one grow: `begun` says from which. */
async function makeStore(
  target: string,
  count: number,
  begun: { size: Size; file: string } | undefined,
): Promise<void> {
  const folder = `${target}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  if (begun) copyFileSync(begun.file, join(folder, STORE_FILE));
  await using embedder = createLocalEmbedder({ models_dir: join(projectRoot, 'models') });
  const engine = await openSqliteEngine({ data_dir: folder, synchronous: 'NORMAL' });
  const { raw } = engine;
  const store = databaseOn(engine, { machine_id: hostname(), clock: pastClock() }).withTables<MemoryTables>();
  const real = readVectors(raw, REAL_VECTORS_COUNT);
  const random = seeded(11 + count);
  for (let first = begun?.size ?? 0; first < count; first += BATCH_COUNT) {
    const notes = Array.from({ length: BATCH_COUNT }, (_, i) => note(first + i));
    const stored = await storeBatch(
      ruleDeps(store),
      notes.map((input) => ({ input: { ...input, tags: [...input.tags], metadata: {} }, extras: { skip_twin: true } })),
      CALLER,
    );
    if (first < REAL_VECTORS_COUNT) {
      for (const { chunks } of await embedder.embedDocuments(notes.map(({ content }) => content))) {
        for (const { vector, tokens } of chunks.slice(0, 1)) real.push({ vector, tokens: tokens ?? null });
      }
    }
    const vectors = stored.map(({ row_id }, i): PreparedVector => {
      const like = real[(first + i) % real.length] as Known;
      const vector = first + i < real.length ? like.vector : withNoise(like.vector, random);
      const end_char = notes[i]?.content.length ?? 0;
      return { row_id, vector: encodeVector(vector), end_char, tokens: like.tokens };
    });
    insertVectors(raw, embedder.id, vectors);
  }
  await saveFitOf(raw, embedder.id, embedder.dimensions);
  raw.exec('pragma wal_checkpoint(truncate)');
  await store.close();
  renameSync(join(folder, STORE_FILE), target);
  rmSync(folder, { recursive: true, force: true });
}

/** One memory every ten seconds up to about now, so that filters on time have something to tell apart. */
function pastClock(): { now(): number } {
  let now_ms = Date.now() - SIZES[2] * 10_000;
  return { now: () => (now_ms += 2_000) };
}

const CALLER = {
  principal: { user_id: userInfo().username, agent_id: 'bench', machine_id: hostname() },
  project: undefined,
};

function ruleDeps(store: MemoryDatabase): RuleDeps {
  return {
    store,
    redact: async (text) => ({ text, findings: [] }),
    vectors: { follow: () => {}, forget: () => {}, claimUntil: () => Number.MAX_SAFE_INTEGER },
    retention: [],
    changed: () => {},
  };
}

interface Known {
  readonly vector: Float32Array;
  readonly tokens: Uint8Array | null;
}

function readVectors(raw: DatabaseSync, limit: number): Known[] {
  const rows = raw.prepare('select vector, tokens from memory_vectors order by vector_seq limit ?').all(limit);
  return rows.map((row) => {
    const { vector, tokens } = row as { vector: Uint8Array; tokens: Uint8Array | null };
    return { vector: decodeVector(vector), tokens };
  });
}

/** What a hub that lived with this store would have learned of it. */
async function saveFitOf(raw: DatabaseSync, model_id: string, dimensions: number): Promise<void> {
  const index = createMemoryIndex(dimensions);
  for (const row of raw.prepare('select row_id, vector from memory_vectors').iterate()) {
    index.add(Number(row.row_id), 0, row.vector as Uint8Array);
  }
  await index.fit();
  const fit = index.exportFit();
  if (!fit) return;
  raw
    .prepare('insert or replace into vector_state (model_id, state, row_count) values (?, ?, ?)')
    .run(model_id, fit, index.size);
}

function withNoise(vector: Float32Array, random: () => number): Float32Array {
  const scale = NOISE_LENGTH * Math.sqrt(3 / vector.length);
  const noisy = vector.map((value) => value + (random() * 2 - 1) * scale);
  const length = Math.hypot(...noisy);
  return noisy.map((value) => value / length);
}

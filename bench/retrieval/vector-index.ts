// node bench/retrieval/vector-index.ts [count]: the vector index in memory beside sqlite-vec, in one run, on the same
// vectors: time a search, recall of the approximate stage against exact scores, memory. Input to docs/adr/0003.
// Vectors: those of the retrieval sets, then mixtures of two of them with some noise until there are enough.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as sqliteVec from 'sqlite-vec';
import { createLocalEmbedder } from '../../src/storage/embedding/local.ts';
import { encodeVector } from '../../src/storage/vectors/codec.ts';
import { createMemoryIndex } from '../../src/storage/vectors/memory-index.ts';
import { loadDocuments } from './corpus.ts';
import { percentile } from './metrics.ts';
import { readSets } from './sets.ts';

const COUNT = Number(process.argv[2] ?? 100_000);
const QUERIES = 60;
const LIMIT = 200;
const NOISE = 0.015;
const dimensions = 384;

let seed = 1;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};
const unit = (vector: Float32Array): Float32Array => {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
};

const { sets } = readSets();
await using embedder = createLocalEmbedder({ models_dir: join(import.meta.dirname, '../../models') });
const real: Float32Array[] = [];
for (const set of sets)
  for (const document of await loadDocuments(set, embedder)) real.push(...document.chunks.map((chunk) => chunk.vector));
const pick = (): Float32Array => real[Math.floor(random() * real.length)]!;
const vectors = Array.from({ length: COUNT }, (_, i) => {
  if (i < real.length) return real[i]!;
  const [a, b, share] = [pick(), pick(), 0.15 + random() * 0.35];
  return unit(a.map((value, k) => (1 - share) * value + share * b[k]! + NOISE * (random() + random() - 1)));
});
const queries: Float32Array[] = [];
for (const query of sets.flatMap((set) => set.queries).slice(0, QUERIES))
  queries.push((await embedder.embedQuery(query.text)).vector);

/** Processor time of one call, in milliseconds: what other work on the machine disturbs least. */
const cpuMs = (work: () => void): number => {
  const before = process.cpuUsage();
  work();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1000;
};
const report = (name: string, times: readonly number[], rest: string): void =>
  console.log(
    `${name.padEnd(44)} cpu ms min ${Math.min(...times).toFixed(1)} p50 ${percentile(times, 0.5).toFixed(1)} p95 ${percentile(times, 0.95).toFixed(1)}  ${rest}`,
  );

const index = createMemoryIndex(dimensions);
vectors.forEach((vector, i) => {
  index.add(i + 1, 0, encodeVector(vector));
});
await index.fit();
const everyRow = Array.from({ length: COUNT }, (_, i) => i + 1);
const allowed = new Set(everyRow.filter((row) => row % 100 === 0));
for (const metric of ['cosine', 'whitened'] as const) {
  let found10 = 0;
  let found100 = 0;
  const times = queries.map((query) => {
    let hits: ReturnType<typeof index.search> = [];
    const took = cpuMs(() => {
      hits = index.search(query, { limit: LIMIT, metric });
    });
    const exact = index.scores(query, everyRow, metric).sort((a, b) => b.score - a.score);
    const rows = new Set(hits.map((hit) => hit.row_id));
    found10 += exact.slice(0, 10).filter((hit) => rows.has(hit.row_id)).length / 10;
    found100 += exact.slice(0, 100).filter((hit) => rows.has(hit.row_id)).length / 100;
    return took;
  });
  const recall = `recall@10 ${(found10 / queries.length).toFixed(4)} recall@100 ${(found100 / queries.length).toFixed(4)}`;
  report(`memory index, ${metric}, first ${LIMIT}`, times, `${recall}, ${(index.bytes / 1e6).toFixed(1)} MB`);
}
report(
  'memory index, 1 % allowed (exact)',
  queries.map((query) => cpuMs(() => index.search(query, { limit: LIMIT, allowed }))),
  '',
);

const db = new DatabaseSync(':memory:', { allowExtension: true });
sqliteVec.load(db);
db.exec(`create virtual table v using vec0(e float[${dimensions}], b bit[${dimensions}])`);
const insert = db.prepare('insert into v(rowid, e, b) values (?, ?, vec_quantize_binary(?))');
db.exec('begin');
vectors.forEach((vector, i) => {
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  insert.run(BigInt(i + 1), bytes, bytes);
});
db.exec('commit');
const exact = db.prepare('select rowid, distance from v where e match ? and k = ?');
const coarse = db.prepare('select rowid from v where b match vec_quantize_binary(?) and k = ?');
const bytesOf = (query: Float32Array): Uint8Array => new Uint8Array(query.buffer, query.byteOffset, query.byteLength);
report(
  'sqlite-vec, float32 exact, k = 20',
  queries.map((query) => cpuMs(() => exact.all(bytesOf(query), 20))),
  `${((COUNT * dimensions * 4) / 1e6).toFixed(0)} MB on disk`,
);
report(
  `sqlite-vec, float32 exact, k = ${LIMIT}`,
  queries.map((query) => cpuMs(() => exact.all(bytesOf(query), LIMIT))),
  '',
);
report(
  'sqlite-vec, bit codes, k = 2000, not rescored',
  queries.map((query) => cpuMs(() => coarse.all(bytesOf(query), 2000))),
  '',
);

// A set, indexed by the product's own modules: full text, vectors, token vectors; embeddings are kept in the system's
// folder for temporary files, because making them takes minutes and changes nothing between runs.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { CandidateFacts, FindDeps } from '../../src/domains/memory/ranking/index.ts';
import type { EmbeddedDocument, EmbeddedQuery, Embedder } from '../../src/storage/embedding/port.ts';
import { encodeVector } from '../../src/storage/vectors/codec.ts';
import { createMemoryIndex } from '../../src/storage/vectors/memory-index.ts';
import type { VectorMetric } from '../../src/storage/vectors/port.ts';
import type { RetrievalSet } from './sets.ts';
import { openTextEngine, type TextEngine } from './text-engines.ts';

/** Raised when what is cached (chunks, token vectors) changes its meaning. */
const CACHE_VERSION = 2;
const TEXTS_PER_CALL = 200;

export type Corpus = {
  readonly set: RetrievalSet;
  readonly queries: readonly EmbeddedQuery[];
  /** What the product's search needs, with the vectors compared by this metric. */
  deps(metric: VectorMetric): FindDeps;
  allowed(project: string | undefined): ReadonlySet<number> | undefined;
  /** Mean bytes a memory takes on disk in each part. */
  readonly bytes: { readonly text_index: number; readonly vectors: number; readonly tokens: number };
};

const cached = async <T>(key: string, make: () => Promise<T>): Promise<T> => {
  const file = join(
    tmpdir(),
    `haivemind-bench-${createHash('sha256').update(`${CACHE_VERSION}\n${key}`).digest('hex').slice(0, 24)}`,
  );
  if (existsSync(file)) return deserialize(readFileSync(file)) as T;
  const made = await make();
  writeFileSync(`${file}.part`, serialize(made));
  renameSync(`${file}.part`, file);
  return made;
};

const embedAll = async (embedder: Embedder, texts: readonly string[]): Promise<EmbeddedDocument[]> => {
  const done: EmbeddedDocument[] = [];
  for (let first = 0; first < texts.length; first += TEXTS_PER_CALL) {
    done.push(...(await embedder.embedDocuments(texts.slice(first, first + TEXTS_PER_CALL))));
  }
  return done;
};

const indexTexts = async (set: RetrievalSet, engine: TextEngine) => {
  const before = await engine.bytes();
  await engine.transaction(async (trx) => {
    for (const [index, { content }] of set.memories.entries())
      await engine.index.put(trx, index + 1, { body: content });
  });
  await engine.index.warm();
  return (await engine.bytes()) - before;
};

const lookUps = (set: RetrievalSet, documents: readonly EmbeddedDocument[]): Omit<FindDeps, 'text' | 'vectors'> => {
  const bySession = new Map<string, number[]>();
  set.memories.forEach(({ session_id }, index) => {
    if (session_id) bySession.set(session_id, [...(bySession.get(session_id) ?? []), index + 1]);
  });
  const facts = (rows: readonly number[]): Map<number, CandidateFacts> =>
    new Map(
      rows.flatMap((row): [number, CandidateFacts][] => {
        const memory = set.memories[row - 1];
        return memory
          ? [[row, { session_id: memory.session_id, sequence: memory.sequence, content: memory.content }]]
          : [];
      }),
    );
  return {
    facts: async (rows) => facts(rows),
    factsInRanges: async (ranges) =>
      facts(
        ranges.flatMap(({ session_id, from, to }) =>
          (bySession.get(session_id) ?? []).filter((row) => {
            const sequence = set.memories[row - 1]?.sequence ?? 0;
            return sequence >= from && sequence <= to;
          }),
        ),
      ),
    tokens: async (rows) =>
      new Map(
        rows.flatMap((row): [number, Uint8Array][] => {
          const tokens = documents[row - 1]?.chunks[0]?.tokens;
          return tokens ? [[row, tokens]] : [];
        }),
      ),
  };
};

/** A set's memories as vectors, from the cache where they have been made before. */
export const loadDocuments = (set: RetrievalSet, embedder: Embedder): Promise<EmbeddedDocument[]> => {
  const contents = set.memories.map((memory) => memory.content);
  return cached(`${embedder.id}\n${JSON.stringify(contents)}`, () => embedAll(embedder, contents));
};

/** Embeds (or reads from the cache) and indexes a set. The engine that holds the texts has to be empty. */
export const loadCorpus = async (
  set: RetrievalSet,
  embedder: Embedder,
  engine: TextEngine = openTextEngine(),
): Promise<Corpus> => {
  const documents = await loadDocuments(set, embedder);
  const questions = set.queries.map((query) => query.text);
  const queries = await cached(`${embedder.id}\nqueries\n${JSON.stringify(questions)}`, async () => {
    const done: EmbeddedQuery[] = [];
    for (const question of questions) done.push(await embedder.embedQuery(question));
    return done;
  });
  const textBytes = await indexTexts(set, engine);
  const vectors = createMemoryIndex(embedder.dimensions);
  let vectorBytes = 0;
  let tokenBytes = 0;
  documents.forEach(({ chunks }, index) => {
    const encoded = chunks.map((chunk) => encodeVector(chunk.vector));
    vectors.upsert(index + 1, encoded);
    vectorBytes += encoded.reduce((sum, each) => sum + each.length, 0);
    tokenBytes += chunks.reduce((sum, chunk) => sum + (chunk.tokens?.length ?? 0), 0);
  });
  if (vectors.fitIsDue()) await vectors.fit();
  const projects = Map.groupBy(
    set.memories.map((memory, index) => ({ project: memory.project, row: index + 1 })),
    ({ project }) => project,
  );
  const rowsOf = new Map([...projects].map(([project, rows]) => [project, new Set(rows.map(({ row }) => row))]));
  const found = lookUps(set, documents);
  const count = set.memories.length;

  return {
    set,
    queries,
    allowed: (project) => (project === undefined ? undefined : rowsOf.get(project)),
    deps: (metric) => ({
      ...found,
      text: engine.index,
      vectors: {
        search: async (query, options) => vectors.search(query, { ...options, metric }),
        scores: async (query, rows) => vectors.scores(query, rows, metric),
      },
    }),
    bytes: { text_index: textBytes / count, vectors: vectorBytes / count, tokens: tokenBytes / count },
  };
};

// Puts the memory domain together from its parts: rules, search with its index and follower, imports.
import { type ErrorBody, failure } from '../../kernel/errors.ts';
import type { Database } from '../../storage/database.ts';
import type { Embedder } from '../../storage/embedding/port.ts';
import { createMemoryIndex } from '../../storage/vectors/memory-index.ts';
import type { VectorServer } from '../../storage/vectors/servers/port.ts';
import { createMemoryImport } from './import-service.ts';
import type { MemoryDatabase } from './repository.ts';
import type { Redact, RetentionPolicy, RuleDeps } from './rules/deps.ts';
import { CATEGORIES, categoryField } from './schema.ts';
import { createFollower, type Follower } from './search/follower.ts';
import { createVectorMirror } from './search/mirror.ts';
import { noteChanged } from './search/outbox.ts';
import { createMemorySearch } from './search/search.ts';
import { createServedVectors } from './search/served.ts';
import { queueDepth } from './search/vector-rows.ts';
import type { MemoryVectors } from './search/vectors.ts';
import type { MemoryDeps } from './service.ts';
import type { MemoryTables } from './tables.ts';

export interface MemoryOptions {
  readonly store: Database;
  readonly embedder: Embedder;
  readonly redact: Redact;
  readonly retention: readonly RetentionPolicy[];
  readonly changed: (memory_id: string) => void;
  /** The index of this embedder's vectors where another program holds it; it is closed with the follower. */
  readonly vector_server?: VectorServer | undefined;
  /** Long-lived processes keep the index warm, fit it and take over abandoned work. */
  readonly longLived: boolean;
  readonly onError: (error: unknown, message: string) => void;
}

export interface MemoryDomain {
  readonly deps: MemoryDeps;
  readonly follower: Follower;
  readonly vectors: MemoryVectors;
  /** Memories waiting for their vector, in the whole store. */
  queueDepth(): Promise<number>;
  /** What keeps search by meaning from working, if anything. */
  trouble(): ErrorBody | undefined;
}

/** Throws `config_invalid` for a retention policy of a category that does not exist: it would never apply. */
function assertPolicies(retention: readonly RetentionPolicy[]): void {
  const unknown = retention.find(
    ({ category }) => category !== undefined && !categoryField.safeParse(category).success,
  );
  if (!unknown) return;
  throw failure(
    'config_invalid',
    `storage.retention names the category ${JSON.stringify(unknown.category)}, which does not exist.`,
    `Use one of ${CATEGORIES.join(', ')}.`,
  );
}

function vectorsOn(store: MemoryDatabase, options: MemoryOptions): MemoryVectors {
  const { embedder, vector_server: server, longLived: fits, onError } = options;
  if (server) return createServedVectors({ store, server, model: embedder, fits, onError });
  return createVectorMirror({
    store,
    index: createMemoryIndex(embedder.dimensions),
    model_id: embedder.id,
    fits,
    onError: (error) => onError(error, 'fitting the vector index failed; searches go on with the earlier fit'),
  });
}

export function createMemory(options: MemoryOptions): MemoryDomain {
  assertPolicies(options.retention);
  const { embedder, onError } = options;
  const tables = options.store.withTables<MemoryTables>();
  const store: MemoryDatabase = options.vector_server ? { ...tables, noteForIndex: noteChanged } : tables;
  const vectors = vectorsOn(store, options);
  const follower = createFollower({
    store,
    embedder,
    vectors,
    onError: (error, count) => onError(error, `making vectors of ${count} memories failed; it is tried again`),
  });
  const rules: RuleDeps = {
    store,
    redact: options.redact,
    vectors: follower,
    retention: options.retention,
    changed: options.changed,
  };
  const search = createMemorySearch({
    store,
    embedder,
    vectors,
    onError: (error) => onError(error, 'searching by meaning failed; words alone were used'),
  });
  const deps: MemoryDeps = { ...rules, search, imports: createMemoryImport(rules) };

  return {
    deps,
    follower,
    vectors,
    queueDepth: () => queueDepth(store),
    trouble: search.trouble,
  };
}

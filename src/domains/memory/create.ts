// Puts the memory domain together from its parts: rules, search with its index and follower, imports.
import { type ErrorBody, failure } from '../../kernel/errors.ts';
import type { SharedCache } from '../../storage/coordination/port.ts';
import type { Database } from '../../storage/database.ts';
import type { Embedder } from '../../storage/embedding/port.ts';
import { createMemoryIndex } from '../../storage/vectors/memory-index.ts';
import type { VectorServer } from '../../storage/vectors/servers/port.ts';
import { logTeamActivity } from '../teams/index.ts';
import { createHotRows } from './hot-rows.ts';
import { createMemoryImport } from './import-service.ts';
import type { MemoryDatabase } from './repository.ts';
import type { Redact, RetentionPolicy, RuleDeps } from './rules/deps.ts';
import { CATEGORIES, categoryField } from './schema.ts';
import { createFollower, type Follower } from './search/follower.ts';
import { createVectorMirror } from './search/mirror.ts';
import { noteChanged } from './search/outbox.ts';
import { createIndexCare, type IndexCare } from './search/reindex.ts';
import { createMemorySearch } from './search/search.ts';
import { createServedVectors } from './search/served.ts';
import { queueDepth } from './search/vector-rows.ts';
import type { MemoryVectors } from './search/vectors.ts';
import type { MemoryDeps } from './service.ts';
import type { MemoryTables } from './tables.ts';

export interface MemoryOptions {
  readonly store: Database;
  readonly embedder: Embedder;
  /** What processes share of memories that are read often. */
  readonly cache: SharedCache;
  readonly redact: Redact;
  readonly retention: readonly RetentionPolicy[];
  readonly changed: (memory_id: string) => void;
  /** The index of this embedder's vectors where another program holds it; it is closed with the follower. */
  readonly vector_server?: VectorServer | undefined;
  /** Long-lived processes keep the index warm, fit it and take over abandoned work. */
  readonly longLived: boolean;
  /** What background work met; without an error: what it met before is over. */
  readonly onError: (error: unknown, message: string) => void;
}

export interface MemoryDomain {
  readonly deps: MemoryDeps;
  readonly follower: Follower;
  readonly vectors: MemoryVectors;
  /** Compares vectors and their index with the rows, and mends them. */
  readonly index: IndexCare;
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

function ownVectors(store: MemoryDatabase, { embedder, longLived, onError }: MemoryOptions): MemoryVectors {
  return createVectorMirror({
    store,
    index: createMemoryIndex(embedder.dimensions),
    model_id: embedder.id,
    fits: longLived,
    onError: (error) => onError(error, 'fitting the vector index failed; searches go on with the earlier fit'),
  });
}

function vectorNews(error: unknown, row_count: number): string {
  if (error === undefined) return 'vectors are made again';
  return row_count === 0
    ? 'looking for memories without vectors failed; it is tried again'
    : `making vectors of ${row_count} ${row_count === 1 ? 'memory' : 'memories'} failed; it is tried again`;
}

export function createMemory(options: MemoryOptions): MemoryDomain {
  assertPolicies(options.retention);
  const { embedder, vector_server: server, onError } = options;
  const tables = options.store.withTables<MemoryTables>();
  const hot = createHotRows(server ? { ...tables, noteForIndex: noteChanged } : tables, options.cache);
  const { store } = hot;
  const served = server && createServedVectors({ store, server, model: embedder, fits: options.longLived, onError });
  const vectors = served ?? ownVectors(store, options);
  const follower = createFollower({
    store,
    embedder,
    vectors,
    onError: (error, count) => onError(error, vectorNews(error, count)),
  });
  const rules: RuleDeps = {
    store,
    redact: options.redact,
    vectors: follower,
    retention: options.retention,
    changed: options.changed,
    // One database: the transaction of the memory holds the team's tables as well.
    logInTeam: (trx, actor, { team_id, action, memory_id }) =>
      logTeamActivity(trx as never, store.clock.now(), { team_id, action, actor, details: { memory_id } }),
  };
  const search = createMemorySearch({
    store,
    embedder,
    vectors,
    onError: (error) => onError(error, 'searching by meaning failed; words alone were used'),
  });
  const deps: MemoryDeps = { ...rules, hot, search, imports: createMemoryImport(rules) };

  return {
    deps,
    follower,
    vectors,
    index: createIndexCare({ store, model: embedder, follower, vectors, served }),
    queueDepth: () => queueDepth(store),
    trouble: search.trouble,
  };
}

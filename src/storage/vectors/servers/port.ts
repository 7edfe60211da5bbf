// A vector index that another program holds (Chroma, pgvector), as a port. It is a copy that can be rebuilt: the rows
// of the store are the truth, and exact scores are computed from them. So an adapter only has to name near candidates.

/** What of a memory is kept beside its vectors, for filters that run inside the index. */
export interface VectorPayload {
  readonly user_id: string;
  readonly scope: string;
  readonly category: string;
  readonly project: string | null;
  readonly project_id: string | null;
  readonly session_id: string | null;
  readonly machine_id: string;
  readonly agent_id: string;
  readonly source: string;
  readonly tags: readonly string[];
}

/** All chunks of one memory. */
export interface IndexedMemory {
  readonly row_id: number;
  /** The row's clock: equal revisions mean that index and row agree. */
  readonly revision: string;
  /** Unit vectors; the position is the chunk number. */
  readonly vectors: readonly Float32Array[];
  readonly payload: VectorPayload;
}

/** What a search may find at all: memories of this user, where one is named, and those of these scopes. */
export interface VectorSight {
  readonly user_id: string | undefined;
  readonly scopes: readonly string[];
}

/** Conditions an index can check by itself. What it finds is checked against the rows again, so more may pass. */
export interface VectorFilter {
  readonly visible_to: VectorSight;
  readonly any_of: readonly {
    readonly field: Exclude<keyof VectorPayload, 'tags'>;
    readonly values: readonly string[];
  }[];
  readonly none_of: readonly {
    readonly field: Exclude<keyof VectorPayload, 'tags'>;
    readonly values: readonly string[];
  }[];
  readonly tags_any: readonly string[];
  readonly tags_all: readonly string[];
  readonly tags_none: readonly string[];
}

export interface NearChunk {
  readonly row_id: number;
  readonly chunk: number;
  /** Inner product with the query as the index computed it. */
  readonly score: number;
}

export interface NearOptions {
  /** Chunks wanted at most. */
  readonly limit: number;
  readonly filter?: VectorFilter | undefined;
  /** Only these rows; given for sets an index can take as a list (a few thousand). */
  readonly allowed?: ReadonlySet<number> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the index has of a memory. */
export interface IndexedRevision {
  readonly row_id: number;
  readonly revision: string;
  readonly chunks: number;
}

/** Failures are HaivemindErrors: `unavailable` where the server is away, `config_invalid` where it cannot be used. */
export interface VectorServer extends AsyncDisposable {
  readonly kind: 'chroma' | 'pgvector';
  /** Where it is, for people; never a password. */
  readonly place: string;
  /**
   * Replaces what the index has of these memories: a memory's revision changes only together with all its chunks. Makes
   * collection or table first where it is missing. The last counts where a memory is given twice; one without vectors
   * is removed. Again with the same changes nothing.
   */
  put(memories: readonly IndexedMemory[]): Promise<void>;
  remove(row_ids: readonly number[]): Promise<void>;
  /**
   * Highest inner product with `query` first; `query` need not have length one. Nothing where no collection or table
   * was made yet. Gives up with `unavailable` sooner than a write does, since a search has another way.
   */
  nearest(query: Float32Array, options: NearOptions): Promise<NearChunk[]>;
  /** A page of what the index has, by rising row id; fewer than `limit` only at the end. */
  revisions(after_row_id: number, limit: number): Promise<IndexedRevision[]>;
  /** Number of vectors (chunks). */
  count(): Promise<number>;
  /** Empties the index of this model. */
  clear(): Promise<void>;
  check(): Promise<{ readonly version: string; readonly latency_ms: number }>;
}

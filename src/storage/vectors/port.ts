// The vector index as a port: nearest texts by meaning, whatever holds the vectors.

/** One chunk of a record that is near the query. Higher is nearer. */
export type VectorHit = {
  readonly row_id: number;
  readonly chunk: number;
  /** In the metric asked for; a whitened one compares within one answer only. */
  readonly score: number;
  /** Of the same chunk, whatever the metric. */
  readonly cosine: number;
};

/** `whitened`: as fitted to this collection where a fit exists. `cosine`: -1..1, comparable between answers. */
export type VectorMetric = 'whitened' | 'cosine';

export type VectorSearchOptions = {
  readonly limit: number;
  /** Only these records may be found. Absent: all. A small set is scored exactly, member by member. */
  readonly allowed?: ReadonlySet<number> | undefined;
  readonly metric?: VectorMetric | undefined;
};

export type VectorIndex = {
  readonly dimensions: number;
  /** Records that have a vector. */
  readonly size: number;
  /** Memory held by codes and tables, in bytes. */
  readonly bytes: number;
  /** Replaces all chunks of a record; `vectors` are encoded (see codec.ts), their position is the chunk number. */
  upsert(rowId: number, vectors: readonly Uint8Array[]): void;
  /** Adds one chunk without looking for an older one: for loading rows that are read in order. */
  add(rowId: number, chunk: number, vector: Uint8Array): void;
  remove(rowId: number): void;
  has(rowId: number): boolean;
  /** All records that have a vector, in no order. */
  rowIds(): number[];
  /** The nearest records, each by its best chunk, nearest first. */
  search(query: Float32Array, options: VectorSearchOptions): VectorHit[];
  /** Exact scores of given records, in the order given; records without a vector are left out. */
  scores(query: Float32Array, rowIds: Iterable<number>, metric?: VectorMetric): VectorHit[];
};

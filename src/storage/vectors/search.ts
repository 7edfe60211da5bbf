// Search by meaning as the ranking sees it, wherever the vectors are.
import type { VectorHit, VectorMetric, VectorSearchOptions } from './port.ts';
import type { VectorFilter } from './servers/port.ts';

export type ServedSearchOptions = VectorSearchOptions & {
  /** What an index that another program holds may check by itself; what it finds is checked against the rows again. */
  readonly filter?: VectorFilter | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type VectorSearch = {
  /** The nearest records, each by its best chunk, nearest first. */
  search(query: Float32Array, options: ServedSearchOptions): Promise<VectorHit[]>;
  /** Exact scores of given records; records without a vector are left out. */
  scores(query: Float32Array, rowIds: readonly number[], metric?: VectorMetric): Promise<VectorHit[]>;
};

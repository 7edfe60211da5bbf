// Where this process searches by meaning: in an index of its own (mirror.ts) or in one that another program holds.
import type { ErrorBody } from '../../../kernel/errors.ts';
import type { VectorSearch } from '../../../storage/vectors/search.ts';

export interface MemoryVectors extends VectorSearch {
  readonly kind: 'embedded' | 'chroma' | 'pgvector';
  /** Brings the index up to the store, as far as that is needed to search. Cheap when nothing changed. */
  refresh(): Promise<void>;
  /** These rows have new vectors, are gone or say something else about themselves. */
  changed(row_ids: readonly number[]): void;
  forget(row_ids: readonly number[]): void;
  /** Records with a vector, as far as this process knows. */
  size(): number;
  /** Memory of this process that the index takes. */
  bytes(): number;
  /** Changes that wait for the index; 0 where it is part of this process. */
  pending(): Promise<number>;
  /** What keeps the index from answering, if anything. */
  trouble(): ErrorBody | undefined;
  /** Long-lived processes work off what waits. */
  start(): void;
  stop(): Promise<void>;
}

// Where this process searches by meaning: in an index of its own (mirror.ts) or in one that another program holds
// (served.ts).
import type { ErrorBody } from '../../../kernel/errors.ts';
import type { VectorSearch } from '../../../storage/vectors/search.ts';

/** What an index that another program holds says about itself. */
export interface ServedIndexState {
  readonly version: string;
  readonly latency_ms: number;
  /**
   * Vectors in the index and in the store, counted with nothing waiting: now where the two differ or nobody has counted
   * lately. Undefined where they could not be counted yet.
   */
  readonly counted: { readonly index: number; readonly store: number } | undefined;
}

export interface MemoryVectors extends VectorSearch {
  readonly kind: 'embedded' | 'chroma' | 'pgvector';
  /** Where the index is, for people. */
  readonly place: string;
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
  /** What keeps the index from answering or from taking changes, if anything. */
  trouble(): ErrorBody | undefined;
  /** Asks the program that holds the index; undefined where that is this process. Rejects where it does not answer. */
  check(): Promise<ServedIndexState | undefined>;
  /** Long-lived processes work off what waits. */
  start(): void;
  /** Brings the changes of this process to the index, as far as it answers. */
  settle(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

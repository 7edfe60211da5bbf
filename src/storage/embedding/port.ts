// Embedding as a port: text in, vectors out, wherever the model runs.
import type { ErrorBody } from '../../kernel/errors.ts';

/** Vectors of a text's telling tokens, small (see token-vectors.ts): what late interaction compares. */
export type TokenVectors = Uint8Array;

/** A question as vectors. `words[i]` is the lower-case word that token `i` belongs to. */
export type EmbeddedQuery = {
  readonly vector: Float32Array;
  readonly tokens?: { readonly words: readonly string[]; readonly vectors: TokenVectors };
};

/** A piece of a document small enough for the model; characters are UTF-16 units, the end exclusive. */
export type EmbeddedChunk = {
  readonly vector: Float32Array;
  readonly start_char: number;
  readonly end_char: number;
  /** Present on short texts only, and only where the model gives token vectors. */
  readonly tokens?: TokenVectors;
};

export type EmbeddedDocument = { readonly chunks: readonly EmbeddedChunk[] };

export type EmbedderStatus = {
  /** True once the model is in memory (a remote endpoint: once it has answered). */
  readonly loaded: boolean;
  readonly queued_queries: number;
  readonly queued_documents: number;
  /** How often a crashed worker was replaced. */
  readonly restarts: number;
  /** The last failure, until something succeeds again. */
  readonly error?: ErrorBody;
};

export type EmbedOptions = { readonly signal?: AbortSignal | undefined };

/**
 * Turns texts into unit vectors. Failures are HaivemindErrors: `model_missing`, `model_corrupt`, `unavailable`,
 * `config_invalid`; an aborted signal rejects with its reason.
 */
export type Embedder = AsyncDisposable & {
  /** Which model made a vector, with the hash of its file: vectors of different ids never meet. */
  readonly id: string;
  readonly dimensions: number;
  /** Questions go before documents that wait. */
  embedQuery(text: string, options?: EmbedOptions): Promise<EmbeddedQuery>;
  /** Same order as the texts. */
  embedDocuments(texts: readonly string[], options?: EmbedOptions): Promise<EmbeddedDocument[]>;
  /** Loads the model now instead of at the first text. */
  warm(): Promise<void>;
  status(): EmbedderStatus;
};

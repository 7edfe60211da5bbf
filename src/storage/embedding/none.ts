// The embedder of a store that is searched by words alone.
import { failure, type HaivemindError } from '../../kernel/errors.ts';
import type { Embedder } from './port.ts';

/** Its id: no vector is ever of this model. */
export const NO_MODEL = 'none';

const turnedOff = (): HaivemindError =>
  failure(
    'unavailable',
    'Searching by meaning is turned off.',
    'Set storage.embedding.provider to local to turn it on.',
  );

/** Never makes a vector: documents have no chunks, a question is refused with `reason`. */
export const createNoEmbedder = (): Embedder => withoutModel(turnedOff);

/** Stands in for a model that cannot be had: texts keep waiting for their vectors, everything else works. */
export const createMissingEmbedder = (reason: HaivemindError): Embedder => ({
  ...withoutModel(() => reason),
  embedDocuments: () => Promise.reject(reason),
  warm: () => Promise.reject(reason),
});

const withoutModel = (reason: () => HaivemindError): Embedder => ({
  id: NO_MODEL,
  dimensions: 8,
  embedQuery: () => Promise.reject(reason()),
  embedDocuments: async (texts) => texts.map(() => ({ chunks: [] })),
  async warm() {},
  status: () => ({ loaded: false, queued_queries: 0, queued_documents: 0, restarts: 0 }),
  async [Symbol.asyncDispose]() {},
});

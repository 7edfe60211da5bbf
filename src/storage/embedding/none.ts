// The embedder of a store that is searched by words alone.
import { failure } from '../../kernel/errors.ts';
import type { Embedder } from './port.ts';

/** Its id: no vector is ever of this model. */
export const NO_MODEL = 'none';

/** Never makes a vector: documents have no chunks, a question is refused with `unavailable`. */
export const createNoEmbedder = (): Embedder => ({
  id: NO_MODEL,
  dimensions: 8,
  async embedQuery() {
    throw failure(
      'unavailable',
      'Searching by meaning is turned off.',
      'Set storage.embedding.provider to local to turn it on.',
    );
  },
  embedDocuments: async (texts) => texts.map(() => ({ chunks: [] })),
  async warm() {},
  status: () => ({ loaded: false, queued_queries: 0, queued_documents: 0, restarts: 0 }),
  async [Symbol.asyncDispose]() {},
});

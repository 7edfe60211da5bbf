// The program that holds the vectors, where the configuration names one.
import type { Engines } from '../config/engines.ts';
import { NO_MODEL } from '../storage/embedding/none.ts';
import type { Embedder } from '../storage/embedding/port.ts';
import type { VectorServer } from '../storage/vectors/servers/port.ts';

/**
 * Undefined where vectors are kept in this process, and where there are none. It connects with the first call. Throws
 * `config_invalid` on an address that is none.
 */
export async function createVectorServer(
  vectors: Engines['vectors'],
  { id: model_id, dimensions }: Pick<Embedder, 'id' | 'dimensions'>,
  store_id: string,
): Promise<VectorServer | undefined> {
  if (vectors.engine === 'embedded' || model_id === NO_MODEL) return undefined;
  if (vectors.engine === 'chroma') {
    const { url, token, tenant, database } = vectors;
    const { createChromaServer } = await import('../storage/vectors/servers/chroma.ts');
    return createChromaServer({ url, token, tenant, database, store_id, model_id, dimensions });
  }
  const { addressOf } = await import('../storage/postgres/pool.ts');
  const { createPgvectorServer } = await import('../storage/vectors/servers/pgvector.ts');
  const { connectionString = vectors.url, ssl } = addressOf(vectors);
  return createPgvectorServer({ url: connectionString, ssl, store_id, model_id, dimensions });
}

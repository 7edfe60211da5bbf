// What an embedding model's vectors are called in another program, and the checks both adapters make of vectors.
import { createHash } from 'node:crypto';
import { failure } from '../../../kernel/errors.ts';
import type { IndexedMemory } from './port.ts';

/** What an index holds: one store's vectors of one model. */
export interface VectorModel {
  /** Of the store: several may share a server, and each has row ids of its own. */
  readonly store_id: string;
  readonly model_id: string;
  readonly dimensions: number;
}

const HASH_CHARS = 16;

/** A name of letters and digits: another store, another model and other dimensions give other names. */
export const modelHash = ({ store_id, model_id, dimensions }: VectorModel): string =>
  createHash('sha256').update(`${store_id}\n${dimensions}\n${model_id}`).digest('hex').slice(0, HASH_CHARS);

/** Throws `internal` where a vector is not of the model's length: servers would answer that in words of their own. */
export const expectDimensions = (
  vector: Float32Array,
  { model_id, dimensions }: Omit<VectorModel, 'store_id'>,
): void => {
  if (vector.length === dimensions) return;
  throw failure(
    'internal',
    `A vector has ${vector.length} dimensions where those of ${model_id} have ${dimensions}.`,
    'Run `haivemind reindex`; it makes the vectors of the configured model again.',
  );
};

/** The memories, the last where one is given twice; servers refuse that. Throws `internal` as `expectDimensions` does. */
export const lastOfEach = (memories: readonly IndexedMemory[], model: VectorModel): IndexedMemory[] => {
  for (const { vectors } of memories) for (const vector of vectors) expectDimensions(vector, model);
  return [...new Map(memories.map((memory) => [memory.row_id, memory])).values()];
};

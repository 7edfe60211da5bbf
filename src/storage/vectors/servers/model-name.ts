// What an embedding model's vectors are called in another program, and the checks both adapters make of vectors.
import { createHash } from 'node:crypto';
import { failure } from '../../../kernel/errors.ts';
import type { IndexedMemory } from './port.ts';

/** The model whose vectors an index holds. */
export interface VectorModel {
  readonly model_id: string;
  readonly dimensions: number;
}

const HASH_CHARS = 16;

/** A name of letters and digits for the vectors of one model: other ids and other dimensions give other names. */
export const modelHash = ({ model_id, dimensions }: VectorModel): string =>
  createHash('sha256').update(`${dimensions}\n${model_id}`).digest('hex').slice(0, HASH_CHARS);

/** Throws `internal` where a vector is not of the model's length: servers would answer that in words of their own. */
export const expectDimensions = (vector: Float32Array, { model_id, dimensions }: VectorModel): void => {
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

// Errors of the memory domain.
import { failure, type HaivemindError } from '../../kernel/errors.ts';

/** A memory that is absent, deleted or not visible: the three are not told apart, so that nothing hidden is revealed. */
export function memoryNotFound(memory_id: string): HaivemindError {
  return failure(
    'not_found',
    `There is no memory ${memory_id}.`,
    'Search for it with search_memories; a deleted one is listed by list_deleted_memories.',
    { details: { memory_id } },
  );
}

export function notChangeable(memory_id: string, reason: string): HaivemindError {
  return failure(
    'forbidden',
    `Memory ${memory_id} is not yours to change. ${reason}`,
    'Ask its owner to change it, or store a memory of your own that supersedes it.',
    { details: { memory_id } },
  );
}

export function versionConflict(memory_id: string, expected: number, found: number): HaivemindError {
  return failure(
    'conflict',
    `Memory ${memory_id} is at version ${found}, not ${expected}: somebody changed it meanwhile.`,
    'Retrieve it again and repeat the change on what it says now.',
    { details: { memory_id, expected_version: expected, version: found } },
  );
}

// Writes vectors that nobody embedded straight into a store, for the bench only.
import type { DatabaseSync } from 'node:sqlite';

export interface PreparedVector {
  readonly row_id: number;
  readonly vector: Uint8Array;
  readonly end_char: number;
  readonly tokens: Uint8Array | null;
}

/** One commit: the vectors, and their memories out of the queue. */
export function insertVectors(raw: DatabaseSync, model_id: string, vectors: readonly PreparedVector[]): void {
  const insert = raw.prepare(
    'insert into memory_vectors (row_id, chunk, model_id, start_char, end_char, vector, tokens) values (?, 0, ?, 0, ?, ?, ?)',
  );
  const done = raw.prepare('delete from memory_vector_queue where row_id = ?');
  raw.exec('begin immediate');
  for (const { row_id, vector, end_char, tokens } of vectors) {
    insert.run(row_id, model_id, end_char, vector, tokens);
    done.run(row_id);
  }
  raw.exec('commit');
}

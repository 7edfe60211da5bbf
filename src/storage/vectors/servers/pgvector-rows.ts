// Memories as rows of the table of vectors, and the statement that writes many of them at once.
import { PAYLOAD_FIELDS, type VectorTable } from './pgvector-table.ts';
import type { IndexedMemory } from './port.ts';

interface ChunkRow {
  readonly row_id: number;
  readonly chunk: number;
  readonly chunks: number;
  readonly revision: string;
  readonly payload: readonly (string | null)[];
  readonly tags: readonly string[];
  readonly vector: string;
}

/** As pgvector reads it. */
export const vectorText = (vector: Float32Array): string => `[${vector.join(',')}]`;

export const rowsOf = (memories: readonly IndexedMemory[]): ChunkRow[] =>
  memories.flatMap(({ row_id, revision, vectors, payload }) =>
    vectors.map((vector, chunk) => ({
      row_id,
      chunk,
      chunks: vectors.length,
      revision,
      payload: PAYLOAD_FIELDS.map((field) => payload[field]),
      tags: payload.tags,
      vector: vectorText(vector),
    })),
  );

const COLUMNS = ['row_id', 'chunk', 'chunks', 'revision', ...PAYLOAD_FIELDS, 'tags', 'embedding'];

/** Columns as arrays: one statement for any number of rows. Tags go as JSON, since arrays within arrays must be even. */
export const insertStatement = ({ name, type }: VectorTable): string => {
  const kinds = ['bigint', 'integer', 'integer', 'text', ...PAYLOAD_FIELDS.map(() => 'text'), 'jsonb', 'text'];
  const arrays = kinds.map((kind, i) => `$${i + 1}::${kind}[]`).join(', ');
  const plain = COLUMNS.slice(0, -2).join(', ');
  const updates = COLUMNS.slice(2).map((column) => `${column} = excluded.${column}`);
  return `insert into ${name} (${COLUMNS.join(', ')})
    select ${plain}, array(select jsonb_array_elements_text(tags)), embedding::${type}
    from unnest(${arrays}) as given (${COLUMNS.join(', ')})
    on conflict (row_id, chunk) do update set ${updates.join(', ')}`;
};

/** The values of `insertStatement`. */
export const columnsOf = (rows: readonly ChunkRow[]): unknown[] => [
  rows.map(({ row_id }) => row_id),
  rows.map(({ chunk }) => chunk),
  rows.map(({ chunks }) => chunks),
  rows.map(({ revision }) => revision),
  ...PAYLOAD_FIELDS.map((_, i) => rows.map(({ payload }) => payload[i])),
  rows.map(({ tags }) => JSON.stringify(tags)),
  rows.map(({ vector }) => vector),
];

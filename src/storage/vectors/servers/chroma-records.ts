// Memories as Chroma's records: one for each chunk, with what filters need as flat metadata.
import { tagKey } from './chroma-where.ts';
import type { IndexedMemory, IndexedRevision } from './port.ts';

/** Null takes a key away: an upsert leaves the keys it does not name. */
export type Metadata = Record<string, string | number | boolean | null>;

export interface ChromaRecord {
  readonly id: string;
  readonly vector: readonly number[];
  readonly metadata: Metadata;
}

/** Seven digits: a unit vector's scores change by less than 1e-6, and its text has half the length. */
const DIGITS = 1e7;

export const recordId = (row_id: number, chunk: number): string => `${row_id}:${chunk}`;

/** Row and chunk of a record's id; undefined where something else wrote the record. */
export const readRecordId = (id: string): { row_id: number; chunk: number } | undefined => {
  const [, row, chunk] = /^(\d{1,15}):(\d{1,9})$/.exec(id) ?? [];
  return row === undefined ? undefined : { row_id: Number(row), chunk: Number(chunk) };
};

/**
 * The records of a memory, the first chunk last: it carries the revision under `head`, so that a memory counts as
 * indexed only when all of it is.
 */
export const recordsOf = ({ row_id, revision, vectors, payload }: IndexedMemory): ChromaRecord[] => {
  const { tags, ...fields } = payload;
  const shared = { ...fields, ...Object.fromEntries(tags.map((tag) => [tagKey(tag), true])) };
  return vectors
    .map((vector, chunk) => ({
      id: recordId(row_id, chunk),
      vector: Array.from(vector, (value) => Math.round(value * DIGITS) / DIGITS),
      metadata: {
        ...shared,
        row_id,
        chunk,
        ...(chunk === 0 ? { head: row_id, revision, chunks: vectors.length } : {}),
      },
    }))
    .reverse();
};

/** The record's metadata, and null for each key that the stored one has besides. */
export const withoutOldKeys = (
  metadata: Metadata,
  old: Readonly<Record<string, unknown>> | null | undefined,
): Metadata => {
  const gone = Object.keys(old ?? {}).filter((key) => !Object.hasOwn(metadata, key));
  return gone.length === 0 ? metadata : { ...metadata, ...Object.fromEntries(gone.map((key) => [key, null])) };
};

/** What a first chunk says of its memory; undefined where it is none of ours. */
export const readHead = (
  metadata: Readonly<Record<string, unknown>> | null | undefined,
): IndexedRevision | undefined => {
  const { head, revision, chunks } = metadata ?? {};
  if (typeof head !== 'number' || typeof revision !== 'string' || typeof chunks !== 'number') return undefined;
  return { row_id: head, revision, chunks };
};

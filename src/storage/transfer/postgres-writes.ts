// Rows into PostgreSQL, many with each statement.
import { textVector } from '../text/postgres/lexemes.ts';
import type { Key, Row } from './port.ts';
import type { TransferClient } from './postgres-client.ts';
import type { CarriedTable } from './registry.ts';
import type { SearchedRow } from './texts.ts';

/** A statement has at most 65,535; more than these make it no faster, and all of them are held at once. */
const PARAMETERS_MAX_COUNT = 4_000;
const TEXTS_AT_ONCE = 100;

export async function writeRows(client: TransferClient, { table }: CarriedTable, rows: readonly Row[]): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const columns = Object.keys(first);
  const names = columns.map((name) => `"${name}"`).join(', ');
  const at_once = Math.max(1, Math.floor(PARAMETERS_MAX_COUNT / columns.length));
  for (let from = 0; from < rows.length; from += at_once) {
    const part = rows.slice(from, from + at_once);
    await client.rows(
      `insert into "${table}" (${names}) values ${tuples(part.length, columns.length)}`,
      part.flatMap((row) => columns.map((column) => parameter(row[column] ?? null))),
    );
  }
}

export async function removeRows(client: TransferClient, table: CarriedTable, keys: readonly Key[]): Promise<void> {
  const names = table.key.map((column) => `"${column}"`).join(', ');
  const at_once = Math.floor(PARAMETERS_MAX_COUNT / table.key.length);
  for (let from = 0; from < keys.length; from += at_once) {
    const part = keys.slice(from, from + at_once);
    await client.rows(
      `delete from "${table.table}" where (${names}) in (${tuples(part.length, table.key.length)})`,
      part.flat(),
    );
  }
}

/** Forgets the words of removed rows and indexes those of living ones. */
export async function writeTexts(
  client: TransferClient,
  removed: readonly Key[],
  living: readonly SearchedRow[],
): Promise<void> {
  if (removed.length > 0)
    await client.rows('delete from memory_texts where row_id = any($1::bigint[])', [removed.map(([id]) => id)]);
  for (let from = 0; from < living.length; from += TEXTS_AT_ONCE)
    await insertTexts(client, living.slice(from, from + TEXTS_AT_ONCE));
}

async function insertTexts(client: TransferClient, living: readonly SearchedRow[]): Promise<void> {
  const vectors = living.map(({ text }) => textVector(text));
  await client.rows(
    `insert into memory_texts (row_id, words, body_length, extra_length)
     select * from unnest($1::bigint[], $2::tsvector[], $3::int[], $4::int[])`,
    [
      living.map(({ row_id }) => row_id),
      vectors.map(({ words }) => words),
      vectors.map(({ body_length }) => body_length),
      vectors.map(({ extra_length }) => extra_length),
    ],
  );
}

function tuples(rows: number, columns: number): string {
  return Array.from(
    { length: rows },
    (_, row) => `(${Array.from({ length: columns }, (__, column) => `$${row * columns + column + 1}`).join(', ')})`,
  ).join(', ');
}

/** A view of bytes would be sent as the whole buffer behind it. */
function parameter(value: Row[string] | null): unknown {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
}

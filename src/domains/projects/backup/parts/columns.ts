// Columns of a table as fields of a record, and back: JSON columns opened, bytes as base64, keys in one order everywhere.
import { z } from 'zod';
import { canonicalJson, type Json, type JsonRecord } from '../canonical.ts';
import { type ColumnKind, FIELDS, JSON_KINDS } from './fields.ts';
import type { Key, Row } from './part.ts';

export type Columns = Readonly<Record<string, ColumnKind>>;

/** A record has these fields and no others. `narrower`: what is known of a field besides its type. */
export function schemaOf(
  columns: Columns,
  narrower: Readonly<Record<string, z.ZodType<Json>>> = {},
): z.ZodType<JsonRecord> {
  const fields = Object.entries(columns).map(([column, kind]) => [column, narrower[column] ?? FIELDS[kind]]);
  return z.strictObject(Object.fromEntries(fields)) as unknown as z.ZodType<JsonRecord>;
}

export function recordOf(columns: Columns, row: Row): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const [column, kind] of Object.entries(columns)) {
    const value = row[column] ?? null;
    if (JSON_KINDS.has(kind)) out[column] = JSON.parse(String(value)) as Json;
    else if (kind === 'bytes') out[column] = Buffer.from(value as Uint8Array).toString('base64');
    else out[column] = value as Json;
  }
  return out;
}

export function rowOf(columns: Columns, record: JsonRecord): Row {
  const out: Row = {};
  for (const [column, kind] of Object.entries(columns)) {
    const value = record[column] ?? null;
    if (JSON_KINDS.has(kind)) out[column] = canonicalJson(value);
    else if (kind === 'bytes') out[column] = Buffer.from(String(value), 'base64');
    else out[column] = value;
  }
  return out;
}

export function keyIn(columns: readonly string[], from: Row | JsonRecord): Key {
  return columns.map((column) => from[column] as string | number);
}

export const keyName = (key: Key): string => JSON.stringify(key);

/** By code units and numbers: the same order on every engine, whatever its collation. */
export function compareKeys(a: Key, b: Key): number {
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a[i] ?? '', b[i] ?? ''];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

export function chunksOf<T>(items: readonly T[], size: number): T[][] {
  const out: T[][] = [];
  for (let start = 0; start < items.length; start += size) out.push(items.slice(start, start + size));
  return out;
}

/** The same but for these fields. */
export function sameBut(ignored: readonly string[], a: JsonRecord, b: JsonRecord): boolean {
  return canonicalJson(without(ignored, a)) === canonicalJson(without(ignored, b));
}

function without(fields: readonly string[], record: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(record).filter(([field]) => !fields.includes(field)));
}

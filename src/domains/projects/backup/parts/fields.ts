// What the fields of a record may hold, wherever the file comes from: no more than the domains themselves could have stored.
import { z } from 'zod';
import { limits } from '../../../../kernel/limits.ts';
import { isOneLine } from '../../../../kernel/text-safety.ts';
import type { Json } from '../canonical.ts';

type Field = z.ZodType<Json>;

/** A text grows where markers stand in for its secrets, after its length was checked. */
const GROWTH = 4;
const COUNT_MAX = 1_000_000_000;

export const text = (max_chars: number): Field => z.string().max(GROWTH * max_chars);

/** One line without control characters. */
export const line = (max_chars: number = limits.name_length_max_chars): Field =>
  z
    .string()
    .min(1)
    .max(GROWTH * max_chars)
    .refine(isOneLine, 'is not one line');

export const between = (min: number, max: number): Field => z.number().int().min(min).max(max);

export const anyCount: Field = z.number().int().min(0);

const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** As every domain writes it: ISO 8601 in UTC, with milliseconds. */
const moment = z.string().refine((at) => MOMENT.test(at) && !Number.isNaN(Date.parse(at)), 'is not a moment');

const object = z
  .record(z.string(), z.json())
  .refine((value) => JSON.stringify(value).length <= 2 * GROWTH * limits.metadata_size_max_bytes, 'is too large');

/** Kinds of columns. A question mark allows null; `json` says nothing yet and has to be narrowed. */
export const FIELDS = {
  text: text(limits.reason_length_max_chars),
  'text?': text(limits.reason_length_max_chars).nullable(),
  line: line(),
  'line?': line().nullable(),
  moment,
  'moment?': moment.nullable(),
  scope: z.enum(['solo', 'team', 'shared']),
  version: between(1, COUNT_MAX),
  integer: between(0, COUNT_MAX),
  'integer?': between(0, COUNT_MAX).nullable(),
  real: z.number(),
  json: z.json() as Field,
  tags: z.array(line(limits.tag_length_max_chars)).max(GROWTH * limits.tags_max_count),
  object: object as Field,
  bytes: z.base64().max(4 * limits.vault_value_max_bytes),
} as const satisfies Readonly<Record<string, Field>>;

export type ColumnKind = keyof typeof FIELDS;

/** Kinds that are JSON in their column. */
export const JSON_KINDS: ReadonlySet<ColumnKind> = new Set(['json', 'tags', 'object']);

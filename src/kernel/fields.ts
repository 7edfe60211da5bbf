// Input fields that many operations share: ids, names, tags, times, pages. One meaning, one bound, one description.
import { z } from 'zod';
import { ID_PATTERN } from './ids.ts';
import { limits } from './limits.ts';
import { parseMoment } from './moments.ts';
import { isOneLine } from './text-safety.ts';

const oneLine = (max: number) =>
  z.string().trim().min(1).max(max).refine(isOneLine, 'must be one line without control characters');

export const idField = (what: string) =>
  z
    .string()
    .max(limits.id_length_max_chars)
    .regex(ID_PATTERN, 'is not an id: letters, digits and . _ : @ / - only')
    .describe(what);

export const nameField = (what: string) => oneLine(limits.name_length_max_chars).describe(what);

/** Tags as a list, or as one comma-separated text. Trimmed, lower-cased, without repeats. */
export const tagsField = (what: string) =>
  z
    .union([z.array(z.string()).max(limits.tags_max_count, `at most ${limits.tags_max_count} tags`), z.string()])
    .transform((value) => normaliseTags(value))
    .pipe(
      z.array(oneLine(limits.tag_length_max_chars)).max(limits.tags_max_count, `at most ${limits.tags_max_count} tags`),
    )
    .describe(what);

function normaliseTags(value: string | readonly string[]): string[] {
  const list = typeof value === 'string' ? value.split(',') : value;
  return [...new Set(list.map((tag) => tag.trim().toLowerCase()).filter((tag) => tag !== ''))];
}

/** A list of names, or one name. */
export const namesField = (what: string) =>
  z
    .union([
      z.array(oneLine(limits.name_length_max_chars)).max(limits.tags_max_count),
      oneLine(limits.name_length_max_chars),
    ])
    .transform((value) => (typeof value === 'string' ? [value] : value))
    .describe(what);

/** A moment: ISO 8601 date or time; without an offset it is UTC. Comes out as ISO 8601 with milliseconds. */
export const timeField = (what: string) =>
  z
    .string()
    .max(40)
    .transform((text, ctx) => {
      const parsed = parseMoment(text);
      if (parsed === undefined) ctx.addIssue({ code: 'custom', message: 'is not an ISO 8601 date or time' });
      return parsed ?? '';
    })
    .describe(what);

/** A moment, or a span back from now such as `7d`, `12h`, `30m`. Resolved by the service, which has the clock. */
export const sinceField = (what: string) =>
  z
    .string()
    .max(40)
    .refine(
      (text) => /^\d+\s*[smhdw]$/i.test(text.trim()) || parseMoment(text) !== undefined,
      'is neither a span (7d, 12h) nor an ISO 8601 time',
    )
    .describe(what);

export const metadataField = (what: string) =>
  z
    .record(z.string(), z.json())
    .refine(
      (value) => Buffer.byteLength(JSON.stringify(value)) <= limits.metadata_size_max_bytes,
      `is larger than ${limits.metadata_size_max_bytes} bytes as JSON`,
    )
    .describe(what);

export const limitField = (fallback: number = limits.page_default_items, max: number = limits.page_max_items) =>
  z.number().int().min(1).max(max).default(fallback).describe('How many at most.');

export const cursorField = z.string().max(500).optional().describe('next_cursor of the previous page.');

export const nextCursorField = z.string().nullable().describe('Pass as cursor for the next page; null at the end.');

/** Marks a field in a schema; see `unlisted`. */
export const UNLISTED = 'unlisted';

/**
 * A field that is seldom needed: models do not carry it in every conversation. It is in docs/tools.md, OpenAPI, the
 * command line and the answer of search_tools, and is taken from everybody.
 */
export function unlisted<T extends z.ZodType>(field: T): T {
  return field.meta({ ...field.meta(), [UNLISTED]: true }) as T;
}

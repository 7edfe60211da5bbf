// Parser of records: inputs of store_memory, exported memories, and notes of other tools with similar fields.
import { limits } from '../../../kernel/limits.ts';
import type { ParseContext } from './context.ts';
import { EXTRA_FIELDS, ITEM_FIELD_NAMES, isCategory, tagList } from './fields.ts';
import { digestOf, externalId, isUsableId, partId, sessionIdOf } from './ids.ts';
import type { ValueParser } from './parser.ts';
import { projectOf, tagsOf } from './session.ts';
import { firstText, isRecord, type JsonRecord, momentOf, textOf } from './shapes.ts';
import { splitText, storableText } from './text.ts';
import type { ImportItem, ParsedEvent } from './types.ts';

/** Where notes of other tools keep their text, in this order. */
const CONTENT_FIELDS = ['content', 'text', 'body', 'memory', 'note'] as const;

/** Fields that become fields of the item. */
const ITEM_FIELDS = new Set<string>([...CONTENT_FIELDS, 'metadata', ...ITEM_FIELD_NAMES]);

export function recordsParser(ctx: ParseContext): ValueParser {
  return {
    format: 'records',
    accepts: (value) => CONTENT_FIELDS.some((field) => field in value),
    take: (value) => takeRecord(ctx, value),
    end: () => [],
  };
}

async function* takeRecord(ctx: ParseContext, record: JsonRecord): AsyncGenerator<ParsedEvent> {
  const raw = firstText(...CONTENT_FIELDS.map((field) => record[field]));
  if (raw === undefined || raw.trim() === '') {
    yield ctx.problem('no_content', 'a record without text in `content`');
    return;
  }
  const metadata = recordMetadata(record);
  const tooMuch = JSON.stringify(metadata).length > limits.metadata_size_max_bytes ? ['metadata'] : [];
  for (const field of [...invalidFields(record), ...tooMuch])
    yield ctx.problem('invalid_field', `\`${field}\` is not valid and was left out`);
  const safe = await ctx.safe(withHeading(record, raw), storableText);
  const isWhole = safe.text.length <= limits.content_length_max_chars;
  const parts = isWhole ? [safe.text] : splitText(safe.text, limits.content_length_max_chars);
  const id = recordId(record, safe.text);
  const extra = pick(record, (key) => EXTRA_FIELDS.has(key));
  const base = {
    ...placement(ctx, record),
    metadata: tooMuch.length > 0 ? {} : metadata,
    source: textOf(record.source) ?? 'records',
    ...(safe.kinds.length > 0 ? { redactions: safe.kinds } : {}),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
  for (const [index, content] of parts.entries()) {
    yield { type: 'item', item: { external_id: partId(id, index), content, ...base } };
  }
}

/** A title or a speaker that stands apart from the text is part of what has to be found. */
function withHeading(record: JsonRecord, text: string): string {
  const speaker = textOf(record.speaker);
  if (speaker !== undefined && textOf(record.content) === undefined) return `${speaker}: ${text}`;
  const title = textOf(record.title);
  const isApart = title !== undefined && !text.toLowerCase().startsWith(title.toLowerCase());
  return isApart && textOf(record.content) === undefined ? `${title}\n${text}` : text;
}

/** A record that names itself keeps its id; another gets one from everything that tells it from its neighbours. */
function recordId(record: JsonRecord, content: string): string {
  const own = textOf(record.external_id);
  if (own !== undefined) return isUsableId(own, 0) ? own : externalId('records', own);
  const memoryId = textOf(record.memory_id);
  if (memoryId !== undefined) return externalId('memory', memoryId);
  const named = firstText(record.id, record._id, record.uuid);
  const place = [record.project, record.project_id, record.session_id, record.sequence, record.occurred_at];
  return externalId('records', digestOf(content, named, JSON.stringify(place)));
}

/** Category, context, tags, session, time and project: everything but text and metadata. */
function placement(
  ctx: ParseContext,
  record: JsonRecord,
): Omit<ImportItem, 'external_id' | 'content' | 'metadata' | 'source'> {
  const category = textOf(record.category);
  const isKnown = category !== undefined && isCategory(category);
  const context = textOf(record.context);
  const sessionId = textOf(record.session_id);
  const sequence = record.sequence;
  const occurredAt = momentOf(record.occurred_at);
  const own = category === undefined || isKnown ? tagList(record.tags) : [...tagList(record.tags), category];
  return {
    category: ctx.options.category ?? (isKnown ? category : 'global'),
    tags: tagsOf(ctx, own),
    ...(context === undefined ? {} : { context: context.slice(0, limits.context_length_max_chars) }),
    ...(sessionId === undefined ? {} : { session_id: sessionIdOf(sessionId) }),
    ...(typeof sequence === 'number' && Number.isSafeInteger(sequence) && sequence >= 0 ? { sequence } : {}),
    ...(occurredAt === undefined ? {} : { occurred_at: occurredAt }),
    ...projectOf(ctx, firstText(record.project, record.project_id)),
  };
}

/** The record's metadata, and the fields nobody else knows, so that they are kept. */
function recordMetadata(record: JsonRecord): Record<string, unknown> {
  const others = pick(record, (key) => !ITEM_FIELDS.has(key) && !EXTRA_FIELDS.has(key));
  const own = isRecord(record.metadata) ? record.metadata : {};
  return { ...others, ...own };
}

function pick(record: JsonRecord, wanted: (key: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => wanted(key)));
}

function invalidFields(record: JsonRecord): string[] {
  const checks: readonly [string, (value: unknown) => boolean][] = [
    ['category', (value) => typeof value === 'string'],
    ['tags', (value) => typeof value === 'string' || Array.isArray(value)],
    ['metadata', isRecord],
    ['context', (value) => typeof value === 'string'],
    ['session_id', (value) => typeof value === 'string'],
    ['sequence', (value) => Number.isSafeInteger(value) && Number(value) >= 0],
    ['occurred_at', (value) => momentOf(value) !== undefined],
  ];
  return checks
    .filter(([field, ok]) => record[field] !== undefined && record[field] !== null && !ok(record[field]))
    .map(([field]) => field);
}

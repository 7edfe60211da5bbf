// Parser of Markdown documents: front matter to fields and metadata, long documents to sections of one session.
import { basename, extname } from 'node:path';
import { limits } from '../../../kernel/limits.ts';
import { importBounds } from './bounds.ts';
import type { ParseContext } from './context.ts';
import { EXTRA_FIELDS, ITEM_FIELD_NAMES, isCategory, tagList } from './fields.ts';
import { readFrontMatter } from './front-matter.ts';
import { digestOf, externalId, isUsableId, partId } from './ids.ts';
import { splitMemories } from './memory-mark.ts';
import { firstTitle, type Section, splitSections } from './sections.ts';
import { projectOf, tagsOf } from './session.ts';
import { firstText, isRecord, type JsonRecord, momentOf } from './shapes.ts';
import { cleanText, oneLine, shorten } from './text.ts';
import type { ImportItem, ParsedEvent } from './types.ts';

export interface MarkdownSource {
  /** What tells this document from all others: its real path, or its text where it has none. */
  readonly identity: string;
  /** The path a person knows it by, relative to the imported folder. */
  readonly path: string;
}

/** Fields of the front matter that become fields of the item; the others become metadata. */
const ITEM_FIELDS = new Set<string>(['title', ...ITEM_FIELD_NAMES]);

/** Parses one document, or each memory of a file to which many were exported. */
export async function* parseMarkdown(
  ctx: ParseContext,
  raw: string,
  source: MarkdownSource,
): AsyncGenerator<ParsedEvent> {
  const text = cleanText(raw);
  const memories = splitMemories(text);
  if (memories === undefined) yield* parseDocument(ctx, text, source);
  else for (const memory of memories) yield* parseDocument(ctx, memory, { ...source, identity: digestOf(memory) });
}

async function* parseDocument(ctx: ParseContext, text: string, source: MarkdownSource): AsyncGenerator<ParsedEvent> {
  const { fields, body, isInvalid } = readFrontMatter(text);
  if (isInvalid) yield ctx.problem('invalid_front_matter', 'the front matter is no YAML mapping; it was kept as text');
  const safe = await ctx.safe(body);
  const named = firstText(fields.title, firstTitle(safe.text), basename(source.path, extname(source.path)));
  const title = shorten(oneLine(named ?? 'Untitled'), importBounds.title_length_max_chars);
  if (safe.text === '') {
    yield ctx.problem('no_content', 'a document without text');
    return;
  }
  const own = firstText(fields.external_id);
  const id =
    own !== undefined && isUsableId(own, isExported(fields) ? 0 : undefined) ? own : documentId(fields, source);
  const kinds = safe.kinds.length > 0 ? { redactions: safe.kinds } : {};
  const base = { ...(await documentFields(ctx, fields, source, title)), ...kinds };
  if (safe.text.length <= importBounds.section_length_max_chars || isExported(fields)) {
    yield { type: 'item', item: { external_id: id, content: withTitle(title, safe.text, fields), ...base } };
    return;
  }
  const sections = splitSections(safe.text, importBounds.section_length_max_chars);
  for (const [sequence, item] of sectionItems(id, title, sections).entries()) {
    yield { type: 'item', item: { ...base, ...item, session_id: id, sequence } };
  }
}

function documentId(fields: JsonRecord, source: MarkdownSource): string {
  const memoryId = firstText(fields.memory_id);
  return memoryId === undefined ? externalId('markdown', digestOf(source.identity)) : externalId('memory', memoryId);
}

/** Written by the exporter: the body is the memory's content. */
function isExported(fields: JsonRecord): boolean {
  return fields.memory_id !== undefined;
}

/** A title that the text does not show is put above it; an exported memory is kept to the letter. */
function withTitle(title: string, text: string, fields: JsonRecord): string {
  return isExported(fields) || firstTitle(text) !== undefined || fields.title === undefined
    ? text
    : `# ${title}\n\n${text}`;
}

/** The first section keeps the document's id, so that a document which grows over the bound leaves no twin behind. */
function sectionItems(
  id: string,
  title: string,
  sections: readonly Section[],
): Pick<ImportItem, 'external_id' | 'content'>[] {
  const seen = new Map<string, number>();
  return sections.map(({ heading, text }, index) => {
    const times = seen.get(heading) ?? 0;
    seen.set(heading, times + 1);
    const sectionId = index === 0 ? id : partId(externalId(id, digestOf(heading).slice(0, 12)), times);
    const label = heading.startsWith(title) || heading === '' ? heading || title : `${title} > ${heading}`;
    return { external_id: sectionId, content: `${label}\n\n${text}` };
  });
}

async function documentFields(ctx: ParseContext, fields: JsonRecord, source: MarkdownSource, title: string) {
  const category = firstText(fields.category);
  const folders = source.path.toLowerCase().split(/[\\/]/).slice(0, -1);
  const known = category !== undefined && isCategory(category) ? category : folders.findLast(isCategory);
  const others = Object.entries(fields).filter(([key]) => !ITEM_FIELDS.has(key) && !EXTRA_FIELDS.has(key));
  const extra = Object.fromEntries(Object.entries(fields).filter(([key]) => EXTRA_FIELDS.has(key)));
  const occurredAt = momentOf(fields.occurred_at) ?? momentOf(fields.date) ?? momentOf(fields.created);
  const context = firstText(fields.context);
  const sessionId = firstText(fields.session_id);
  const sequence = fields.sequence;
  const own = fields.metadata;
  const metadata =
    isExported(fields) && isRecord(own) ? own : { ...Object.fromEntries(others), title, path: source.path };
  const isTooMuch = JSON.stringify(metadata).length > limits.metadata_size_max_bytes;
  return {
    category: ctx.options.category ?? known ?? (ctx.options.project === undefined ? 'global' : 'project'),
    tags: tagsOf(ctx, [
      ...tagList(fields.tags),
      ...(category !== undefined && !isCategory(category) ? [category] : []),
    ]),
    metadata: isTooMuch ? { title, path: source.path } : metadata,
    ...(context === undefined
      ? {}
      : { context: (await ctx.safe(context)).text.slice(0, limits.context_length_max_chars) }),
    ...(sessionId !== undefined && isUsableId(sessionId, 0) ? { session_id: sessionId } : {}),
    ...(typeof sequence === 'number' && Number.isSafeInteger(sequence) && sequence >= 0 ? { sequence } : {}),
    ...(occurredAt === undefined ? {} : { occurred_at: occurredAt }),
    ...projectOf(ctx, firstText(fields.project, fields.project_id)),
    source: firstText(fields.source) ?? `markdown:${source.path}`,
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

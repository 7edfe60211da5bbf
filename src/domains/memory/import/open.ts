// The door of the importers: opens a path or a stream, finds out what it is, and gives one stream of events.
import { stat } from 'node:fs/promises';
import { entriesOf } from './archive.ts';
import { importBounds } from './bounds.ts';
import { createParseContext, type ParseContext } from './context.ts';
import { detectFormat, headText } from './detect.ts';
import { type FileProblem, fileAt, filesBelow, type SourceFile } from './files.ts';
import { digestOf } from './ids.ts';
import { jsonArrayValues, jsonLineValues, parseJson } from './json-values.ts';
import { type Chunk, decodeText, readLines } from './lines.ts';
import { parseMarkdown } from './markdown.ts';
import { parseValues } from './router.ts';
import { createTally, type Tally } from './tally.ts';
import { parseTranscript } from './transcript.ts';
import type { DetectedFormat, ImportEvent, ImportOptions, ParsedEvent } from './types.ts';

/**
 * Reads conversations, records or documents from a path (file, folder, zip archive) or a stream of bytes or text.
 *
 * Malformed content never throws: it comes as `problem` events and reading goes on where it can. The last event is
 * always `done`. An aborted `options.signal` throws its reason.
 */
export async function* openImport(
  source: string | AsyncIterable<Chunk>,
  options: ImportOptions = {},
): AsyncGenerator<ImportEvent> {
  const ctx = createParseContext(options);
  const tally = createTally(ctx);
  for await (const file of sourceFiles(source, options)) {
    ctx.cursor.bytes = 0;
    ctx.cursor.line = undefined;
    ctx.cursor.path = file.path;
    const events = 'code' in file ? [ctx.problem(file.code, file.message)] : fileEvents(ctx, tally, file);
    for await (const event of events) {
      options.signal?.throwIfAborted();
      yield* tally.note(event);
    }
    tally.closeFile();
  }
  yield { type: 'done', counts: tally.counts() };
}

/** A text in memory as a source. */
export async function* textSource(text: string): AsyncGenerator<Chunk> {
  yield text;
}

async function* sourceFiles(
  source: string | AsyncIterable<Chunk>,
  options: ImportOptions,
): AsyncGenerator<SourceFile | FileProblem> {
  if (typeof source !== 'string') {
    yield { path: undefined, name: options.name ?? '', identity: options.name, open: () => source };
    return;
  }
  try {
    if ((await stat(source)).isDirectory()) yield* filesBelow(source);
    else yield await fileAt(source);
  } catch (error) {
    yield { code: 'unreadable', message: unreadableMessage(error), path: source };
  }
}

/** The events of one file; whatever breaks while reading it is a problem of this file alone. */
async function* fileEvents(ctx: ParseContext, tally: Tally, file: SourceFile): AsyncGenerator<ParsedEvent> {
  try {
    const { head, chunks } = await peek(counted(ctx, file.open()));
    const detected = detectFormat(head, file.name);
    if (detected === 'zip') {
      for await (const _rest of chunks) break;
      yield* archiveEvents(ctx, tally, file);
    } else if (detected === undefined) yield ctx.problem('no_content', 'the source is empty');
    else yield* contentEvents(ctx, file, head, chunks, detected);
  } catch (error) {
    ctx.options.signal?.throwIfAborted();
    yield ctx.problem('unreadable', unreadableMessage(error));
  }
}

async function* archiveEvents(ctx: ParseContext, tally: Tally, file: SourceFile): AsyncGenerator<ParsedEvent> {
  if (file.identity === undefined) {
    yield ctx.problem('unreadable', 'a zip archive can only be read from a path, not from a stream');
    return;
  }
  for await (const entry of entriesOf(file.identity)) {
    tally.closeFile();
    ctx.cursor.bytes = 0;
    ctx.cursor.line = undefined;
    ctx.cursor.path = entry.path;
    if ('code' in entry) yield ctx.problem(entry.code, entry.message);
    else yield* fileEvents(ctx, tally, entry);
  }
}

function contentEvents(
  ctx: ParseContext,
  file: SourceFile,
  head: Uint8Array | string,
  chunks: AsyncIterable<Chunk>,
  detected: DetectedFormat,
): AsyncIterable<ParsedEvent> {
  const forced = ctx.options.format;
  if (forced === 'markdown' || (forced === undefined && detected === 'markdown'))
    return documentEvents(ctx, file, chunks);
  const isText = detected === 'markdown' || detected === 'transcript';
  if (forced === 'transcript' || (forced === undefined && detected === 'transcript')) {
    return parseTranscript(ctx, plainLines(ctx, chunks), headText(head));
  }
  if (headText(head).trimStart().startsWith('[')) return parseValues(ctx, jsonArrayValues(ctx, chunks));
  if (detected === 'json' && !isText) return parseValues(ctx, wholeValue(ctx, chunks));
  return parseValues(ctx, jsonLineValues(ctx, chunks));
}

async function* documentEvents(
  ctx: ParseContext,
  file: SourceFile,
  chunks: AsyncIterable<Chunk>,
): AsyncGenerator<ParsedEvent> {
  const text = await wholeText(chunks, importBounds.markdown_size_max_chars);
  if (text === undefined) {
    const max = importBounds.markdown_size_max_chars;
    yield ctx.problem('too_large', `a document of more than ${max} characters; split it into files`);
    return;
  }
  const path = file.path ?? (file.name === '' ? 'text' : file.name);
  yield* parseMarkdown(ctx, text, { identity: file.identity ?? digestOf(text), path });
}

async function* wholeValue(ctx: ParseContext, chunks: AsyncIterable<Chunk>) {
  const text = await wholeText(chunks, importBounds.document_size_max_chars);
  const max = importBounds.document_size_max_chars;
  yield text === undefined
    ? { problem: ctx.problem('too_large', `a JSON document of more than ${max} characters; give an array or JSONL`) }
    : parseJson(ctx, text);
}

async function* plainLines(ctx: ParseContext, chunks: AsyncIterable<Chunk>): AsyncGenerator<string> {
  for await (const line of readLines(decodeText(chunks), ctx.cursor)) yield line.text;
}

async function wholeText(chunks: AsyncIterable<Chunk>, max: number): Promise<string | undefined> {
  const parts: string[] = [];
  let length = 0;
  for await (const text of decodeText(chunks)) {
    length += text.length;
    if (length > max) return undefined;
    parts.push(text);
  }
  return parts.join('');
}

/** Counts what is read, for positions and progress. */
async function* counted(ctx: ParseContext, chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) {
    ctx.options.signal?.throwIfAborted();
    ctx.cursor.bytes += typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length;
    yield chunk;
  }
}

/** The first bytes of a stream, and the whole stream. */
async function peek(
  chunks: AsyncGenerator<Chunk>,
): Promise<{ head: Uint8Array | string; chunks: AsyncGenerator<Chunk> }> {
  const read: Chunk[] = [];
  let size = 0;
  while (size < importBounds.head_size_max_bytes) {
    const next = await chunks.next();
    if (next.done) break;
    read.push(next.value);
    size += next.value.length;
  }
  const whole = joinHead(read);
  // Decoders look for a byte order mark in the first chunk, so that must not be a single byte.
  return { head: whole.slice(0, importBounds.head_size_max_bytes), chunks: joined([whole], chunks) };
}

function joinHead(read: readonly Chunk[]): Uint8Array | string {
  const bytes = read.filter((chunk) => typeof chunk !== 'string');
  if (bytes.length === read.length) return Buffer.concat(bytes);
  const decoder = new TextDecoder();
  return read.map((chunk) => (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).join('');
}

async function* joined(read: readonly Chunk[], rest: AsyncGenerator<Chunk>): AsyncGenerator<Chunk> {
  yield* read;
  yield* rest;
}

function unreadableMessage(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === 'ENOENT') return 'there is no such file or folder';
  if (code === 'EACCES' || code === 'EPERM') return 'the file may not be read by this user';
  return code === undefined ? 'the content cannot be read' : `the content cannot be read (${code})`;
}

// JSON values out of the two containers: one a line, or the elements of one big array, each with a bounded size and depth.
import { Tokenizer, TokenParser, TokenType } from '@streamparser/json';
import { jsonDepthExceeds } from '../../../kernel/text-safety.ts';
import { importBounds } from './bounds.ts';
import type { ParseContext } from './context.ts';
import { type Chunk, decodeText, encodingOf, readLines } from './lines.ts';
import type { ImportProblem } from './types.ts';

export type JsonValue = { readonly value: unknown } | { readonly problem: ImportProblem };

/** One value a line. Empty lines are no values; a line that is no JSON is a problem and reading goes on. */
export async function* jsonLineValues(ctx: ParseContext, chunks: AsyncIterable<Chunk>): AsyncGenerator<JsonValue> {
  for await (const { text, isTooLong } of readLines(decodeText(chunks), ctx.cursor)) {
    if (isTooLong) {
      const max = importBounds.line_length_max_chars;
      yield { problem: ctx.problem('line_too_long', `a line of more than ${max} characters was skipped`) };
    } else if (text.trim() !== '') yield parseJson(ctx, text);
  }
}

/** Parses one text; its depth is bounded before anything walks over the value. */
export function parseJson(ctx: ParseContext, text: string): JsonValue {
  const depth = importBounds.json_depth_max_levels;
  if (jsonDepthExceeds(text, depth)) {
    return { problem: ctx.problem('too_deep', `JSON nested deeper than ${depth} levels was skipped`) };
  }
  try {
    return { value: JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text) };
  } catch {
    return { problem: ctx.problem('invalid_json', 'not valid JSON') };
  }
}

/**
 * The elements of a JSON array, one after the other, as a streaming parser finds them; the array itself is never whole
 * in memory. A syntax error ends the array: what came before it has been given.
 */
export async function* jsonArrayValues(ctx: ParseContext, chunks: AsyncIterable<Chunk>): AsyncGenerator<JsonValue> {
  const found: unknown[] = [];
  const reader = createArrayReader((value) => found.push(value));
  ctx.cursor.line = 0;
  let sizeSinceValue = 0;
  let failure: ImportProblem | undefined;
  for await (const chunk of asUtf8(chunks)) {
    try {
      reader.write(chunk);
    } catch (error) {
      failure = arrayProblem(ctx, error);
    }
    sizeSinceValue = found.length > 0 ? 0 : sizeSinceValue + chunk.length;
    for (const value of found.splice(0)) {
      ctx.cursor.line++;
      yield { value };
    }
    if (sizeSinceValue > importBounds.entry_size_max_bytes) {
      failure ??= ctx.problem(
        'too_large',
        `an entry of more than ${importBounds.entry_size_max_bytes} bytes; reading stopped`,
      );
    }
    if (failure) break;
  }
  if (failure === undefined && !reader.isComplete()) {
    failure = ctx.problem('invalid_json', 'the JSON array ends before its closing bracket; what came before was read');
  }
  if (failure) yield { problem: failure };
}

class DepthError extends Error {}

function createArrayReader(onValue: (value: unknown) => void) {
  const tokenizer = new Tokenizer();
  const builder = new TokenParser({ paths: ['$.*'], keepStack: false });
  let depth = 0;
  let isComplete = false;
  builder.onValue = ({ value }) => onValue(value);
  builder.onEnd = () => {
    isComplete = true;
  };
  tokenizer.onToken = (token) => {
    if (token.token === TokenType.LEFT_BRACE || token.token === TokenType.LEFT_BRACKET) depth++;
    else if (token.token === TokenType.RIGHT_BRACE || token.token === TokenType.RIGHT_BRACKET) depth--;
    if (depth > importBounds.json_depth_max_levels) throw new DepthError();
    builder.write(token);
  };
  return {
    // What follows the array is no part of it: white space, or bytes nobody needs.
    write: (chunk: Uint8Array) => (isComplete ? undefined : tokenizer.write(chunk)),
    isComplete: () => isComplete,
  };
}

function arrayProblem(ctx: ParseContext, error: unknown): ImportProblem {
  if (error instanceof DepthError) {
    return ctx.problem(
      'too_deep',
      `JSON nested deeper than ${importBounds.json_depth_max_levels} levels; reading stopped`,
    );
  }
  return ctx.problem('invalid_json', 'not valid JSON from here on; what came before was read');
}

/** The parser reads UTF-8 bytes without a byte order mark. */
async function* asUtf8(chunks: AsyncIterable<Chunk>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let isFirst = true;
  let isUtf16 = false;
  const source = chunks[Symbol.asyncIterator]();
  for (let next = await source.next(); !next.done; next = await source.next()) {
    const chunk = next.value;
    if (isFirst && typeof chunk !== 'string') isUtf16 = encodingOf(chunk) !== 'utf-8';
    if (isUtf16) {
      const first = chunk;
      for await (const text of decodeText(chained(first, source))) yield encoder.encode(text);
      return;
    }
    const bytes = typeof chunk === 'string' ? encoder.encode(chunk) : chunk;
    const hasMark = isFirst && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    isFirst = false;
    yield hasMark ? bytes.subarray(3) : bytes;
  }
}

async function* chained(first: Chunk, rest: AsyncIterator<Chunk>): AsyncGenerator<Chunk> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

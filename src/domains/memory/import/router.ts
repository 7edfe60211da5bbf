// Hands each JSON value to the parser of its shape, so that a file may be named or mixed however it likes.
import { chatgptParser } from './chatgpt.ts';
import { claudeAiParser } from './claude-ai.ts';
import { claudeCodeParser } from './claude-code.ts';
import type { ParseContext } from './context.ts';
import type { JsonValue } from './json-values.ts';
import { messageListParser, messagesParser } from './messages.ts';
import type { ValueParser } from './parser.ts';
import { recordsParser } from './records.ts';
import { isRecord, type JsonRecord, listOf } from './shapes.ts';
import type { ParsedEvent } from './types.ts';

/** Fields under which documents wrap the list that matters. */
const WRAPPERS = ['conversations', 'memories', 'items', 'results'] as const;

/** Parses all values of one file. Values of no known shape are reported, one by one. */
export async function* parseValues(ctx: ParseContext, values: AsyncIterable<JsonValue>): AsyncGenerator<ParsedEvent> {
  const { format } = ctx.options;
  // The order matters: session lines and exports hold fields of simpler shapes as well.
  const parsers = [claudeCodeParser, chatgptParser, claudeAiParser, messageListParser, messagesParser, recordsParser]
    .map((create) => create(ctx))
    .filter((parser) => format === undefined || parser.format === format);
  for await (const found of values) {
    if ('problem' in found) {
      yield found.problem;
      continue;
    }
    for (const value of unwrapped(found.value)) yield* parseValue(ctx, parsers, value);
  }
  for (const parser of parsers) yield* parser.end();
}

async function* parseValue(
  ctx: ParseContext,
  parsers: readonly ValueParser[],
  value: unknown,
): AsyncGenerator<ParsedEvent> {
  if (!isRecord(value)) {
    yield ctx.problem('unknown_shape', 'a JSON value that is no object');
    return;
  }
  const parser = parsers.find((candidate) => candidate.accepts(value));
  if (parser) yield* parser.take(value);
  else yield ctx.problem('unknown_shape', shapeMessage(ctx, value));
}

function shapeMessage(ctx: ParseContext, value: JsonRecord): string {
  const wanted = ctx.options.format === undefined ? 'no known format' : `not the format ${ctx.options.format}`;
  return `an object with ${Object.keys(value).length} fields has ${wanted}; a memory needs \`content\``;
}

/** A document that wraps its list gives the list's elements. */
function unwrapped(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (!isRecord(value)) return [value];
  const wrapper = WRAPPERS.find((field) => listOf(value[field]).some(isRecord));
  return wrapper === undefined ? [value] : listOf(value[wrapper]);
}

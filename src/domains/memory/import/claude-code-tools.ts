// Tool calls of a session as one short line each: what was run, and what came of it. Errors are kept longer than results.
import { importBounds } from './bounds.ts';
import type { ParseContext, SafeText } from './context.ts';
import { firstText, isRecord, type JsonRecord, listOf, recordOf, textOf } from './shapes.ts';
import { oneLine, shorten } from './text.ts';

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly input: JsonRecord;
  result?: { readonly text: string; readonly isError: boolean };
}

/** Fields that say best what a call is about, in this order. */
const TELLING_FIELDS = [
  'command',
  'file_path',
  'notebook_path',
  'pattern',
  'query',
  'url',
  'prompt',
  'path',
  'description',
];

/** The text of a tool result: a string, or blocks of which images are only named. */
export function resultText(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((block) => (isRecord(block) ? (textOf(block.text) ?? `[${textOf(block.type) ?? 'data'}]`) : ''))
    .filter((text) => text !== '')
    .join('\n');
}

/**
 * The calls of one turn, a line each: `- Bash: kubectl get pods (List pods): 3 running`. Failures say more than
 * successes, so they are the last to be left out where there are too many.
 */
export async function toolLines(ctx: ParseContext, calls: readonly ToolCall[]): Promise<ToolLines> {
  if (calls.length === 0) return { lines: [], kinds: [] };
  const max = importBounds.tool_calls_per_turn_max_count;
  const kept = new Set([...calls.filter((call) => call.result?.isError), ...calls].slice(0, max));
  const lines = ['Tools:'];
  const kinds: string[] = [];
  for (const call of kept.size < calls.length ? calls.filter((each) => kept.has(each)) : calls) {
    const line = await toolLine(ctx, call);
    lines.push(line.text);
    kinds.push(...line.kinds);
  }
  const left = calls.length - (lines.length - 1);
  if (left > 0) lines.push(`- and ${left} more calls`);
  return { lines, kinds };
}

export interface ToolLines {
  readonly lines: readonly string[];
  /** Kinds of secrets replaced in them. */
  readonly kinds: readonly string[];
}

async function toolLine(ctx: ParseContext, call: ToolCall): Promise<SafeText> {
  const input = await ctx.safe(describeInput(call));
  const head = `- ${oneLine(call.name)}: ${shorten(oneLine(input.text), importBounds.tool_input_length_max_chars)}`;
  if (call.result === undefined) return { text: head, kinds: input.kinds };
  const result = await ctx.safe(call.result.text);
  const kinds = [...input.kinds, ...result.kinds];
  if (call.result.isError) {
    const error = shorten(oneLine(result.text), importBounds.tool_error_length_max_chars);
    return { text: `${head}: ${/^error\b/i.test(error) ? '' : 'ERROR: '}${error}`, kinds };
  }
  const outcome = shorten(oneLine(result.text), importBounds.tool_result_length_max_chars);
  return { text: outcome === '' ? head : `${head}: ${outcome}`, kinds };
}

function describeInput(call: ToolCall): string {
  const { input } = call;
  const main = TELLING_FIELDS.map((field) => textOf(input[field])).find((text) => text !== undefined);
  const change = changeOf(input);
  if (main !== undefined) {
    const description = textOf(input.description);
    const note = description !== undefined && description !== main ? ` (${description})` : '';
    const path = textOf(input.path);
    const where = path !== undefined && path !== main ? ` in ${path}` : '';
    return `${main}${where}${note}${change}`;
  }
  const fields = Object.entries(input).filter(([, value]) => typeof value !== 'object');
  return fields.map(([key, value]) => `${key}=${String(value)}`).join(' ');
}

/** What an edit put in place of what. */
function changeOf(input: JsonRecord): string {
  const edits = [input, ...listOf(input.edits).map(recordOf)];
  return edits
    .map((edit) => ({ before: textOf(edit.old_string), after: firstText(edit.new_string) }))
    .filter(({ before, after }) => before !== undefined || after !== undefined)
    .map(({ before = '', after = '' }) => ` "${oneLine(before)}" -> "${oneLine(after)}"`)
    .join(';');
}

// One chain of messages of a session, the main one or a sub-agent's: joins split messages and gathers tool calls.
import { importBounds } from './bounds.ts';
import { resultText, type ToolCall, toolLines } from './claude-code-tools.ts';
import type { ParseContext } from './context.ts';
import type { SessionWriter, Turn } from './session.ts';
import { type JsonRecord, listOf, recordOf, textOf } from './shapes.ts';
import type { ParsedEvent } from './types.ts';

export interface AssistantLine {
  readonly uuid: string;
  /** Lines of one message share it. */
  readonly messageId: string;
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly details: Pick<Turn, 'occurredAt' | 'project' | 'metadata'>;
}

export interface Chain {
  readonly writer: SessionWriter;
  readonly assistant: (line: AssistantLine) => Promise<readonly ParsedEvent[]>;
  /** A prompt ends the assistant's turn before it. */
  readonly prompt: (turn: Turn) => Promise<readonly ParsedEvent[]>;
  /** Keeps the results of a user line for the calls they answer; gives the number of failed ones. */
  readonly results: (content: unknown) => number;
  readonly flush: () => Promise<readonly ParsedEvent[]>;
}

interface OpenTurn {
  readonly first: AssistantLine;
  messageId: string;
  readonly texts: string[];
}

/** `speaker` is who answers in this chain. */
export function createChain(ctx: ParseContext, writer: SessionWriter, speaker: string): Chain {
  let open: OpenTurn | undefined;
  let calls: ToolCall[] = [];
  const waiting = new Map<string, ToolCall>();

  async function flush(): Promise<readonly ParsedEvent[]> {
    const turn = open;
    const made = calls;
    open = undefined;
    calls = [];
    waiting.clear();
    if (turn === undefined && made.length === 0) return [];
    const { lines, kinds } = await toolLines(ctx, made);
    const text = [...(turn?.texts ?? ['(tool calls only)']), ...lines].join('\n');
    const id = turn?.first.uuid ?? `tools:${made[0]?.id ?? ''}`;
    const details = turn?.first.details ?? {};
    const metadata = { ...details.metadata, ...(made.length > 0 ? { tool_calls: made.length } : {}) };
    return writer.turn({ id, speaker, text, kinds, ...details, metadata: { role: 'assistant', ...metadata } });
  }

  return {
    writer,
    flush,
    async assistant(line) {
      let events: readonly ParsedEvent[] = [];
      if (line.text.trim() !== '') {
        if (open?.messageId === line.messageId) open.texts.push(line.text);
        else {
          // Calls made before the first text of an answer stay with that answer.
          if (open) events = await flush();
          open = { first: line, messageId: line.messageId, texts: [line.text] };
        }
      }
      for (const call of line.calls) {
        calls.push(call);
        waiting.set(call.id, call);
      }
      return events;
    },
    async prompt(turn) {
      const before = await flush();
      return [...before, ...(await writer.turn(turn))];
    },
    results(content) {
      let failed = 0;
      for (const block of listOf(content).map(recordOf)) {
        if (block.type !== 'tool_result') continue;
        const isError = block.is_error === true;
        if (isError) failed++;
        const id = textOf(block.tool_use_id) ?? '';
        const call = waiting.get(id);
        if (call) call.result = { text: resultHead(block.content), isError };
        waiting.delete(id);
      }
      return failed;
    },
  };
}

/** Enough of a result to cut the summary from; a long output is not worth scanning for secrets to its end. */
function resultHead(content: unknown): string {
  return resultText(content).slice(0, importBounds.turn_length_max_chars);
}

/** The tool calls in a message's content. */
export function toolCalls(content: unknown): ToolCall[] {
  const uses = listOf(content)
    .map(recordOf)
    .filter((block) => block.type === 'tool_use');
  return uses.map(
    (block): ToolCall => ({
      id: textOf(block.id) ?? '',
      name: textOf(block.name) ?? 'tool',
      input: recordOf(block.input) satisfies JsonRecord,
    }),
  );
}

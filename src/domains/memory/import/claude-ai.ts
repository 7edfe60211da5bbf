// Parser of Claude.ai's data export: messages in order, with the text of attachments and the tools that were used.
import { importBounds } from './bounds.ts';
import { resultText, type ToolCall, type ToolLines, toolLines } from './claude-code-tools.ts';
import type { ParseContext, SafeText } from './context.ts';
import { digestOf } from './ids.ts';
import { speakerOf } from './messages.ts';
import type { ValueParser } from './parser.ts';
import { createSessionWriter, titleOf } from './session.ts';
import { firstText, isRecord, type JsonRecord, listOf, momentOf, recordOf, textOf } from './shapes.ts';
import type { ParsedEvent } from './types.ts';

export function claudeAiParser(ctx: ParseContext): ValueParser {
  return {
    format: 'claude-ai',
    accepts: (value) => Array.isArray(value.chat_messages),
    take: (value) => takeConversation(ctx, value),
    end: () => [],
  };
}

async function* takeConversation(ctx: ParseContext, conversation: JsonRecord): AsyncGenerator<ParsedEvent> {
  const own = textOf(conversation.uuid);
  if (own === undefined) {
    yield ctx.problem('unknown_shape', 'a Claude.ai conversation without a uuid');
    return;
  }
  const messages = currentBranch(conversation);
  const writer = createSessionWriter(ctx, { format: 'claude-ai', id: own });
  const title = await titleOf(ctx, textOf(conversation.name) ?? 'Untitled conversation');
  const counts = { attachments: 0, tool_calls: 0, tool_errors: 0, empty: 0 };
  for (const message of messages) {
    const { text, kinds } = await messageText(ctx, message, counts);
    if (text.trim() === '') counts.empty++;
    const sender = textOf(message.sender) ?? 'human';
    yield* await writer.turn({
      id: textOf(message.uuid) ?? digestOf(own, writer.turns(), text),
      speaker: speakerOf(sender),
      text,
      kinds,
      occurredAt: momentOf(message.created_at) ?? momentOf(conversation.created_at),
      metadata: { role: sender === 'human' ? 'user' : sender, conversation_title: title },
    });
  }
  const turns = writer.turns();
  if (turns > 0) {
    const summary = textOf(conversation.summary);
    yield* await writer.summary({
      title,
      notes: [...(summary === undefined ? [] : [summary]), `Claude.ai conversation, ${turns} turns.`],
      occurredAt: momentOf(conversation.created_at),
      metadata: { title },
    });
  }
  const { empty, ...details } = counts;
  const all = listOf(conversation.chat_messages).length;
  yield {
    type: 'conversation',
    id: writer.sessionId,
    title,
    turns,
    skipped: empty + all - messages.length,
    details: { ...details, messages: messages.length, messages_off_path: all - messages.length },
  };
}

/** All messages, or where the export says which leaf is current, the branch that ends there. */
function currentBranch(conversation: JsonRecord): readonly JsonRecord[] {
  const all = listOf(conversation.chat_messages).filter(isRecord);
  const leaf = textOf(conversation.current_leaf_message_uuid);
  const byId = new Map(all.map((message) => [textOf(message.uuid), message]));
  if (leaf === undefined || !byId.has(leaf)) return all;
  const branch: JsonRecord[] = [];
  let at = byId.get(leaf);
  while (at !== undefined && branch.length < all.length) {
    branch.push(at);
    at = byId.get(textOf(at.parent_message_uuid) ?? '');
  }
  return branch.reverse();
}

interface MessageCounts {
  attachments: number;
  tool_calls: number;
  tool_errors: number;
}

async function messageText(ctx: ParseContext, message: JsonRecord, counts: MessageCounts): Promise<SafeText> {
  const blocks = listOf(message.content).map(recordOf);
  const texts = blocks.filter((block) => block.type === 'text').map((block) => textOf(block.text) ?? '');
  const spoken = texts.filter((text) => text.trim() !== '').join('\n\n');
  const parts = [spoken === '' ? (textOf(message.text) ?? '') : spoken];
  const { lines, kinds } = await messageTools(ctx, blocks, counts);
  if (lines.length > 0) parts.push(lines.join('\n'));
  for (const attachment of listOf(message.attachments).map(recordOf)) {
    counts.attachments++;
    const name = textOf(attachment.file_name) ?? 'attachment';
    const extracted = textOf(attachment.extracted_content)?.slice(0, importBounds.attachment_length_max_chars);
    parts.push(extracted === undefined ? `[attachment ${name}]` : `Attachment ${name}:\n${extracted}`);
  }
  for (const file of listOf(message.files).map(recordOf)) {
    parts.push(`[file ${firstText(file.file_name, file.file_uuid) ?? 'unnamed'}]`);
  }
  return { text: parts.filter((part) => part.trim() !== '').join('\n\n'), kinds };
}

/** Calls and results stand side by side in one message. */
async function messageTools(
  ctx: ParseContext,
  blocks: readonly JsonRecord[],
  counts: MessageCounts,
): Promise<ToolLines> {
  const results = new Map(
    blocks.filter((block) => block.type === 'tool_result').map((block) => [textOf(block.tool_use_id), block]),
  );
  const calls = blocks
    .filter((block) => block.type === 'tool_use')
    .map((block): ToolCall => {
      const id = textOf(block.id) ?? '';
      const result = results.get(id);
      const isError = result?.is_error === true;
      counts.tool_calls++;
      if (isError) counts.tool_errors++;
      const outcome = result === undefined ? {} : { result: { text: resultText(result.content), isError } };
      return { id, name: textOf(block.name) ?? 'tool', input: recordOf(block.input), ...outcome };
    });
  return toolLines(ctx, calls);
}

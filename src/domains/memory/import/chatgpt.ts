// Parser of ChatGPT's data export: walks each conversation's tree from the current node back to its root.
import { importBounds } from './bounds.ts';
import type { ParseContext } from './context.ts';
import { speakerOf } from './messages.ts';
import type { ValueParser } from './parser.ts';
import { createSessionWriter, titleOf } from './session.ts';
import { firstText, isRecord, type JsonRecord, listOf, momentOf, recordOf, textOf } from './shapes.ts';
import type { ParsedEvent } from './types.ts';

export function chatgptParser(ctx: ParseContext): ValueParser {
  return {
    format: 'chatgpt',
    accepts: (value) => isRecord(value.mapping),
    take: (value) => takeConversation(ctx, value),
    end: () => [],
  };
}

async function* takeConversation(ctx: ParseContext, conversation: JsonRecord): AsyncGenerator<ParsedEvent> {
  const mapping = recordOf(conversation.mapping);
  const own = firstText(conversation.conversation_id, conversation.id);
  const nodes = Object.keys(mapping).length;
  const path = currentPath(mapping, textOf(conversation.current_node));
  if (own === undefined || (nodes > 0 && path.length === 0)) {
    yield ctx.problem('unknown_shape', 'a ChatGPT conversation without an id or without messages that form a path');
    return;
  }
  const writer = createSessionWriter(ctx, { format: 'chatgpt', id: own });
  const title = await titleOf(ctx, textOf(conversation.title) ?? 'Untitled conversation');
  const startedAt = momentOf(conversation.create_time);
  const counts = { messages: 0, hidden: 0, empty: 0 };
  for (const { id, node } of path) {
    const message = node.message;
    if (!isRecord(message)) continue;
    counts.messages++;
    const text = isHidden(message) ? '' : contentText(recordOf(message.content));
    if (isHidden(message)) counts.hidden++;
    else if (text.trim() === '') counts.empty++;
    yield* await writer.turn({
      id,
      speaker: messageSpeaker(message),
      text,
      occurredAt: momentOf(message.create_time) ?? startedAt,
      metadata: messageMetadata(message, title),
    });
  }
  const turns = writer.turns();
  if (turns > 0) {
    const notes = [`ChatGPT conversation, ${turns} turns.`];
    yield* await writer.summary({ title, notes, occurredAt: startedAt, metadata: { title } });
  }
  yield {
    type: 'conversation',
    id: writer.sessionId,
    title,
    turns,
    skipped: counts.hidden + counts.empty,
    details: {
      nodes,
      nodes_off_path: nodes - path.length,
      messages_on_current_path: counts.messages,
      hidden_messages_on_path: counts.hidden,
    },
  };
}

interface PathNode {
  readonly id: string;
  readonly node: JsonRecord;
}

/** From the root to the current node; where that is missing, to the node that comes last in the export. */
function currentPath(mapping: JsonRecord, current: string | undefined): PathNode[] {
  const known = current !== undefined && isRecord(mapping[current]) ? current : Object.keys(mapping).at(-1);
  const path: PathNode[] = [];
  const seen = new Set<string>();
  let id = known;
  while (id !== undefined && !seen.has(id) && seen.size < importBounds.nodes_per_conversation_max_count) {
    seen.add(id);
    const node = mapping[id];
    if (!isRecord(node)) break;
    path.push({ id, node });
    id = textOf(node.parent);
  }
  return path.reverse();
}

const HIDDEN_CONTENT = new Set(['user_editable_context', 'model_editable_context', 'thoughts', 'reasoning_recap']);

function isHidden(message: JsonRecord): boolean {
  const role = textOf(recordOf(message.author).role);
  const type = textOf(recordOf(message.content).content_type) ?? '';
  return (
    role === 'system' ||
    recordOf(message.metadata).is_visually_hidden_from_conversation === true ||
    HIDDEN_CONTENT.has(type)
  );
}

function messageSpeaker(message: JsonRecord): string {
  const author = recordOf(message.author);
  const role = speakerOf(textOf(author.role) ?? 'unknown');
  const name = textOf(author.name);
  const recipient = textOf(message.recipient);
  if (name !== undefined) return `${role} ${name}`;
  return recipient === undefined || recipient === 'all' ? role : `${role} to ${recipient}`;
}

function contentText(content: JsonRecord): string {
  const parts = listOf(content.parts).map(partText);
  const text = firstText(content.text, content.result);
  if (text !== undefined) {
    const language = textOf(content.language);
    parts.push(
      content.content_type === 'code'
        ? `\`\`\`${language === 'unknown' ? '' : (language ?? '')}\n${text}\n\`\`\``
        : text,
    );
  }
  return parts.filter((part) => part.trim() !== '').join('\n\n');
}

function partText(part: unknown): string {
  if (typeof part === 'string') return part;
  const record = recordOf(part);
  return textOf(record.text) ?? (textOf(record.content_type)?.includes('image') ? '[image]' : '');
}

function messageMetadata(message: JsonRecord, title: string): Record<string, unknown> {
  const model = textOf(recordOf(message.metadata).model_slug);
  const role = textOf(recordOf(message.author).role);
  return {
    conversation_title: title,
    ...(role === undefined ? {} : { role }),
    ...(model === undefined ? {} : { model }),
  };
}

// Parsers of chats as bare messages: `{role, content}` one after the other, or conversations that hold a list of them.
import { resultText } from './claude-code-tools.ts';
import type { ParseContext } from './context.ts';
import { digestOf } from './ids.ts';
import type { ValueParser } from './parser.ts';
import { createSessionWriter, type SessionWriter, titleOf } from './session.ts';
import { firstText, isRecord, type JsonRecord, listOf, momentOf, textOf } from './shapes.ts';
import type { ParsedEvent } from './types.ts';

const SPEAKERS: Readonly<Record<string, string>> = {
  user: 'User',
  human: 'User',
  assistant: 'Assistant',
  ai: 'Assistant',
  model: 'Assistant',
  tool: 'Tool',
};
const HIDDEN_ROLES = new Set(['system', 'developer']);

/** How a role is called in the text of a turn. */
export function speakerOf(role: string): string {
  return SPEAKERS[role.toLowerCase()] ?? role;
}

function isMessage(value: unknown): value is JsonRecord {
  return isRecord(value) && textOf(value.role) !== undefined && 'content' in value && value.type !== 'session';
}

interface OpenChat {
  readonly writer: SessionWriter;
  readonly own: string;
  skipped: number;
  firstPrompt?: string;
  startedAt?: string;
}

function openChat(ctx: ParseContext, own: string): OpenChat {
  return { writer: createSessionWriter(ctx, { format: 'messages', id: own }), own, skipped: 0 };
}

async function addMessage(chat: OpenChat, message: JsonRecord): Promise<readonly ParsedEvent[]> {
  const role = textOf(message.role) ?? 'user';
  const text = resultText(message.content);
  if (HIDDEN_ROLES.has(role) || text.trim() === '') {
    chat.skipped++;
    return [];
  }
  const occurredAt = momentOf(message.timestamp ?? message.created_at);
  if (role === 'user') chat.firstPrompt ??= text;
  if (occurredAt !== undefined) chat.startedAt ??= occurredAt;
  const id = firstText(message.id, message.uuid) ?? digestOf(chat.own, chat.writer.turns(), text);
  const speaker = firstText(message.name) ?? speakerOf(role);
  return chat.writer.turn({ id, speaker, text, occurredAt, metadata: { role } });
}

async function* finishChat(ctx: ParseContext, chat: OpenChat, named: string | undefined): AsyncGenerator<ParsedEvent> {
  const turns = chat.writer.turns();
  const title = await titleOf(ctx, named ?? chat.firstPrompt ?? 'Conversation');
  if (turns > 0) {
    const notes = [`${turns} turns.`];
    yield* await chat.writer.summary({ title, notes, occurredAt: chat.startedAt, metadata: { title } });
  }
  yield { type: 'conversation', id: chat.writer.sessionId, title, turns, skipped: chat.skipped, details: {} };
}

/** The values are messages of one chat, whose id is the caller's or follows from its first message. */
export function messagesParser(ctx: ParseContext): ValueParser {
  let chat: OpenChat | undefined;
  return {
    format: 'messages',
    accepts: isMessage,
    async *take(message) {
      chat ??= openChat(ctx, ctx.options.sessionId ?? `messages:${digestOf(resultText(message.content))}`);
      yield* await addMessage(chat, message);
    },
    async *end() {
      if (chat) yield* finishChat(ctx, chat, ctx.options.title);
    },
  };
}

/** Each value is a whole chat with its messages inside. */
export function messageListParser(ctx: ParseContext): ValueParser {
  return {
    format: 'messages',
    accepts: (value) => listOf(value.messages).some(isMessage),
    async *take(value) {
      const messages = listOf(value.messages).filter(isMessage);
      const own = firstText(value.id, value.uuid, value.conversation_id, value.session_id);
      const chat = openChat(ctx, own ?? `messages:${digestOf(resultText(messages[0]?.content))}`);
      for (const message of messages) yield* await addMessage(chat, message);
      yield* finishChat(ctx, chat, firstText(value.title, value.name) ?? ctx.options.title);
    },
    end: () => [],
  };
}

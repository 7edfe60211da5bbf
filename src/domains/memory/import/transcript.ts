// Parser of chats pasted as text: `User: ...`, `**Assistant:** ...`, `## ChatGPT`, `[10:04] Alice: ...`, `<bob> ...`.
import type { ParseContext } from './context.ts';
import { digestOf } from './ids.ts';
import { createSessionWriter, type SessionWriter, titleOf } from './session.ts';
import { momentOf } from './shapes.ts';
import type { ParsedEvent } from './types.ts';

const ROLES: Readonly<Record<string, string>> = {
  user: 'User',
  human: 'User',
  you: 'User',
  me: 'User',
  'you said': 'User',
  assistant: 'Assistant',
  ai: 'Assistant',
  bot: 'Assistant',
  model: 'Assistant',
  chatgpt: 'Assistant',
  'chatgpt said': 'Assistant',
  gpt: 'Assistant',
  claude: 'Assistant',
  gemini: 'Assistant',
  copilot: 'Assistant',
  agent: 'Assistant',
  system: 'System',
  tool: 'Tool',
};

/** Words that stand before a colon in ordinary text and are no speakers. */
const NO_SPEAKERS =
  /^(?:note|notes|error|warning|info|debug|fix|cause|impact|summary|todo|example|steps?|result|output|input|status|date|time|from|to|cc|subject|url|https?|file|path|host|port|id|title|tags|context|decision|consequence|ps|nb|q|a)$/i;

const TIME = String.raw`(?:\[?(?<time>\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2})?Z?|\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]m)?)\]?[ \t,-]{0,3})?`;
const NAME = String.raw`[\p{L}][\p{L}\p{N} ._'-]{0,39}`;
/** `time? name:` with Markdown emphasis around the name, or `<name>` as in IRC logs. */
const LABEL = new RegExp(
  String.raw`^${TIME}(?:[*_]{0,2}(?<name>${NAME})[*_]{0,2}[ \t]?:[*_]{0,2}|<(?<nick>${NAME})>)(?:[ \t]+(?<text>.*)|)$`,
  'u',
);
/** A heading that is nothing but a role. */
const ROLE_HEADING = /^#{1,6}[ \t]+[*_]{0,2}(?<name>[A-Za-z ]{2,20}?)[*_]{0,2}:?[ \t]*$/;

export interface SpeakerLine {
  readonly speaker: string;
  readonly text: string;
  readonly time?: string;
}

/** The speaker a line begins with. Names that are no role count only where `isKnown` says so. */
export function readSpeaker(line: string, isKnown: (name: string) => boolean): SpeakerLine | undefined {
  const heading = ROLE_HEADING.exec(line)?.groups?.name;
  const headed = heading === undefined ? undefined : ROLES[heading.toLowerCase()];
  if (headed !== undefined) return { speaker: headed, text: '' };
  const groups = LABEL.exec(line)?.groups;
  const name = (groups?.name ?? groups?.nick)?.trim();
  if (groups === undefined || name === undefined) return undefined;
  const role = ROLES[name.toLowerCase()];
  if (role === undefined && !isKnown(name)) return undefined;
  const time = groups.time;
  return { speaker: role ?? name, text: groups.text ?? '', ...(time === undefined ? {} : { time }) };
}

/** The names that take turns in a text: each speaks at least twice, or is a role. */
export function findSpeakers(head: string): Set<string> {
  const times = new Map<string, number>();
  for (const line of head.split('\n')) {
    const read = readSpeaker(line.trimEnd(), (name) => !NO_SPEAKERS.test(name));
    if (read) times.set(read.speaker, (times.get(read.speaker) ?? 0) + 1);
  }
  const roles = new Set(Object.values(ROLES));
  const names = [...times].filter(([name, count]) => count > 1 || roles.has(name)).map(([name]) => name);
  return new Set(names);
}

/** True for text in which at least two speakers take turns. */
export function isTranscript(head: string): boolean {
  return findSpeakers(head).size >= 2;
}

interface OpenTurn {
  readonly speaker: string;
  readonly lines: string[];
  readonly line: number | undefined;
  readonly time: string | undefined;
}

/** Parses a transcript line by line. `head` is its beginning, from which the names of the speakers are learned. */
export async function* parseTranscript(
  ctx: ParseContext,
  lines: AsyncIterable<string>,
  head: string,
): AsyncGenerator<ParsedEvent> {
  const speakers = findSpeakers(head);
  let writer: SessionWriter | undefined;
  let firstPrompt: string | undefined;
  let startedAt: string | undefined;
  let open: OpenTurn | undefined;

  async function close(turn: OpenTurn): Promise<readonly ParsedEvent[]> {
    const text = turn.lines.join('\n').trim();
    if (text === '') return [];
    const own = ctx.options.sessionId ?? `transcript:${digestOf(turn.speaker, text)}`;
    writer ??= createSessionWriter(ctx, { format: 'transcript', id: own });
    firstPrompt ??= text;
    const occurredAt = momentOf(turn.time);
    if (occurredAt !== undefined) startedAt ??= occurredAt;
    const id = digestOf(writer.sessionId, writer.turns(), turn.speaker, text);
    return writer.turn({ id, speaker: turn.speaker, text, occurredAt });
  }

  for await (const line of lines) {
    const read = readSpeaker(line.trimEnd(), (name) => speakers.has(name));
    if (read) {
      if (open) yield* await close(open);
      open = { speaker: read.speaker, lines: [read.text], line: ctx.cursor.line, time: read.time };
    } else {
      open ??= { speaker: 'Text', lines: [], line: ctx.cursor.line, time: undefined };
      open.lines.push(line);
    }
  }
  if (open) yield* await close(open);
  if (writer === undefined) {
    yield ctx.problem('no_content', 'a transcript without text');
    return;
  }
  const title = await titleOf(ctx, ctx.options.title ?? firstPrompt ?? 'Conversation');
  const turns = writer.turns();
  yield* await writer.summary({
    title,
    notes: [`Conversation, ${turns} turns.`],
    occurredAt: startedAt,
    metadata: { title },
  });
  yield { type: 'conversation', id: writer.sessionId, title, turns, skipped: 0, details: {} };
}

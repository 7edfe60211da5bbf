// Parser of Claude Code session lines: sorts each line, keeps the sessions apart, hands text to their chains.
import { basename } from 'node:path';
import { importBounds } from './bounds.ts';
import { toolCalls } from './claude-code-chain.ts';
import { messageText, readUserText } from './claude-code-lines.ts';
import { chainOf, createSession, finishSession, type Session } from './claude-code-session.ts';
import { countLineType, type ParseContext } from './context.ts';
import type { ValueParser } from './parser.ts';
import { firstText, isRecord, type JsonRecord, listOf, momentOf, recordOf, textOf } from './shapes.ts';
import type { ParsedEvent } from './types.ts';

/** Types of lines that carry no speech and may lack a session. */
const SESSION_TYPES = new Set(['user', 'assistant', 'system', 'summary', 'file-history-snapshot', 'queue-operation']);

/** A parser of session lines; sessions may be mixed in one stream, each is summarised when the stream ends. */
export function claudeCodeParser(ctx: ParseContext): ValueParser {
  const sessions = new Map<string, Session>();
  /** Summary lines name the last message they cover, which mostly comes after them. */
  const summaries = new Map<string, string>();

  async function* sessionOf(id: string): AsyncGenerator<ParsedEvent, Session> {
    const known = sessions.get(id);
    if (known) return known;
    if (sessions.size >= importBounds.open_sessions_max_count) {
      const [oldest] = sessions.values();
      if (oldest) {
        sessions.delete(oldest.id);
        yield* finishSession(ctx, oldest);
      }
    }
    const session = createSession(id);
    sessions.set(id, session);
    return session;
  }

  async function* take(line: JsonRecord): AsyncGenerator<ParsedEvent> {
    const type = textOf(line.type) ?? '';
    countLineType(ctx, type);
    if (type === 'summary') {
      const summary = textOf(line.summary);
      if (summary !== undefined && summaries.size < importBounds.open_sessions_max_count) {
        summaries.set(firstText(line.leafUuid) ?? summary, summary);
      }
      return;
    }
    const sessionId = textOf(line.sessionId);
    if (sessionId === undefined) return;
    const session = yield* sessionOf(sessionId);
    noteLine(session, line, summaries);
    yield* takeSessionLine(ctx, session, type, line);
  }

  return {
    format: 'claude-code',
    accepts: (value) => {
      const type = textOf(value.type);
      if (type === undefined) return false;
      return SESSION_TYPES.has(type) ? !('content' in value && 'role' in value) : textOf(value.sessionId) !== undefined;
    },
    take,
    async *end() {
      const [only] = sessions.values();
      if (sessions.size === 1 && only && only.summaries.length === 0) only.summaries.push(...summaries.values());
      for (const session of sessions.values()) yield* finishSession(ctx, session);
      sessions.clear();
    },
  };
}

/** Facts that any line of a session may add. */
function noteLine(session: Session, line: JsonRecord, summaries: Map<string, string>): void {
  session.counts.lines++;
  const uuid = textOf(line.uuid);
  const summary = uuid === undefined ? undefined : summaries.get(uuid);
  if (uuid !== undefined && summary !== undefined) {
    session.summaries.push(summary);
    summaries.delete(uuid);
  }
  const at = momentOf(line.timestamp);
  if (at !== undefined) {
    session.startedAt ??= at;
    session.endedAt = at;
  }
  const cwd = textOf(line.cwd);
  if (cwd !== undefined) {
    session.cwd ??= cwd;
    session.project ??= projectName(cwd);
  }
  const branch = textOf(line.gitBranch);
  if (branch !== undefined) session.branch ??= branch;
  if (line.isSidechain === true) session.counts.sidechain_lines++;
}

/** Last folder of a path of any system. */
function projectName(cwd: string): string {
  return basename(cwd.replaceAll('\\', '/'));
}

async function* takeSessionLine(
  ctx: ParseContext,
  session: Session,
  type: string,
  line: JsonRecord,
): AsyncGenerator<ParsedEvent> {
  if (type === 'user') yield* takeUserLine(ctx, session, line);
  else if (type === 'assistant') yield* takeAssistantLine(ctx, session, line);
  else {
    session.counts.skipped++;
    const title = firstText(line.customTitle, line.title);
    if (type === 'custom-title' && title !== undefined) session.customTitle = title;
    if (type === 'ai-title') session.guessedTitle = firstText(line.aiTitle, title) ?? '';
    if (line.subtype === 'compact_boundary') {
      session.counts.compactions++;
      for (const chain of session.chains.values()) yield* await chain.flush();
    }
  }
}

async function* takeUserLine(ctx: ParseContext, session: Session, line: JsonRecord): AsyncGenerator<ParsedEvent> {
  const content = recordOf(line.message).content;
  if (line.isCompactSummary === true) {
    session.recaps.push(messageText(content).slice(0, importBounds.summary_length_max_chars));
    return;
  }
  const agentId = agentOf(line);
  const { chain, events } = await chainOf(ctx, session, agentId);
  yield* events;
  session.counts.tool_errors += chain.results(content);
  const read = line.isMeta === true ? ({ kind: 'local' } as const) : readUserText(messageText(content));
  if (read.kind === 'interrupted') session.counts.interrupted++;
  if (read.kind !== 'prompt') {
    const isResult = read.kind === 'empty' && listOf(content).some((block) => recordOf(block).type === 'tool_result');
    if (!isResult) session.counts.skipped++;
    return;
  }
  if (agentId === undefined) {
    session.counts.human_prompts++;
    session.firstPrompt ??= read.text;
  }
  yield* await chain.prompt({
    id: textOf(line.uuid) ?? `${session.id}:line-${session.counts.lines}`,
    speaker: agentId === undefined ? 'User' : 'Main agent',
    text: read.text,
    ...lineDetails(session, line, { role: 'user', ...(agentId === undefined ? {} : { agent_id: agentId }) }),
  });
}

async function* takeAssistantLine(ctx: ParseContext, session: Session, line: JsonRecord): AsyncGenerator<ParsedEvent> {
  const message = recordOf(line.message);
  if (line.isApiErrorMessage === true || message.model === '<synthetic>') {
    session.counts.skipped++;
    return;
  }
  const agentId = agentOf(line);
  const { chain, events } = await chainOf(ctx, session, agentId);
  yield* events;
  const calls = toolCalls(message.content);
  session.counts.tool_calls += calls.length;
  const uuid = textOf(line.uuid) ?? `${session.id}:line-${session.counts.lines}`;
  const model = textOf(message.model);
  yield* await chain.assistant({
    uuid,
    messageId: textOf(message.id) ?? uuid,
    text: messageText(message.content),
    calls,
    details: lineDetails(session, line, {
      ...(model === undefined ? {} : { model }),
      ...(agentId === undefined ? {} : { agent_id: agentId }),
    }),
  });
}

/** The sub-agent that wrote a line; lines of older versions say only that there was one. */
function agentOf(line: JsonRecord): string | undefined {
  if (line.isSidechain !== true) return undefined;
  return textOf(line.agentId) ?? 'sidechain';
}

function lineDetails(session: Session, line: JsonRecord, metadata: Record<string, unknown>) {
  const cwd = textOf(line.cwd);
  const branch = textOf(line.gitBranch);
  return {
    occurredAt: momentOf(line.timestamp),
    project: cwd === undefined ? session.project : projectName(cwd),
    metadata: { ...metadata, ...(branch === undefined ? {} : { git_branch: branch }) },
  };
}

/** True for a line that belongs to a session file, by its shape alone. */
export function isSessionLine(value: unknown): boolean {
  return isRecord(value) && textOf(value.type) !== undefined && ('sessionId' in value || 'leafUuid' in value);
}

// What is known of one Claude Code session while its lines go by: names it may have, counts, and its chains.
import { importBounds } from './bounds.ts';
import { type Chain, createChain } from './claude-code-chain.ts';
import type { ParseContext } from './context.ts';
import { createSessionWriter, titleOf } from './session.ts';
import { shorten } from './text.ts';
import type { ParsedEvent } from './types.ts';

export interface SessionCounts {
  lines: number;
  skipped: number;
  human_prompts: number;
  tool_calls: number;
  tool_errors: number;
  sidechain_lines: number;
  interrupted: number;
  compactions: number;
}

export interface Session {
  readonly id: string;
  readonly counts: SessionCounts;
  readonly chains: Map<string, Chain>;
  /** Names by strength: the user's own, summaries of the program, the program's guess, the first prompt. */
  customTitle?: string;
  guessedTitle?: string;
  firstPrompt?: string;
  readonly summaries: string[];
  readonly recaps: string[];
  startedAt?: string;
  endedAt?: string;
  project?: string;
  branch?: string;
  cwd?: string;
}

export function createSession(id: string): Session {
  return {
    id,
    counts: {
      lines: 0,
      skipped: 0,
      human_prompts: 0,
      tool_calls: 0,
      tool_errors: 0,
      sidechain_lines: 0,
      interrupted: 0,
      compactions: 0,
    },
    chains: new Map(),
    summaries: [],
    recaps: [],
  };
}

const MAIN = 'main';

/** The chain of a line: the session's own, or that of the sub-agent which wrote it. */
export async function chainOf(
  ctx: ParseContext,
  session: Session,
  agentId: string | undefined,
): Promise<{ chain: Chain; events: readonly ParsedEvent[] }> {
  const key = agentId ?? MAIN;
  const known = session.chains.get(key);
  if (known) return { chain: known, events: [] };
  const isMain = agentId === undefined;
  const writer = createSessionWriter(ctx, {
    format: 'claude-code',
    id: isMain ? session.id : `${session.id}/agent-${agentId}`,
    tags: isMain ? [] : ['sub-agent'],
  });
  const chain = createChain(ctx, writer, isMain ? 'Assistant' : 'Sub-agent');
  let events: readonly ParsedEvent[] = [];
  if (session.chains.size >= importBounds.open_chains_max_count) {
    const oldest = [...session.chains.keys()].find((candidate) => candidate !== MAIN);
    events = (await session.chains.get(oldest ?? '')?.flush()) ?? [];
    session.chains.delete(oldest ?? '');
  }
  session.chains.set(key, chain);
  return { chain, events };
}

/** Everything a session still holds back: open turns, its summary, its counts. */
export async function* finishSession(ctx: ParseContext, session: Session): AsyncGenerator<ParsedEvent> {
  for (const chain of session.chains.values()) yield* await chain.flush();
  const { chain } = await chainOf(ctx, session, undefined);
  const turns = chain.writer.turns();
  const title = await titleOf(ctx, sessionTitle(session));
  if (turns > 0 || session.recaps.length > 0) {
    yield* await chain.writer.summary({
      title,
      notes: summaryNotes(session),
      occurredAt: session.startedAt,
      project: session.project,
      metadata: {
        title,
        ...(session.cwd === undefined ? {} : { cwd: session.cwd }),
        ...(session.branch === undefined ? {} : { git_branch: session.branch }),
        ...(session.endedAt === undefined ? {} : { ended_at: session.endedAt }),
      },
    });
  }
  const { skipped, ...details } = session.counts;
  const subAgentTurns = [...session.chains.values()].reduce((sum, each) => sum + each.writer.turns(), 0) - turns;
  yield {
    type: 'conversation',
    id: chain.writer.sessionId,
    title,
    turns,
    skipped,
    details: { ...details, sub_agents: session.chains.size - 1, sub_agent_turns: subAgentTurns },
  };
}

function sessionTitle(session: Session): string {
  return (
    session.customTitle ??
    session.summaries.at(-1) ??
    session.guessedTitle ??
    session.firstPrompt ??
    `Claude Code session ${session.id}`
  );
}

function summaryNotes(session: Session): string[] {
  const where = session.cwd === undefined ? '' : ` in ${session.cwd}`;
  const branch = session.branch ? `, branch ${session.branch}` : '';
  const when = session.startedAt === undefined ? '' : `, ${session.startedAt.slice(0, 16).replace('T', ' ')} UTC`;
  const title = sessionTitle(session);
  const prompt = session.firstPrompt;
  return [
    ...session.summaries.filter((summary) => summary !== title),
    ...session.recaps,
    ...(prompt === undefined || prompt === title
      ? []
      : [`First prompt: ${shorten(prompt, importBounds.tool_error_length_max_chars)}`]),
    `Claude Code session${where}${branch}${when}, ${session.counts.human_prompts} prompts.`,
  ];
}

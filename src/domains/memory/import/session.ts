// Writes one conversation as items: its turns in order, long ones split, and a summary by which a person finds it.
import { limits } from '../../../kernel/limits.ts';
import { importBounds } from './bounds.ts';
import type { ParseContext, SafeText } from './context.ts';
import { externalId, partId, sessionIdOf } from './ids.ts';
import { oneLine, shorten, splitText } from './text.ts';
import type { ImportFormat, ImportItem, ParsedEvent } from './types.ts';

export interface SessionInfo {
  readonly format: ImportFormat;
  /** The conversation's own id in the source. */
  readonly id: string;
  readonly tags?: readonly string[];
}

export interface Turn {
  /** The turn's own id in the source, unique within the format. */
  readonly id: string;
  /** Role or name of who speaks. */
  readonly speaker: string;
  readonly text: string;
  /** Kinds of secrets already replaced in the text. */
  readonly kinds?: readonly string[];
  readonly occurredAt?: string | undefined;
  readonly project?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface SessionSummary {
  readonly title: string;
  /** What the source itself says about the conversation, in order. */
  readonly notes: readonly string[];
  readonly occurredAt?: string | undefined;
  readonly project?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface SessionWriter {
  readonly sessionId: string;
  /** Turns written so far. */
  readonly turns: () => number;
  readonly turn: (turn: Turn) => Promise<readonly ParsedEvent[]>;
  readonly summary: (summary: SessionSummary) => Promise<readonly ParsedEvent[]>;
}

/** Starts writing a conversation. Texts are cleaned and redacted before they are split. */
export function createSessionWriter(ctx: ParseContext, info: SessionInfo): SessionWriter {
  const sessionId = sessionIdOf(info.id);
  let turns = 0;
  let sequence = 0;

  function itemsOf(id: string, parts: readonly string[], safe: SafeText, more: ItemDetails): ParsedEvent[] {
    return parts.map((content, index) => ({
      type: 'item',
      item: {
        external_id: partId(externalId(info.format, id), index),
        content,
        category: ctx.options.category ?? 'conversation',
        tags: tagsOf(ctx, [info.format, ...(info.tags ?? []), ...more.tags]),
        metadata: { ...more.metadata, ...(parts.length > 1 ? { part: index + 1, parts: parts.length } : {}) },
        session_id: sessionId,
        ...(more.numbered ? { sequence: sequence++ } : {}),
        ...(more.occurredAt === undefined ? {} : { occurred_at: more.occurredAt }),
        ...projectOf(ctx, more.project),
        source: info.format,
        ...(safe.kinds.length > 0 ? { redactions: safe.kinds } : {}),
      },
    }));
  }

  return {
    sessionId,
    turns: () => turns,
    async turn({ id, speaker, text, kinds = [], occurredAt, project, metadata = {} }) {
      const found = await ctx.safe(text);
      if (found.text === '') return [];
      const safe = { text: found.text, kinds: [...new Set([...found.kinds, ...kinds])] };
      turns++;
      const label = shorten(oneLine(speaker), importBounds.title_length_max_chars);
      const parts = splitText(safe.text, importBounds.turn_length_max_chars).map((part) => `${label}: ${part}`);
      return itemsOf(id, parts, safe, { numbered: true, tags: [], occurredAt, project, metadata });
    },
    async summary({ title, notes, occurredAt, project, metadata = {} }) {
      const safe = await ctx.safe([`Conversation: ${title}`, ...notes].join('\n'));
      const parts = splitText(safe.text, importBounds.summary_length_max_chars);
      const details = { ...metadata, kind: 'conversation_summary' };
      const tags = ['conversation-summary'];
      return itemsOf(`${info.id}:summary`, parts, safe, {
        numbered: false,
        tags,
        occurredAt,
        project,
        metadata: details,
      });
    },
  };
}

interface ItemDetails {
  readonly numbered: boolean;
  readonly tags: readonly string[];
  readonly occurredAt: string | undefined;
  readonly project: string | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A title fit for one line; redacted like every other text. */
export async function titleOf(ctx: ParseContext, text: string): Promise<string> {
  const { text: safe } = await ctx.safe(text);
  return shorten(oneLine(safe), importBounds.title_length_max_chars);
}

/** The caller's tags behind the importer's, one of each, within the limits of a memory. */
export function tagsOf(ctx: ParseContext, own: readonly string[]): string[] {
  const all = [...own, ...(ctx.options.tags ?? [])].map((tag) => oneLine(tag).slice(0, limits.tag_length_max_chars));
  return [...new Set(all.filter((tag) => tag !== ''))].slice(0, limits.tags_max_count);
}

export function projectOf(ctx: ParseContext, own: string | undefined): Pick<ImportItem, 'project'> {
  const project = ctx.options.project ?? own;
  if (project === undefined) return {};
  const name = oneLine(project).slice(0, limits.name_length_max_chars);
  return name === '' ? {} : { project: name };
}

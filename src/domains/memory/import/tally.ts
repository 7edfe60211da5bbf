// Counts the events of an import as they pass, and keeps a flood of problems from becoming the whole output.
import { importBounds } from './bounds.ts';
import { type ParseContext, placeOf } from './context.ts';
import type { ImportCounts, ImportEvent, ParsedEvent } from './types.ts';

export interface Tally {
  /** The event as the reader gets it; nothing for a problem beyond the reported number. */
  readonly note: (event: ParsedEvent) => readonly ImportEvent[];
  /** Adds the lines and bytes of the file that was read. */
  readonly closeFile: () => void;
  readonly counts: () => ImportCounts;
}

export function createTally(ctx: ParseContext): Tally {
  const sums = {
    files: 0,
    bytes: 0,
    lines: 0,
    items: 0,
    summaries: 0,
    conversations: 0,
    empty_conversations: 0,
    turns: 0,
    skipped: 0,
    problems: 0,
    redactions: 0,
  };

  function note(event: ParsedEvent): readonly ImportEvent[] {
    if (event.type === 'problem') {
      sums.problems++;
      if (sums.problems < importBounds.problems_reported_max_count) return [event];
      if (sums.problems > importBounds.problems_reported_max_count) return [];
      return [ctx.problem('too_many', 'too many problems; further ones are only counted')];
    }
    if (event.type === 'conversation') {
      const subAgentTurns = event.details.sub_agent_turns ?? 0;
      sums.conversations++;
      if (event.turns + subAgentTurns === 0) sums.empty_conversations++;
      sums.turns += event.turns + subAgentTurns;
      sums.skipped += event.skipped;
      return [event];
    }
    sums.items++;
    sums.redactions += event.item.redactions?.length ?? 0;
    if (event.item.metadata.kind === 'conversation_summary') sums.summaries++;
    return [{ ...event, position: { bytes: ctx.cursor.bytes, ...placeOf(ctx.cursor) } }];
  }

  return {
    note,
    closeFile() {
      if (ctx.cursor.bytes > 0) sums.files++;
      sums.bytes += ctx.cursor.bytes;
      sums.lines += ctx.cursor.line ?? 0;
      ctx.cursor.bytes = 0;
      ctx.cursor.line = undefined;
    },
    counts: () => ({ ...sums, lines_by_type: Object.fromEntries(ctx.linesByType) }),
  };
}

// What every parser shares during one import: options, the place in the source, counters, and how to report a problem.
import { importBounds } from './bounds.ts';
import { cleanText } from './text.ts';
import type { ImportOptions, ImportProblem, ImportProblemCode } from './types.ts';

/** The place in the source; moved by the readers, read by everyone. */
export interface Cursor {
  bytes: number;
  line: number | undefined;
  path: string | undefined;
}

export interface SafeText {
  readonly text: string;
  /** Kinds of secrets that were replaced. */
  readonly kinds: readonly string[];
}

export interface ParseContext {
  readonly options: ImportOptions;
  readonly cursor: Cursor;
  readonly linesByType: Map<string, number>;
  /** Cleans a text, for foreign ones thoroughly, and replaces its secrets. */
  readonly safe: (text: string, clean?: (text: string) => string) => Promise<SafeText>;
  readonly problem: (code: ImportProblemCode, message: string) => ImportProblem;
}

export function createParseContext(options: ImportOptions): ParseContext {
  const cursor: Cursor = { bytes: 0, line: undefined, path: undefined };
  return {
    options,
    cursor,
    linesByType: new Map(),
    async safe(text, clean = cleanText) {
      const cleaned = clean(text);
      if (options.redact === undefined || cleaned === '') return { text: cleaned, kinds: [] };
      const { text: redacted, findings } = await options.redact(cleaned);
      return { text: redacted, kinds: [...new Set(findings.map((finding) => finding.kind))] };
    },
    problem: (code, message) => ({ type: 'problem', code, message, ...placeOf(cursor) }),
  };
}

export function placeOf(cursor: Cursor): { line?: number; path?: string } {
  return {
    ...(cursor.line === undefined ? {} : { line: cursor.line }),
    ...(cursor.path === undefined ? {} : { path: cursor.path }),
  };
}

/** Counts lines by their type; a file with endless types does not grow the table. */
export function countLineType(ctx: ParseContext, type: string): void {
  const known = ctx.linesByType.has(type) || ctx.linesByType.size < importBounds.line_types_max_count;
  const key = known ? type : 'other';
  ctx.linesByType.set(key, (ctx.linesByType.get(key) ?? 0) + 1);
}

// Text of any known format as items of a board.
import { limits } from '../../../kernel/limits.ts';
import { jsonDepthExceeds } from '../../../kernel/text-safety.ts';
import { addBead, isBeads } from './beads.ts';
import { addGithub, isGithub } from './github.ts';
import { type Board, type BoardBuilder, createBuilder, itemSchema } from './item.ts';
import { addMarkdown } from './markdown.ts';
import { isRecord, nameOf } from './values.ts';

export const FORMATS = ['json', 'beads', 'github', 'markdown'] as const;
export type Format = (typeof FORMATS)[number];

/** Of the own JSON format. */
export const BOARD_FORMAT = 'haivemind-board';
export const BOARD_VERSION = 1;

export interface ParseOptions {
  /** Absent: recognised. */
  readonly format?: Format | undefined;
  /** Of GitHub issues: their repository; of Markdown: the name of the board. */
  readonly source?: string | undefined;
  /** Items, problems and what is skipped together; absent: any number. */
  readonly max_items?: number | undefined;
}

export interface Parsed extends Board {
  readonly format: Format;
}

const DEFAULT_BOARD = 'board';

/** Reads a board. What is wrong in it becomes problems; text that is nothing of the format yields no items and says why. */
export function parseBoard(text: string, { format, source, max_items }: ParseOptions = {}): Parsed {
  const clean = text.startsWith('\ufeff') ? text.slice(1) : text;
  const whole = format === 'markdown' ? undefined : wholeJson(clean);
  const chosen = format ?? recognise(clean, whole);
  const builder = createBuilder(max_items);
  if (chosen === 'markdown') addMarkdown(builder, clean, (source ?? DEFAULT_BOARD).replace(/\s+/g, '-'));
  else if (chosen === 'github') addGithub(builder, issuesIn(builder, clean, whole), source);
  else addRecords(builder, clean, whole, chosen);
  return { ...builder.board(), format: chosen };
}

/** The text as one JSON value; undefined where it is none. */
function wholeJson(text: string): unknown {
  const first = text.trimStart()[0];
  if (first !== '{' && first !== '[') return undefined;
  try {
    return parsedJson(text);
  } catch {
    return undefined;
  }
}

/** Throws for text that is no JSON, and for lists within lists that no tracker makes. */
function parsedJson(text: string): unknown {
  if (jsonDepthExceeds(text, limits.json_depth_max_levels))
    throw new SyntaxError(`nested deeper than ${limits.json_depth_max_levels} levels`);
  return JSON.parse(text);
}

function recognise(text: string, whole: unknown): Format {
  const start = text.trimStart();
  const sample = whole === undefined ? firstLine(start) : Array.isArray(whole) ? whole.flat()[0] : whole;
  if (isRecord(sample)) {
    if (isGithub(sample)) return 'github';
    if (sample.format === BOARD_FORMAT || 'external_id' in sample) return 'json';
    if (isBeads(sample)) return 'beads';
  }
  if (Array.isArray(whole)) return whole.length === 0 ? 'github' : 'json';
  return whole === undefined && !start.startsWith('{') && !/^\[\s*[{\]]/.test(start) ? 'markdown' : 'json';
}

function firstLine(text: string): unknown {
  for (const line of text.split('\n', 20)) {
    const value = wholeJson(line);
    if (isRecord(value)) return value;
  }
  return undefined;
}

/** Issues of one list, of several (`gh api --paginate --slurp`), or one a line. */
function issuesIn(builder: BoardBuilder, text: string, whole: unknown): unknown[] {
  if (Array.isArray(whole)) return whole.flat();
  if (isRecord(whole)) return Array.isArray(whole.items) ? whole.items : [whole];
  const values: unknown[] = [];
  for (const { value } of lines(builder, text)) values.push(...(Array.isArray(value) ? value.flat() : [value]));
  return values;
}

/** Records of beads or of our own: a document, a list, or one a line. */
function addRecords(builder: BoardBuilder, text: string, whole: unknown, format: 'json' | 'beads'): void {
  if (isRecord(whole) && whole.format === BOARD_FORMAT) {
    if (whole.version === BOARD_VERSION) {
      const tasks: readonly unknown[] = Array.isArray(whole.tasks) ? whole.tasks : [];
      for (const [i, task] of tasks.entries()) addRecord(builder, task, i + 1, format, `task ${i + 1}`);
    } else
      builder.problem({
        message: `is version ${nameOf(whole.version)?.slice(0, 40) ?? 'unknown'} of the format; version ${BOARD_VERSION} is known`,
      });
    return;
  }
  if (Array.isArray(whole)) {
    for (const [i, value] of whole.entries()) addRecord(builder, value, undefined, format, `item ${i + 1}`);
    return;
  }
  for (const { value, line } of lines(builder, text)) addRecord(builder, value, line, format, `line ${line}`);
}

function addRecord(
  builder: BoardBuilder,
  value: unknown,
  line: number | undefined,
  format: 'json' | 'beads',
  position: string,
): void {
  if (!isRecord(value)) builder.problem({ line, item: position, message: 'is no JSON object' });
  else if (format === 'beads') addBead(builder, value, line ?? 0);
  else if (value.format === BOARD_FORMAT) return;
  else {
    // Checked for its types here, since a file may hold anything; a second time, with its bounds, as it is added.
    const shape = itemSchema.safeParse({ ...value, title: 'x', description: '' });
    const { title, description } = value;
    if (!shape.success) {
      const [issue] = shape.error.issues;
      builder.problem({
        line,
        item: position,
        message: `${issue?.path.join('.')}: ${issue?.message ?? 'is not valid'}`,
      });
    } else
      builder.add(
        {
          ...shape.data,
          title: typeof title === 'string' ? title : '',
          description: typeof description === 'string' ? description : '',
        },
        line,
      );
  }
}

/** JSON values of the lines; one that is none is a problem of its own. */
function lines(builder: BoardBuilder, text: string): { value: unknown; line: number }[] {
  return text.split('\n').flatMap((raw, i) => {
    if (raw.trim() === '') return [];
    try {
      return [{ value: parsedJson(raw), line: i + 1 }];
    } catch (error) {
      builder.problem({ line: i + 1, message: `is not JSON: ${(error as Error).message}` });
      return [];
    }
  });
}

// A task as it stands in a file, whatever the file's format: names of other tasks are those of its source.
import { z } from 'zod';
import { failure } from '../../../kernel/errors.ts';
import { limits } from '../../../kernel/limits.ts';
import { parseMoment } from '../../../kernel/moments.ts';
import { isOneLine } from '../../../kernel/text-safety.ts';
import { PRIORITIES, STATUSES } from '../statuses.ts';

const EXTERNAL_ID_MAX_CHARS = 300;
const COMMENTS_MAX_COUNT = 1_000;

/** `<source>:<id>`, the same in every file of that source: by it a second import finds what the first one made. */
const externalId = z
  .string()
  .min(3)
  .max(EXTERNAL_ID_MAX_CHARS)
  .regex(/^[a-z]+:\S+$/, 'is no external id: <source>:<id> without blanks');

const moment = z
  .string()
  .max(40)
  .transform((text, ctx) => {
    const parsed = parseMoment(text);
    if (parsed === undefined) ctx.addIssue({ code: 'custom', message: 'is not an ISO 8601 date or time' });
    return parsed ?? '';
  });

const commentSchema = z.object({
  comment_id: z.string().min(1).max(EXTERNAL_ID_MAX_CHARS),
  author: z.string().max(limits.name_length_max_chars).default(''),
  at: moment.nullable().default(null),
  text: z.string().max(limits.task_text_length_max_chars),
});

const word = z.string().trim().toLowerCase().min(1).max(limits.tag_length_max_chars).refine(isOneLine);

/** What the own JSON format holds of a task, and what every other format is turned into. */
export const itemSchema = z.object({
  external_id: externalId,
  title: z.string().trim().min(1, 'is empty').max(limits.name_length_max_chars).refine(isOneLine, 'must be one line'),
  description: z.string().max(limits.task_text_length_max_chars).default(''),
  status: z.enum(STATUSES).default('todo'),
  priority: z.enum(PRIORITIES).default('medium'),
  progress: z.number().int().min(0).max(100).default(0),
  project_id: z.string().max(limits.id_length_max_chars).nullable().default(null),
  parent: externalId.nullable().default(null),
  depends_on: z.array(externalId).max(limits.task_dependencies_max_count).default([]),
  tags: z.array(word).max(limits.tags_max_count).default([]),
  required_capabilities: z.array(word).max(limits.tags_max_count).default([]),
  due: moment.nullable().default(null),
  estimate_minutes: z.number().int().min(1).max(1_000_000).nullable().default(null),
  assignee: z.string().max(limits.id_length_max_chars).nullable().default(null),
  resolution: z.string().max(limits.task_text_length_max_chars).nullable().default(null),
  created_at: moment.nullable().default(null),
  started_at: moment.nullable().default(null),
  finished_at: moment.nullable().default(null),
  /** Of the task, where it comes from this product: tells an export from what was changed since. */
  version: z.number().int().min(1).nullable().default(null),
  comments: z.array(commentSchema).max(COMMENTS_MAX_COUNT).default([]),
});

export type Item = z.output<typeof itemSchema>;

/** What could not be taken as it stands: a line, an item or a part of one. */
export interface Problem {
  /** Line of the source, from 1; absent where the format has no lines. */
  readonly line?: number | undefined;
  /** External id, or a position such as `issue 3`. */
  readonly item?: string | undefined;
  readonly message: string;
}

/** An item and where it stands. */
export interface Placed {
  readonly item: Item;
  readonly line?: number | undefined;
}

export interface Board {
  readonly items: readonly Placed[];
  readonly problems: readonly Problem[];
  /** Items of the source that are no work, or are gone there. */
  readonly skipped: number;
}

export interface BoardBuilder {
  /** Checks an item; adds it, or a problem in its place. */
  add(item: z.input<typeof itemSchema>, line?: number): void;
  problem(problem: Problem): void;
  skip(): void;
  /** Throws `limit_exceeded` where so many items are too many, before they are made. */
  expect(count: number): void;
  board(): Board;
}

export const TWICE = 'is in the file twice; the later one counts';

/** Collects items; of several with one id the last one counts. More than `max_items` is refused (`limit_exceeded`). */
export function createBuilder(max_items = Number.POSITIVE_INFINITY): BoardBuilder {
  const items = new Map<string, Placed>();
  const problems: Problem[] = [];
  let skipped = 0;
  let met = 0;
  const expect = (count: number): void => {
    if (count > max_items)
      throw failure(
        'limit_exceeded',
        `The board has more than ${max_items} items.`,
        'Import it in parts: `haivemind tasks import` splits a file.',
      );
  };
  return {
    expect,
    add(raw, line) {
      expect(++met);
      const { fitted, cut } = trimmed(raw);
      const parsed = itemSchema.safeParse(fitted);
      const name = typeof raw.external_id === 'string' ? raw.external_id : undefined;
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        problems.push({
          line,
          item: name,
          message: `${issue?.path.join('.') || 'item'}: ${issue?.message ?? 'is not valid'}`,
        });
        return;
      }
      const { external_id } = parsed.data;
      for (const what of cut) problems.push({ line, item: external_id, message: what });
      if (items.has(external_id)) problems.push({ line, item: external_id, message: TWICE });
      items.delete(external_id);
      items.set(external_id, { item: parsed.data, line });
    },
    problem(problem) {
      expect(++met);
      problems.push(problem);
    },
    skip() {
      expect(++met);
      skipped++;
    },
    board: () => ({ items: [...items.values()], problems, skipped }),
  };
}

type RawItem = z.input<typeof itemSchema>;

/** Long titles go on in the description; what is too long even for that is cut, and said. */
function trimmed(raw: RawItem): { fitted: RawItem; cut: string[] } {
  const cut: string[] = [];
  const title = oneLine(raw.title);
  const long = title.length > limits.name_length_max_chars;
  const short = long
    ? `${title
        .slice(0, limits.name_length_max_chars - 1)
        .toWellFormed()
        .trimEnd()}…`
    : title;
  const full = [long ? title : '', raw.description ?? ''].filter((part) => part !== '').join('\n\n');
  const max = limits.task_text_length_max_chars;
  const shortened = (raw_text: string, what: string): string => {
    // No engine keeps a NUL, and half a character is none.
    const text = raw_text.replaceAll('\0', '').toWellFormed();
    if (text.length <= max) return text;
    cut.push(`${what} is longer than ${max} characters and was cut`);
    return text.slice(0, max).toWellFormed();
  };
  const tags = words(raw.tags ?? []);
  if (tags.length > limits.tags_max_count)
    cut.push(`has more than ${limits.tags_max_count} labels; the rest was left out`);
  const fitted: RawItem = {
    ...raw,
    title: short,
    description: shortened(full, 'description'),
    tags: tags.slice(0, limits.tags_max_count),
    required_capabilities: words(raw.required_capabilities ?? []).sort(),
    depends_on: [...new Set(raw.depends_on ?? [])].sort(),
    ...(raw.resolution ? { resolution: shortened(raw.resolution, 'resolution') } : {}),
    comments: (raw.comments ?? []).map((one) => ({ ...one, text: shortened(one.text, 'a comment') })),
  };
  return { fitted, cut };
}

/** Line breaks and control characters of a title become blanks. */
function oneLine(text: unknown): string {
  return String(text ?? '')
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim();
}

function words(list: readonly string[]): string[] {
  const all = list.map((tag) => oneLine(tag).toLowerCase().slice(0, limits.tag_length_max_chars).toWellFormed().trim());
  return [...new Set(all.filter((tag) => tag !== ''))];
}

// The notation of tasks in Markdown: boxes, headings that name columns, and the words in a line that say more.
import type { Priority, Status } from '../statuses.ts';

/** `[ ]` and its kin. */
const BOXES: ReadonlyMap<string, Status> = new Map(
  Object.entries({
    ' ': 'todo',
    x: 'done',
    X: 'done',
    '/': 'in_progress',
    '!': 'blocked',
    '?': 'review',
    '-': 'cancelled',
    '~': 'failed',
    '<': 'backlog',
  } as const),
);

export const BOX: Readonly<Record<Status, string>> = {
  ...{ todo: ' ', done: 'x', in_progress: '/', blocked: '!', review: '?', cancelled: '-', failed: '~', backlog: '<' },
};

export function statusOfBox(box: string): Status | undefined {
  return BOXES.get(box);
}

/** A map: headings are anybody's words, and `constructor` is one. */
const COLUMNS: ReadonlyMap<string, Status> = new Map(
  Object.entries({
    ...{ backlog: 'backlog', icebox: 'backlog', later: 'backlog', ideas: 'backlog', someday: 'backlog' },
    ...{ todo: 'todo', 'to do': 'todo', 'to-do': 'todo', open: 'todo', ready: 'todo', next: 'todo', planned: 'todo' },
    ...{ 'in progress': 'in_progress', in_progress: 'in_progress', doing: 'in_progress', wip: 'in_progress' },
    ...{ blocked: 'blocked', waiting: 'blocked', 'on hold': 'blocked' },
    ...{ review: 'review', 'in review': 'review', testing: 'review', qa: 'review' },
    ...{ done: 'done', completed: 'done', complete: 'done', closed: 'done', finished: 'done', archive: 'done' },
    ...{
      failed: 'failed',
      cancelled: 'cancelled',
      canceled: 'cancelled',
      "won't do": 'cancelled',
      dropped: 'cancelled',
    },
  } as const),
);

/** The column a heading names; undefined: it is a story. */
export function columnOf(heading: string): Status | undefined {
  const words = heading
    .toLowerCase()
    .replace(/\(\d+\)\s*$/, '')
    .replace(/[^a-z'_ -]/g, '')
    .trim();
  return COLUMNS.get(words);
}

/** Headings over tasks that belong to no story. */
export function isNoStory(heading: string): boolean {
  return /^(tasks|other tasks|items|tickets)$/i.test(heading.trim());
}

export interface LineWords {
  readonly title: string;
  readonly id?: string;
  readonly depends_on: readonly string[];
  readonly priority?: Priority;
  readonly tags: readonly string[];
  readonly capabilities: readonly string[];
  readonly assignee?: string;
  readonly due?: string;
  readonly estimate_minutes?: number;
}

const PRIORITY = /^!(critical|high|medium|low)$/;
const ESTIMATE = /^est:(\d+(?:\.\d+)?)(m|h|d)$/;
const MINUTES: Readonly<Record<string, number>> = { m: 1, h: 60, d: 480 };
const STAGE = /^\*\*\d+[a-z]*\*?\*\*\s+/;

/**
 * Words of a line: `!high`, `#tag`, `@agent`, `due:2026-01-31`, `est:90m` (h, d of 8 hours), `needs:capability`,
 * `^id` or `<!-- id -->` for its name, `after:id,id` for what it waits for. Taken from the end, and anywhere as long as
 * they are whole words; the rest is the title. A stage label in bold at the beginning, as exports write it, is dropped.
 */
export function readWords(line: string): LineWords {
  const found: { -readonly [K in keyof LineWords]: LineWords[K] } = {
    title: '',
    depends_on: [],
    tags: [],
    capabilities: [],
  };
  const tags: string[] = [];
  const capabilities: string[] = [];
  const depends_on: string[] = [];
  const rest: string[] = [];
  const text = namesOfComments(line).replace(STAGE, '');
  for (const word of text.split(/\s+/)) {
    const priority = PRIORITY.exec(word)?.[1];
    const estimate = ESTIMATE.exec(word);
    if (priority !== undefined) found.priority = priority as Priority;
    else if (estimate)
      found.estimate_minutes = Math.max(1, Math.round(Number(estimate[1]) * (MINUTES[estimate[2] ?? 'm'] ?? 1)));
    else if (/^#[\p{L}\p{N}][^\s#]*$/u.test(word) && !/^#\d+$/.test(word)) tags.push(word.slice(1));
    else if (/^@[A-Za-z0-9][\w.:-]*$/.test(word)) found.assignee = word.slice(1);
    else if (/^due:\d{4}-\d\d-\d\d(T\S+)?$/.test(word)) found.due = word.slice('due:'.length);
    else if (/^needs:\S+$/.test(word)) capabilities.push(...word.slice('needs:'.length).split(','));
    else if (/^after:\S+$/.test(word)) depends_on.push(...word.slice('after:'.length).split(','));
    else if (/^\^[\w.:@/#-]+$/.test(word)) found.id = word.slice(1);
    else rest.push(unescaped(word));
  }
  return {
    ...found,
    title: rest.join(' ').trim(),
    tags,
    capabilities,
    depends_on: depends_on.filter((id) => id !== ''),
  };
}

const COMMENT = '<!--';
const COMMENT_END = '-->';

/** `<!-- id -->` becomes `^id`. Every character is looked at a fixed number of times, whatever is left open. */
function namesOfComments(line: string): string {
  let out = '';
  let at = 0;
  for (;;) {
    const first = line.indexOf(COMMENT, at);
    const end = first < 0 ? -1 : line.indexOf(COMMENT_END, first + COMMENT.length);
    if (end < 0) return at === 0 ? line : out + line.slice(at);
    // Of several beginnings before one end the last one counts, unless the whole is one word.
    const begin = [first, line.lastIndexOf(COMMENT, end - 1)].find((begins) => nameIn(line, begins, end) !== '');
    const next = end + COMMENT_END.length;
    out += begin === undefined ? line.slice(at, next) : `${line.slice(at, begin)} ^${nameIn(line, begin, end)} `;
    at = next;
  }
}

/** The one word between these, or nothing. */
function nameIn(line: string, begin: number, end: number): string {
  const inside = line.slice(begin + COMMENT.length, end).trim();
  return /\s/.test(inside) ? '' : inside;
}

/** A word of a title that would be read as one of those above is written with a backslash before it. */
export function escaped(title: string): string {
  return title
    .split(/\s+/)
    .map((word) => (isMark(word) ? `\\${word}` : word))
    .join(' ')
    .replaceAll('<!--', '<\\!--');
}

const MARK = /^(![a-z]+|#.+|@.+|due:.+|est:.+|needs:.+|after:.+|\^.+|\\.*|\*\*\d.*)$/;

function isMark(word: string): boolean {
  return MARK.test(word);
}

function unescaped(word: string): string {
  const text = word.replaceAll('<\\!--', '<!--');
  return text.startsWith('\\') ? text.slice(1) : text;
}
